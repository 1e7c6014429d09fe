"""Components say which parameter is wrong; `validated` says where, as pydantic does."""

import re
from abc import ABC, abstractmethod

import pytest
from pydantic import PositiveFloat, ValidationError

from lossfw.components.component import Component
from lossfw.errors import ParameterError


class Part(Component):
    kind = "loss"

    size: PositiveFloat = 1.0
    items: tuple[int, ...] = ()
    needed: bool


@pytest.mark.parametrize(
    ("parameters", "told", "location"),
    [
        ({"needed": 1}, "Part: needed should be true or false, got 1.", ("needed",)),
        ({}, "Part needs the parameter 'needed'.", ("needed",)),
        ({"needed": True, "size": 0}, "Part: size should be greater than 0, got 0.", ("size",)),
        ({"needed": True, "items": 3}, "Part: items should be a list, got 3.", ("items",)),
        ({"needed": True, "items": (1, "x")},
         "Part: items.1 should be a whole number, got 'x'.", ("items", 1)),
        ({"needed": True, "sise": 1},
         "Part has no parameter 'sise'. Did you mean 'size'? It has: size, items, needed.",
         ("sise",)),
        ({"needed": True, "zzz": 1},
         "Part has no parameter 'zzz'. It has: size, items, needed.", ("zzz",)),
    ],
)  # fmt: skip
def test_both_ways_find_the_same(parameters, told, location):
    with pytest.raises(ParameterError) as worded:
        Part(**parameters)
    assert str(worded.value) == told
    with pytest.raises(ValidationError) as located:
        Part._validate(parameters)
    assert [item["loc"] for item in located.value.errors()] == [location]


class Abstract(Component, ABC):
    kind = "loss"

    @abstractmethod
    def value(self):
        """Return something."""


class Whole(Abstract):
    def value(self):
        return 1


class Holder(Component):
    kind = "loss"

    inner: Abstract
    more: tuple[Abstract, ...] | None = None


@pytest.mark.parametrize("given", ["whole", {"name": "whole"}, {}])
@pytest.mark.parametrize("key", ["inner", "more"])
def test_a_part_that_names_cannot_make_is_told_to_be_an_object(given, key):
    parameters = {"inner": Whole(), key: [Whole(), given] if key == "more" else given}
    told = f"Holder: {key} should be a Python object, as lossfw.loss(...) returns it, got "
    with pytest.raises(ParameterError, match=re.escape(told + repr(given))):
        Holder(**parameters)
    with pytest.raises(ValidationError) as caught:
        Holder._validate(parameters)
    assert [error["loc"] for error in caught.value.errors()] == [(key,)]
    assert Holder(inner=Whole(), more=[Whole()]).more == (Whole(),)
    assert Holder(inner=Whole()).inner == Whole()

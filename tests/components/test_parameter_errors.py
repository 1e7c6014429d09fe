"""Components say which parameter is wrong; `validated` says where, as pydantic does."""

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
        (
            {"needed": True, "items": (1, "x")},
            "Part: items.1 should be a whole number, got 'x'.",
            ("items", 1),
        ),
        (
            {"needed": True, "sise": 1},
            "Part has no parameter 'sise'. Did you mean 'size'? It has: size, items, needed.",
            ("sise",),
        ),
        (
            {"needed": True, "zzz": 1},
            "Part has no parameter 'zzz'. It has: size, items, needed.",
            ("zzz",),
        ),
    ],
)
def test_both_ways_find_the_same(parameters, told, location):
    with pytest.raises(ParameterError) as worded:
        Part(**parameters)
    assert str(worded.value) == told
    with pytest.raises(ValidationError) as located:
        Part.validated(parameters)
    assert [item["loc"] for item in located.value.errors()] == [location]


def test_both_ways_make_the_same():
    assert Part.validated({"needed": True, "items": [1, 2]}) == Part(needed=True, items=(1, 2))

"""Building a component from a name, a mapping or a component."""

import pytest

from lossfw.components.registry import Registry
from lossfw.errors import ArgumentError, ParameterError, UnknownNameError
from support.plugin_sources import plugin


@pytest.fixture
def registry(install):
    install("acme", {"acme": "acme_plugin"}, {"acme_plugin": plugin("Mild")})
    return Registry.discover()


@pytest.mark.parametrize(
    ("spec", "parameters"),
    [
        ("mild", {"c": 2.0}),
        ("acme/mild", {"c": 2.0}),
        ({"name": "mild", "c": 2.0}, {}),
        ({"name": "mild", "c": 9.0}, {"c": 2.0}),
    ],
)
def test_the_ways_to_describe_one_component(registry, spec, parameters):
    made = registry.create("loss", spec, **parameters)
    assert made == registry.component_class("loss", "mild")(c=2.0)
    assert registry.create("loss", made.to_config()) == made


def test_a_component_comes_back_as_it_is_or_with_other_parameters(registry):
    made = registry.create("loss", "mild")
    assert registry.create("loss", made) is made
    assert registry.create("loss", made, c=3.0).c == 3.0


def test_a_specification_is_not_changed(registry):
    spec = {"name": "mild", "c": 2.0}
    registry.create("loss", spec, c=5.0)
    assert spec == {"name": "mild", "c": 2.0}


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        ({"c": 2.0}, ParameterError, "needs 'name', got {'c': 2.0}"),
        ({}, ParameterError, "needs 'name', got {}"),
        ({"name": 3}, ParameterError, "'name' of a loss should be a string, got 3"),
        ({"name": "mild", 1: 2}, ParameterError, "should be a string, got 1"),
        ({"name": "mild", "d": 2}, ParameterError, "no parameter 'd'"),
        (3.0, ArgumentError, "got float: 3.0"),
        (None, ArgumentError, "got NoneType"),
        (["mild"], ArgumentError, "got list"),
        ("", UnknownNameError, "no loss ''"),
        ("/mild", UnknownNameError, "no plugin ''"),
        ("acme/", UnknownNameError, "offers no loss ''"),
    ],
)
def test_what_describes_no_component(registry, spec, error, message):
    with pytest.raises(error) as caught:
        registry.create("loss", spec)
    assert message in str(caught.value)


def test_a_component_of_another_kind(registry):
    with pytest.raises(ArgumentError, match=r"expected a metric, got the loss Mild"):
        registry.create("metric", registry.create("loss", "mild"))

"""The built-in plugin, and a whole process with third parties around it."""

import sys

import pytest

from lossfw.components.registry import KINDS, Registry
from lossfw.errors import UnknownNameError


@pytest.fixture(scope="module")
def built_in():
    return Registry.discover(plugins=False)


@pytest.mark.parametrize("kind", KINDS)
def test_every_built_in_component_is_what_it_is_offered_as(built_in, kind):
    entries = [e for e in built_in.entries(kind) if e.plugin.builtin]
    assert entries
    for entry in entries:
        cls = built_in.component_class(kind, entry.name)
        assert cls._summary(), f"{cls.__name__} has no docstring"
        assert built_in.resolve(kind, f"lossfw/{entry.name}").state == "loaded"
        for alias in entry.aliases:
            assert built_in.resolve(kind, alias).name == entry.name


def test_lossfw_on_the_path_without_its_metadata_says_what_to_do(tmp_path, monkeypatch):
    # A path without any installed distribution; the modules are imported already.
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(UnknownNameError, match=r"No loss is known[^\n]*\n.*install it with pip"):
        Registry.discover().resolve("loss", "squared_error")

"""The hooks: one for each kind, each with a docstring, none that asks for anything."""

import inspect

import pytest

from lossfw import hookspecs
from lossfw.hookspecs import HOOKS
from lossfw.registry.load import new_manager


def test_the_manager_knows_the_hooks_and_no_others():
    known = {name for name in vars(new_manager().hook) if not name.startswith("_")}
    assert known == set(HOOKS.values())


@pytest.mark.parametrize("hook", HOOKS.values())
def test_a_spec_is_a_docstring(hook):
    spec = getattr(hookspecs, hook)
    assert inspect.getdoc(spec)
    assert not inspect.signature(spec).parameters
    assert spec() is None

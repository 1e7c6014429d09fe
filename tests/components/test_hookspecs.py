"""The hooks: one for each kind, those that follow a run, each with a docstring."""

import inspect

import pytest

from lossfw.components import hookspecs
from lossfw.components.hookspecs import HOOKS, LIFE_CYCLE


@pytest.mark.parametrize("hook", HOOKS.values())
def test_a_spec_is_a_docstring(hook):
    spec = getattr(hookspecs, hook)
    assert inspect.getdoc(spec)
    assert not inspect.signature(spec).parameters
    assert spec() is None


@pytest.mark.parametrize("hook", LIFE_CYCLE)
def test_a_hook_that_follows_a_run_says_what_it_is_told(hook):
    spec = getattr(hookspecs, hook)
    parameters = inspect.signature(spec).parameters
    assert next(iter(parameters)) == "run"
    described = inspect.getdoc(spec)
    assert all(name in described for name in parameters)
    assert spec(*parameters) is None

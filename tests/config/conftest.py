import textwrap

import pytest

from lossfw.errors import ConfigError
from support.configs import build


@pytest.fixture
def plan(folder):
    """Build the plan of a configuration given as text, with overrides."""

    def make(text, *overrides, plugins=None):
        (folder / "run.yaml").write_text(textwrap.dedent(text))
        return build("run.yaml", overrides, plugins)

    return make


@pytest.fixture
def problems(plan):
    """Return what is wrong with a configuration: (where, what, hint) each."""

    def find(text, *overrides, plugins=None):
        try:
            plan(text, *overrides, plugins=plugins)
        except ConfigError as error:
            return [(p.where, p.message, p.hint) for p in error.problems]
        return []

    return find


@pytest.fixture
def problem(problems):
    """Return the one thing that is wrong with a configuration."""

    def find(text, *overrides, plugins=None):
        found = problems(text, *overrides, plugins=plugins)
        assert len(found) == 1, found
        return found[0]

    return find


@pytest.fixture
def refused(problem):
    """Check the one thing that is wrong: its place in run.yaml, words of message and hint."""

    def check(text, *overrides, plugins=None, at=None, what=(), hint=()):
        where, *texts = problem(text, *overrides, plugins=plugins)
        assert at is None or where == f"run.yaml:{at}"
        for words, said in zip((what, hint), texts, strict=True):
            for word in [words] if isinstance(words, str) else words:
                assert word in said

    return check

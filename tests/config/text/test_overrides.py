from pathlib import Path

import pytest

from lossfw.config.text.overrides import apply_overrides
from lossfw.config.text.tree import Origin, Problems
from lossfw.config.text.yaml import parse, split_lines
from lossfw.errors import ConfigError

TEXT = "loss: mse\nevaluate: {metrics: [a, {name: b}], batch_size: 1}\nseed: 3\n"


def resolve(text, *overrides):
    """Return the tree after overrides."""
    problems = Problems()
    root = parse(text, Origin("run.yaml", Path("/folder"), split_lines(text)), problems)
    root = apply_overrides(root, overrides, problems)
    problems.raise_if_any()
    return root


def refused(override):
    with pytest.raises(ConfigError) as caught:
        resolve(TEXT, override)
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize(
    ("written", "path", "value"),
    [
        ("seed=4", ["seed"], 4),
        ("seed=1e-7", ["seed"], 1e-7),
        ("seed=", ["seed"], None),
        ("seed=a=b", ["seed"], "a=b"),
        (" seed =4", ["seed"], 4),
        ("loss={name: brier}", ["loss"], {"name": "brier"}),
        ("evaluate.metrics.1.bins=15", ["evaluate", "metrics", 1], {"name": "b", "bins": 15}),
        ("evaluate.metrics.0=c", ["evaluate", "metrics"], ["c", {"name": "b"}]),
        ("loss.delta=1e-6", ["loss"], {"name": "mse", "delta": 1e-6}),
        ("new.and.deep=1", ["new"], {"and": {"deep": 1}}),
        ("evaluate.metrics+=c", ["evaluate", "metrics"], ["a", {"name": "b"}, "c"]),
        ("evaluate.metrics += [c]", ["evaluate", "metrics"], ["a", {"name": "b"}, ["c"]]),
        ("evaluate.slices+=target", ["evaluate", "slices"], ["target"]),
        ("evaluate.metrics-", ["evaluate"], {"batch_size": 1}),
        (" evaluate.metrics.0- ", ["evaluate", "metrics"], [{"name": "b"}]),
        ("seed-", [], {"loss": "mse", "evaluate": resolve(TEXT).find(["evaluate"]).to_plain()}),
        ('sweep.grid."loss.delta"=[1, 2]', ["sweep"], {"grid": {"loss.delta": [1, 2]}}),
        ('"a=b".c=d=e', ["a=b"], {"c": "d=e"}),
        ("a-=1", ["a-"], 1),
    ],
)
def test_an_override_puts_a_yaml_value_in_its_place(written, path, value):
    assert resolve(TEXT, written).find(path).to_plain() == value


@pytest.mark.parametrize(
    ("written", "what"),
    [
        *((written, "an override is KEY=VALUE")
          for written in ("seed", "=3", "a..b=1", ".a=1", "a.=1", "-", "+=1", '"a=1', '"a"b=1')),
        ("evaluate.metrics.2=x", "evaluate.metrics has the indices 0 to 1, got 2"),
        ("evaluate.metrics.²=x", "evaluate.metrics has the indices 0 to 1, got ²"),
        ("evaluate.metrics.2-", "evaluate.metrics has the indices 0 to 1, got 2"),
        ("seed.x=1", "seed is 3, which has no keys"),
        ("sed-", "there is no sed to remove"),
        ("evaluate.metric-", "there is no evaluate.metric to remove"),
        ("seed.x-", "there is no seed.x to remove"),
        ("seed+=1", "seed is 3; += appends to a list"),
    ],
)  # fmt: skip
def test_what_cannot_be_changed_added_or_taken_away(written, what):
    problem = refused(written)
    assert problem.where == f"-o {written}"
    assert problem.message.startswith(what)
    if written == "evaluate.metric-":
        assert problem.hint == "did you mean evaluate.metrics-?"


@pytest.mark.parametrize(
    "value", ["[1", "!!python/object x", "{a: 1, a: 2}", "\udc80", "*x", "[" * 999]
)
def test_a_value_is_read_like_a_file(value):
    where = refused(f"seed={value}").where
    assert where.startswith("-o seed=")
    assert len(where) < 80

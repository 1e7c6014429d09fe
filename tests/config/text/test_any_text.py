"""Whatever stands in a configuration or an override, it is right or has mistakes in places."""

import contextlib
import re

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lossfw.config.text.yaml import split_lines
from lossfw.errors import ConfigError
from support.any_config import GOOD, changed, paths, scalars, values
from support.configs import build, expand, resolve, resolved_text, verdict_of

# The one folder serves all examples of a test; each writes the file anew.
MANY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
SOME = settings(MANY, max_examples=15)


def write(folder, text):
    (folder / "run.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))


def mistakes(folder, text):
    """Return what is wrong with a text, having checked that each place is in it."""
    write(folder, text)
    try:
        build("run.yaml")
    except ConfigError as error:
        problems = error.problems
    else:
        return []
    lines = split_lines(text)
    for problem in problems:
        place = re.fullmatch(r"run\.yaml(?::(\d+)(?::(\d+))?)?", problem.where)
        assert place, problem.where
        assert len(str(problem)) < 2_000
        if place[2]:
            line = lines[int(place[1]) - 1]
            assert 1 <= int(place[2]) <= len(line) + 1
            # What cannot be printed is shown as something else.
            assert problem.source[: problem.column - 1] in line or not line.isprintable()
    return [problem.where for problem in problems]


@MANY
@given(st.text(max_size=300))
@example("lossfw: 1\ndata: \ud800\n")
@example("?")
def test_any_text(folder, text):
    mistakes(folder, text)


@MANY
@given(values)
def test_any_tree(folder, tree):
    mistakes(folder, yaml.safe_dump(tree, allow_unicode=True))


@MANY
@given(st.sampled_from(sorted(paths(GOOD), key=str)), values)
def test_any_value_anywhere(folder, path, value):
    mistakes(folder, yaml.safe_dump(changed(GOOD, path, value)))


# Sweeps, slices, intervals and overrides ---------------------------------

RICH = {
    **GOOD,
    "evaluate": {
        "metrics": [{"name": "huber", "delta": 2.0}],
        "intervals": {"level": 0.9, "method": "bootstrap", "replicates": 100},
        "slices": ["target", {"name": "a", "by": "prediction.max", "bins": [0.5]}],
        "save_rows": True,
    },
    "sweep": {
        "grid": {"loss.factor": [1, 2], "evaluate.batch_size": [1]},
        "zip": {"loss.per": ["row", "element"]},
        "seeds": 2,
    },
}
WORDS = """loss loss.factor evaluate.metrics.0 seed sweep a..b grid zip seeds by bins name
    prediction.max target jackknife extends run.yaml ${env:HOME} ${env:NOT_SET} lossfw"""
words = st.sampled_from(WORDS.split())
rich_values = st.recursive(
    scalars | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
rich_paths = st.sampled_from(sorted(paths(RICH), key=str))


def key_of(path):
    return ".".join(f'"{step}"' if "." in str(step) else str(step) for step in path)


@SOME
@given(rich_paths, rich_values)
def test_any_value_anywhere_in_a_sweep(folder, path, value):
    write(folder, yaml.safe_dump(changed(RICH, path, value), allow_unicode=True))
    verdict = verdict_of("run.yaml")
    assert (verdict.runs > 0) == (not verdict.problems)
    assert all(problem.message for problem in verdict.problems)
    if verdict.problems:
        # Nothing is resolved, or run, that is not valid; except where only data or weights are
        # wrong, which resolving does not read.
        with contextlib.suppress(ConfigError):
            resolve("run.yaml")
        return
    before = [run.name for run in expand("run.yaml")]
    (folder / "again.yaml").write_text(resolved_text("run.yaml"))
    assert verdict_of("again.yaml").runs == verdict.runs
    if len(before) > 1:
        assert [run.name for run in expand("again.yaml")] == before


@SOME
@given(rich_paths, rich_values, st.sampled_from(["=", "+=", "-"]))
def test_any_override(folder, path, value, mark):
    write(folder, yaml.safe_dump(RICH))
    text = yaml.safe_dump(value, default_flow_style=True).removesuffix("\n...\n").strip()
    verdict = verdict_of("run.yaml", [f"{key_of(path)}{mark}{'' if mark == '-' else text}"])
    assert (verdict.runs > 0) == (not verdict.problems)


@pytest.mark.turns(4)
@pytest.mark.parametrize("path", [p for p in paths(RICH) if p], ids=str)
def test_any_key_can_be_taken_away(folder, path):
    write(folder, yaml.safe_dump(RICH))
    problems = verdict_of("run.yaml", [f"{key_of(path)}-"]).problems
    assert not any("take away" in problem.message for problem in problems)

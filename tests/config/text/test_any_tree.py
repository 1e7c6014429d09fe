"""Whatever sweeps, slices, intervals and overrides contain, lossfw explains what is wrong."""

import contextlib

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lossfw.errors import ConfigError
from support.any_config import GOOD, changed, paths, scalars
from support.configs import expand, resolve, resolved_text, verdict_of

SOME = settings(
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)

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
values = st.recursive(
    scalars | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
rich_paths = st.sampled_from(sorted(paths(RICH), key=str))


def write(folder, tree):
    text = yaml.safe_dump(tree, allow_unicode=True)
    (folder / "run.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))


@SOME
@given(rich_paths, values)
def test_any_value_anywhere(folder, path, value):
    tree = changed(RICH, path, value)
    write(folder, tree)
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
@given(rich_paths, values, st.sampled_from(["=", "+=", "-"]))
def test_any_override(folder, path, value, mark):
    write(folder, RICH)
    text = yaml.safe_dump(value, default_flow_style=True).removesuffix("\n...\n").strip()
    key = ".".join(f'"{step}"' if "." in str(step) else str(step) for step in path)
    override = f"{key}{mark}{'' if mark == '-' else text}"
    verdict = verdict_of("run.yaml", [override])
    assert (verdict.runs > 0) == (not verdict.problems)


@pytest.mark.turns(4)
@pytest.mark.parametrize("path", [p for p in paths(RICH) if p], ids=str)
def test_any_key_can_be_taken_away(folder, path):
    write(folder, RICH)
    key = ".".join(f'"{step}"' if "." in str(step) else str(step) for step in path)
    assert not any("take away" in p.message for p in verdict_of("run.yaml", [f"{key}-"]).problems)

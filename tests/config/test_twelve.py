"""A file with twelve different mistakes: lossfw reports all of them, in order, with the fix."""

from pathlib import Path

import pytest

from lossfw.components.registry import registry
from lossfw.errors import ConfigError
from support.configs import build

HERE = Path(__file__).parent / "twelve"


def test_twelve_mistakes(monkeypatch):
    monkeypatch.delenv("DIGITS_WEIGHTS", raising=False)
    monkeypatch.chdir(HERE)
    with pytest.raises(ConfigError) as caught:
        build("run.yaml")
    # How many there are is not promised.
    wanted = (HERE / "told.txt").read_text()
    for kind in ("activation", "metric"):
        wanted = wanted.replace(f"{{{kind}s}}", str(len(registry().entries(kind))))
    assert f"{caught.value}\n" == wanted
    assert len(caught.value.problems) == 12


@pytest.mark.parametrize(
    ("fix", "line"),
    [
        ("seed=1", 2),
        ("plugin-", 3),
        ("network.layers.0.activation=sigmoid", 7),
        ("network.layers.1.units=10", 8),
        ("network.weights=digits-mlp.npz", 9),
        ("evaluate.batch_size=100", 12),
        ("evaluate.metrics.0=accuracy", 13),
        ("evaluate.metrics.1.n-", 13),
        ("evaluate.sample.replace=false", 14),
        ("evaluate.intervals.level=0.95", 15),
        ("evaluate.slices.1.bins=[0.5, 0.9]", 16),
    ],
)
def test_mending_one_takes_one_away(fix, line, monkeypatch):
    monkeypatch.delenv("DIGITS_WEIGHTS", raising=False)
    monkeypatch.chdir(HERE)
    told = []
    for overrides in ([], [fix]):
        with pytest.raises(ConfigError) as caught:
            build("run.yaml", overrides)
        told.append(set(caught.value.problems))
    before, after = told
    assert after < before
    ((gone,),) = [before - after]
    assert gone.line == line

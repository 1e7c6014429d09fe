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

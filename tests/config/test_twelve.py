"""A file with twelve different mistakes: all of them are told, in order, with the fix."""

import pytest

from lossfw.config.build import build
from lossfw.errors import ConfigError
from lossfw.registry import registry

FILE = """\
lossfw: 1
seed: -1
plugin: [mine.py]
data: digits
network:
  layers:
    - {units: 50, activation: sigmoyd}
    - {units: 9, activation: softmax}
  weights: ${env:DIGITS_WEIGHTS}
loss: cross_entropy
evaluate:
  batch_size: 1e3
  metrics: [acuracy, {name: top_k, n: 5}]
  sample: {count: 100, count: 200, replace: no}
  intervals: {level: 95}
  slices: [target, {name: sure, by: prediction.max, bins: [0.9, 0.5]}]
"""

TOLD = """\
run.yaml:2:7: error: seed should be at least 0, got -1
  seed: -1
        ^
run.yaml:3:1: error: unknown key 'plugin'
  plugin: [mine.py]
  ^
  hint: did you mean 'plugins'?
run.yaml:7:31: error: There is no activation 'sigmoyd'. {activations} activations are known; `lossfw list` shows them.
      - {units: 50, activation: sigmoyd}
                                ^
  hint: did you mean 'sigmoid'?
run.yaml:8:15: error: data 'digits (test)': target[26] = 9 is no class: the prediction has 9 columns, so classes are 0 .. 8
      - {units: 9, activation: softmax}
                ^
  hint: write units: 10, one for each class
run.yaml:9:12: error: the environment variable 'DIGITS_WEIGHTS' is not set
    weights: ${env:DIGITS_WEIGHTS}
             ^
  hint: set it, or write the value here
run.yaml:12:15: error: evaluate.batch_size should be a whole number, got 1000.0
    batch_size: 1e3
                ^
run.yaml:13:13: error: There is no metric 'acuracy'. {metrics} metrics are known; `lossfw list` shows them.
    metrics: [acuracy, {name: top_k, n: 5}]
              ^
  hint: did you mean 'accuracy'?
run.yaml:13:36: error: top_k has no parameter 'n'
    metrics: [acuracy, {name: top_k, n: 5}]
                                     ^
  hint: it has k
run.yaml:14:24: error: the key 'count' is given twice
    sample: {count: 100, count: 200, replace: no}
                         ^
  hint: the first one stands in line 14
run.yaml:14:45: error: evaluate.sample.replace should be true or false, got 'no'
    sample: {count: 100, count: 200, replace: no}
                                              ^
  hint: write true or false; in YAML 1.2 no is a text
run.yaml:15:22: error: evaluate.intervals.level should be less than 1, got 95
    intervals: {level: 95}
                       ^
run.yaml:16:59: error: bins should increase from edge to edge, got [0.9, 0.5]
    slices: [target, {name: sure, by: prediction.max, bins: [0.9, 0.5]}]
                                                            ^"""


def test_twelve_mistakes(folder, monkeypatch):
    monkeypatch.delenv("DIGITS_WEIGHTS", raising=False)
    (folder / "run.yaml").write_text(FILE)
    with pytest.raises(ConfigError) as caught:
        build("run.yaml")
    known = {f"{kind}s": len(registry().entries(kind)) for kind in ("activation", "metric")}
    wanted = TOLD
    for word, count in known.items():
        wanted = wanted.replace(f"{{{word}}}", str(count))
    assert str(caught.value) == wanted
    assert len(caught.value.problems) == 12

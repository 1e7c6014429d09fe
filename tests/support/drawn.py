"""Drawn predictions, targets and weights for tests of metrics."""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import strategies as st

import lossfw

# Kinds of data, and the metrics that take them.
ROWS = (
    "accuracy",
    {"name": "top_k", "k": 2},
    "balanced_accuracy",
    "precision",
    {"name": "precision", "average": "none"},
    {"name": "recall", "average": "micro"},
    {"name": "recall", "average": "none"},
    "f1",
    {"name": "f1", "average": "none"},
    "confusion_matrix",
    {"name": "calibration_error", "bins": 5},
    {"name": "calibration_error", "bins": 4, "strategy": "quantile"},
    "roc_auc",
    "average_precision",
)
SINGLE = tuple(spec for spec in ROWS if spec != {"name": "top_k", "k": 2})
NUMBERS = ("mse", "rmse", "mae", "r2", "quantile_coverage")
COUNTS = ("bias", "gini", {"name": "lift", "fraction": 0.3}, {"name": "lift", "k": 3})
COLUMNS = (
    {"name": "interval_coverage", "level": 0.5, "of": "crps_normal"},
    {"name": "pit", "bins": 4, "of": "crps_normal"},
    {"name": "pit", "statistic": "mean", "of": "crps_normal"},
    "quantile_crossing",
)
EVERY = (
    *(("rows", spec) for spec in ROWS),
    *(("single", spec) for spec in SINGLE),
    *(("numbers", spec) for spec in NUMBERS),
    *(("counts", spec) for spec in COUNTS),
    *(("columns", spec) for spec in COLUMNS),
)


class Drawn(NamedTuple):
    """Some rows."""

    y: np.ndarray
    t: np.ndarray
    weight: np.ndarray | None

    def __getitem__(self, rows):
        return Drawn(self.y[rows], self.t[rows], None if self.weight is None else self.weight[rows])


def metric(spec):
    return lossfw.registry().create("metric", spec)


def label(case):
    kind, spec = case
    return f"{kind}-{spec if isinstance(spec, str) else '-'.join(map(str, spec.values()))}"


def each():
    """Parametrise a test with a case for every metric, of which every third is quick."""

    def decorate(test):
        return pytest.mark.turns(3)(pytest.mark.parametrize("case", EVERY, ids=label)(test))

    return decorate


@st.composite
def data(draw, kind, least=1, most=40):
    """Draw rows; coarse numbers, so that there are ties."""
    rows = draw(st.integers(least, most))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    coarse = draw(st.booleans())
    if kind == "rows":
        classes = draw(st.integers(2, 4))
        y = rng.integers(1, 4, (rows, classes)) if coarse else rng.random((rows, classes))
        y, t = y / y.sum(1, keepdims=True), rng.integers(0, classes, rows)
    elif kind == "single":
        y = rng.integers(0, 5, rows) / 4 if coarse else rng.random(rows)
        t = rng.integers(0, 2, rows)
    elif kind == "counts":
        y = rng.integers(0, 5, rows) / 4 if coarse else rng.random(rows)
        t = rng.integers(0, 4, rows).astype(float) if coarse else rng.gamma(0.5, size=rows)
    elif kind == "columns":
        y = rng.integers(-1, 2, (rows, 2)) * 0.5 if coarse else rng.normal(size=(rows, 2))
        t = rng.integers(-2, 3, rows).astype(float) if coarse else rng.normal(size=rows)
    else:
        t = rng.integers(-2, 3, rows).astype(float) if coarse else rng.normal(3.0, 2.0, rows)
        y = t + rng.integers(-1, 2, rows) if coarse else t + rng.normal(size=rows)
    weights = draw(st.sampled_from(["none", "whole", "real"]))
    weight = {
        "none": None,
        "whole": rng.integers(1, 4, rows).astype(float),
        "real": rng.uniform(0.1, 2, rows),
    }[weights]
    return Drawn(y, t, weight)

"""The objectives of libraries beside losses of lossfw: which train the same model, and how."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import numpy as np

from lossfw.bridges.sklearn import hist_loss
from lossfw.learning.bridge import spec_code
from lossfw.learning.raw_form import as_loss
from support.boosting_libraries import LIBRARIES

ROUNDS = 8
# Where a library finds its leaves by another rule than from gradients and curvatures, an objective
# from outside cannot have the same trees.
NOT_TO_BE_HAD = {
    ("xgboost", "reg:quantileerror, reg:absoluteerror"): "leaves are quantiles of residuals",
    ("xgboost", "binary:hinge"): "the curvature is the weight; what it predicts are labels",
    ("lightgbm", "regression_l1, quantile, mape"): "leaves are quantiles of residuals",
    ("catboost", "MAE, Quantile, MAPE with exact leaves"): "leaves are quantiles of residuals",
    ("sklearn", "quantile"): "leaves are interpolated quantiles of residuals",
}


def half(name: str, **parameters: Any) -> dict[str, Any]:
    """Return the specification of half a loss."""
    return {"name": "scaled", "of": {"name": name, **parameters}, "scale": 0.5}


@dataclass(frozen=True)
class Parity:
    """An objective of a library and the loss that trains the same model."""

    library: str
    theirs: str
    ours: Any
    data: str = "numbers"  # or counts, labels, classes, shares, queries, times
    curvature: str = "auto"  # of the bridge
    params: Mapping[str, Any] = field(default_factory=dict)
    own: Mapping[str, Any] = field(default_factory=dict)  # parameters only of theirs
    start: str = "least"  # or mean, zero: what ours starts with, as theirs does
    # The row holds from one release on, and up to another one.
    needs: str = ""
    before: str = ""
    note: str = ""  # where the weighted models differ, and why

    def __str__(self) -> str:
        return f"{self.library}-{self.theirs}"

    @property
    def holds_here(self) -> bool:
        """Whether the row is about the installed release."""
        name = {"sklearn": "scikit-learn"}.get(self.library, self.library)
        here = _numbers(version(name))
        late = bool(self.before) and here >= _numbers(self.before)
        return not late and here >= _numbers(self.needs or "0")


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split(".")[:2])


HUBER = {"name": "huber", "delta": 50.0}
PSEUDO = {"name": "pseudo_huber", "delta": 50.0}
FAIR = {"name": "fair", "c": 20.0}
SQUARE = {"name": "squared_error", "factor": 0.5}
NEWTON = {"leaf_estimation_method": "Newton", "leaf_estimation_iterations": 1}

# Every pair, and its gradient as it is.
ALL_PAIRS = {
    "lambdarank_pair_method": "topk",
    "lambdarank_num_pair_per_sample": 1000,
    "lambdarank_normalization": False,
    "lambdarank_score_normalization": False,
}
# So many rows has each query.
QUERIES = np.repeat([17, 1, 30, 4], 8)

ROWS = (
    Parity("xgboost", "reg:squarederror", SQUARE),
    Parity("xgboost", "reg:pseudohubererror", PSEUDO, curvature="exact",
           params={"base_score": 100.0}, own={"huber_slope": 50.0}, before="3.5"),
    Parity("xgboost", "binary:logistic", "binary_cross_entropy", "labels", needs="3.0"),
    Parity("xgboost", "binary:logistic", "logistic", "labels", needs="3.0"),
    Parity("xgboost", "multi:softprob", "cross_entropy", "classes", needs="3.2", before="3.5"),
    Parity("xgboost", "count:poisson", half("poisson_deviance"), "counts", "exact",
           own={"max_delta_step": 0.0}, before="3.5"),
    Parity("xgboost", "reg:gamma", half("gamma_deviance"), "counts", "exact", before="3.5"),
    Parity("xgboost", "reg:tweedie", half("tweedie_deviance", power=1.5), "counts", "exact",
           own={"tweedie_variance_power": 1.5}, before="3.5"),
    Parity("xgboost", "rank:pairwise", "pairwise_logistic", "queries", params={"base_score": 0.0},
           own=ALL_PAIRS, needs="3.0", note="XGBoost divides the weights of queries by their mean"),
    *(
        Parity(
            "xgboost", "survival:aft", {"name": "aft", "distribution": name}, "times", "exact",
            params={"base_score": 0.0}, own={"base_score": 1.0, "aft_loss_distribution": name}
        )
        for name in ("normal", "logistic", "extreme")
    ),
    Parity("lightgbm", "regression", SQUARE),
    Parity("lightgbm", "huber", HUBER, curvature="one", own={"alpha": 50.0}, start="mean"),
    Parity("lightgbm", "fair", FAIR, curvature="exact", own={"fair_c": 20.0}, start="mean"),
    Parity("lightgbm", "poisson", half("poisson_deviance"), "counts", "exact",
           own={"poisson_max_delta_step": 1e-12}),
    Parity("lightgbm", "gamma", half("gamma_deviance"), "counts", "exact"),
    Parity("lightgbm", "tweedie", half("tweedie_deviance", power=1.5), "counts", "exact",
           own={"tweedie_variance_power": 1.5}),
    Parity("lightgbm", "binary", "binary_cross_entropy", "labels"),
    Parity("lightgbm", "cross_entropy", "binary_cross_entropy", "shares"),
    Parity("lightgbm", "multiclass", "cross_entropy", "classes"),
    Parity("catboost", "RMSE", SQUARE),
    Parity("catboost", "Logloss", "binary_cross_entropy", "labels", params=NEWTON, start="zero"),
    Parity("catboost", "CrossEntropy", "binary_cross_entropy", "shares", params=NEWTON,
           start="zero"),
    Parity("catboost", "Poisson", half("poisson_deviance"), "counts", "exact", params=NEWTON,
           start="zero"),
    Parity("catboost", "Tweedie:variance_power=1.5", half("tweedie_deviance", power=1.5), "counts",
           "exact", params=NEWTON, start="zero"),
    Parity("catboost", "LogCosh", "log_cosh", "shares", "exact", params=NEWTON, start="zero"),
    Parity("catboost", "Huber:delta=49.5", {"name": "huber", "delta": 49.5}, curvature="exact",
           params=NEWTON, start="zero"),
    Parity("catboost", "Expectile:alpha=0.3", {"name": "expectile", "q": 0.3}, params=NEWTON,
           start="zero"),
    Parity("catboost", "Quantile:alpha=0.3", {"name": "quantile", "q": 0.3}, curvature="one",
           params={"leaf_estimation_method": "Gradient", "leaf_estimation_iterations": 1},
           own={"boost_from_average": False}, start="zero"),
    Parity("catboost", "MultiClass", "cross_entropy", "classes", params=NEWTON, start="zero"),
    Parity("sklearn", "squared_error", SQUARE),
    Parity("sklearn", "absolute_error", "absolute_error",
           note="with weights leaves are lower weighted medians, and ours the middle"),
    Parity("sklearn", "poisson", half("poisson_deviance"), "counts", "exact"),
    Parity("sklearn", "gamma", half("gamma_deviance"), "counts", "exact"),
    Parity("sklearn", "log_loss", "binary_cross_entropy", "labels"),
    Parity("sklearn", "log_loss", "cross_entropy", "classes")
)  # fmt: skip


def gap(row: Parity, weighted: bool) -> float:
    """Return the largest difference of raw predictions over their standard deviation.

    Of classes it is that of probabilities: a shift of all logits means nothing.
    """
    x, y = drawn(row.data)
    count = len(QUERIES) if row.data == "queries" else len(y)
    w = np.random.default_rng(0).integers(1, 4, count).astype(float) if weighted else None
    ours, theirs = (_sklearn if row.library == "sklearn" else _trained)(row, x, y, w)
    if np.ndim(theirs) == 2:
        ours, theirs = (_softmax(raw) for raw in (ours, theirs))
    return float(np.abs(ours - theirs).max() / np.std(theirs))


def drawn(name: str) -> tuple[Any, Any]:
    """Return the features and targets of a kind."""
    from sklearn import datasets

    if name == "classes":
        return datasets.load_wine(return_X_y=True)
    if name == "labels":
        x, y = datasets.load_breast_cancer(return_X_y=True)
        return x, y.astype(float)
    x, y = datasets.load_diabetes(return_X_y=True)
    if name == "queries":
        return x[: QUERIES.sum()], np.floor(y[: QUERIES.sum()] / 80.0)
    if name == "shares":
        return x, np.float32(y / 400.0).astype(float)
    if name == "times":  # seen, or without an upper limit, or without a lower one, or between two
        way = np.arange(len(y)) % 4
        seen = np.float32(y / 100.0).astype(float)
        return x, np.stack([seen * (way != 2), np.choose(way, [seen, np.inf, seen, 2 * seen])], -1)
    return x, np.ceil(y / 20.0) if name == "counts" else y


def _softmax(raw: Any) -> Any:
    e = np.exp(raw - np.max(raw, axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def _begin(row: Parity, y: Any, w: Any) -> Any:
    """Return the start to give."""
    if row.start == "zero":
        return np.zeros(int(y.max()) + 1) if row.data == "classes" else 0.0
    return float(np.average(y, weights=w))


def _trained(row: Parity, x: Any, y: Any, w: Any) -> tuple[Any, Any]:
    library = LIBRARIES[row.library]
    if row.data == "queries":
        library = library.with_groups(QUERIES)
    begin = {} if row.start == "least" else {"start": _begin(row, y, w)}
    ours = library.train(row.ours, x, y, w, ROUNDS, row.params, curvature=row.curvature, **begin)
    own = {**row.params, **row.own, library.objective: row.theirs}
    if row.data == "classes" and row.library != "catboost":
        own["num_class"] = 3
    theirs = library.train_own(own, x, y, w, ROUNDS)
    return tuple(library.raw(model, x) for model in (ours, theirs))


def _sklearn(row: Parity, x: Any, y: Any, w: Any) -> tuple[Any, Any]:
    from sklearn import ensemble

    labels = row.data in ("labels", "classes")
    kind = getattr(ensemble, f"HistGradientBoosting{'Classifier' if labels else 'Regressor'}")
    loss = hist_loss(row.ours, curvature=row.curvature)
    models = [
        kind(loss=one, max_iter=ROUNDS, max_leaf_nodes=8).fit(x, y, sample_weight=w)
        for one in (loss, row.theirs)
    ]
    raws = [model._raw_predict(x) for model in models]
    return tuple(raw[:, 0] if raw.shape[1] == 1 else raw for raw in raws)


def described(row: Parity) -> str:
    """Return the loss as text."""
    return spec_code(as_loss(row.ours))

"""Train with every rule of curvature in every boosting library, and write what came out.

    python scripts/study_curvature.py results.csv          # about half an hour on one core

A training has 100 rounds at the library's defaults, on half of a data set; the other half
measures it, without the outliers. Ten seeds draw the halves and the outliers. What stands in
the file already is not computed again.
"""

import argparse
import csv
import importlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from lossfw.bridges import catboost, lightgbm, xgboost
from lossfw.bridges.boosting import derivatives, start
from lossfw.bridges.sklearn import hist_loss
from lossfw.errors import LossfwError

SEEDS = 10
ROUNDS = 100
RULES = ("auto", "exact", "bound", "slope", "one")
LIBRARIES = ("xgboost", "lightgbm", "catboost", "sklearn")
HEAD = ("loss", "data", "library", "rule", "seed", "test")

# Of the residual, in the units of targets whose spread goes from 0.3 to 370.
RESIDUAL = ("huber", "log_cosh", "cauchy", "tukey", "absolute_error", "quantile 0.9")
COUNTS = ("poisson_deviance", "gamma_deviance")
MARGIN = ("binary_cross_entropy", "hinge", "squared_hinge", "savage", "focal")
ROWS = ("cross_entropy", "categorical_focal", "multiclass_hinge")


class Case(NamedTuple):
    """A loss and a data set."""

    loss: str
    data: str


def cases() -> Iterator[Case]:
    """Yield every loss with the data sets that fit it."""
    numbers = ("diabetes", "friedman1", "friedman2", "friedman3")
    for losses, sets in (
        (RESIDUAL, numbers),
        (COUNTS, ("diabetes", "counts1", "counts2")),
        (MARGIN, ("cancer", "wine 1", "odd digits")),
        (ROWS, ("iris", "wine", "digits")),
    ):
        for loss in losses:
            for data in sets:
                yield Case(loss, data)


def spec(loss: str) -> Any:
    """Return the specification of a loss."""
    name, _, q = loss.partition(" ")
    return {"name": name, "q": float(q)} if q else name


def drawn(name: str, seed: int) -> tuple[Any, Any, Any]:
    """Return features, targets and where these are no outliers, a tenth of made ones."""
    from sklearn import datasets

    rng = np.random.default_rng(seed)
    if name.startswith(("friedman", "counts")):
        make = getattr(datasets, f"make_friedman{name[-1]}")
        x, y = make(400, noise=0.0, random_state=seed)
        if name.startswith("counts"):
            y = rng.poisson(y / y.mean() * 3.0) + 1.0
        return x, y, np.ones(400, bool)
        y = y + 0.1 * y.std() * rng.normal(size=400)
        outlier = rng.random(400) < 0.1
        y[outlier] += 10.0 * y.std() * rng.normal(size=outlier.sum())
        return x, y, ~outlier
    real = {
        "diabetes": datasets.load_diabetes,
        "cancer": datasets.load_breast_cancer,
        "iris": datasets.load_iris,
        "wine": datasets.load_wine,
        "digits": datasets.load_digits,
    }
    kind = name.split()[-1] if name.startswith("odd") else name.split()[0]
    x, y = real[kind](return_X_y=True)
    if name == "odd digits":
        x, y = x[:600], (y[:600] % 2).astype(float)
    elif name == "wine 1":
        y = (y == 1).astype(float)
    elif name == "digits":
        few = np.flatnonzero(y < 4)[:400]
        x, y = x[few], y[few]
    return x, y, np.ones(len(y), bool)


def raw_predictions(library: str, loss: Any, rule: str, x: Any, y: Any, new: Any) -> Any:
    """Train at the library's defaults; return raw predictions for new rows."""
    if library == "xgboost":
        import xgboost as xgb

        model = xgboost.train(loss, {"nthread": 1}, xgb.DMatrix(x, y), ROUNDS, curvature=rule)
        return model.predict(xgb.DMatrix(new), output_margin=True)
    if library == "lightgbm":
        import lightgbm as lgb

        quiet = {"verbosity": -1, "num_threads": 1}
        model = lightgbm.train(loss, quiet, lgb.Dataset(x, y), ROUNDS, curvature=rule)
        return model.predict(new, raw_score=True)
    if library == "catboost":
        import catboost as cat

        quiet = {
            "iterations": ROUNDS, "verbose": False, "allow_writing_files": False,
            "thread_count": 1, "random_seed": 0,
        }  # fmt: skip
        model = catboost.train(loss, quiet, cat.Pool(x, y), curvature=rule)
        return model.predict(new, prediction_type="RawFormulaVal")
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    made = hist_loss(loss, curvature=rule, refit=None if rule == "auto" else False)
    labels = hasattr(made, "predict_proba")
    kind = HistGradientBoostingClassifier if labels else HistGradientBoostingRegressor
    raw = kind(loss=made, random_state=0).fit(x, y)._raw_predict(new)
    return raw[:, 0] if raw.shape[1] == 1 else raw


def measured(case: Case, library: str, rule: str, seed: int) -> float | None:
    """Return the test loss of a training over that of a constant; None without such a rule."""
    loss = spec(case.loss)
    x, y, clean = drawn(case.data, seed)
    order = np.random.default_rng(seed + 1000).permutation(len(y))
    train, test = order[: len(y) // 2], order[len(y) // 2 :]
    test = test[clean[test]]
    try:
        of = derivatives(loss, rule)
    except LossfwError:
        return None
    begin = start(loss, y[train], classes=int(y.max()) + 1 if of.loss.takes_rows else None)
    constant = of.mean(np.broadcast_to(begin, (len(test), *np.shape(begin))), y[test])
    try:
        raw = raw_predictions(library, loss, rule, x[train], y[train], x[test])
        return of.mean(raw, y[test]) / constant
    except Exception:
        # A training that diverges, in the words of one library or another.
        return float("inf")


def run(path: Path) -> None:
    """Write the results that are not there yet, a line each."""
    # First of all: threads of libraries that come in later are not limited.
    for module in ("catboost", "lightgbm", "sklearn.ensemble", "xgboost"):
        importlib.import_module(module)
    known = {tuple(row[:5]) for row in rows(path)}
    with path.open("a", newline="") as file, threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        writer = csv.writer(file)
        for seed in range(SEEDS):
            for case in cases():
                for library in LIBRARIES:
                    for rule in RULES:
                        key = (*case, library, rule, str(seed))
                        # A row at a time through Python, tens of seconds for each training.
                        table = case.loss == "cross_entropy" and rule in ("auto", "exact")
                        slow = library == "catboost" and case.loss in ROWS and not table
                        if key in known or slow:
                            continue
                        found = measured(case, library, rule, seed)
                        if found is not None:
                            writer.writerow([*key, f"{found:.6g}"])
                            file.flush()


def rows(path: Path) -> list[list[str]]:
    """Return the results so far."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.reader(file))


def main() -> None:
    """Run the study, or write the page of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("results", type=Path)
    given = parser.parse_args()
    run(given.results)


if __name__ == "__main__":
    main()

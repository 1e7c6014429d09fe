"""Train with every rule of curvature in every boosting library, and write what came out.

    python scripts/study_curvature.py results.csv          # about half an hour on one core
    python scripts/study_curvature.py results.csv --page docs/explanation/curvature.md

A training has 100 rounds at the library's defaults, on half of a data set; the other half
measures it, without the outliers. Ten seeds draw the halves and the outliers. What stands in
the file already is not computed again.
"""

import argparse
import csv
import importlib
import math
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from threadpoolctl import threadpool_limits

from lossfw.bridges import catboost, lightgbm, xgboost
from lossfw.bridges.sklearn import hist_loss
from lossfw.errors import LossfwError
from lossfw.learning.curvature import may_have_kinks
from lossfw.learning.derivatives import best_constant, derivatives, refuse_dead_start
from lossfw.learning.raw_form import as_loss
from lossfw.report.text.tables import markdown_table

SEEDS = 10
ROUNDS = 100
RULES = ("auto", "exact", "bound", "gradient", "one")
LIBRARIES = ("xgboost", "lightgbm", "catboost", "sklearn")

# Of the residual, in the units of targets whose spread goes from 0.3 to 370.
RESIDUAL = ("huber", "cauchy", "tukey", "absolute_error", "quantile 0.9")
COUNTS = ("poisson_deviance", "gamma_deviance")
MARGIN = ("binary_cross_entropy", "hinge", "savage", "focal")
ROWS = ("cross_entropy", "categorical_focal", "multiclass_hinge")

PACKAGES = ("xgboost", "lightgbm", "catboost", "scikit-learn")
# A test loss so many times that of the constant is more than overfitting.
EXPLODED = 3.0
# What has exploded counts as so many times the best, in means.
LARGEST = 1e3

PAGE = """# The curvature of a loss

A boosting library moves a leaf by minus the sum of gradients over the sum of curvatures. With
second derivatives that is Newton's step, which is right near a minimum of a convex loss. A robust
loss is flat or bent the other way far from the target, where Newton's step goes anywhere: a model
with Huber's loss and exact curvatures can explode. An objective of a bridge takes its curvature by
one of these rules:

| rule | curvature of a row | meaning |
|---|---|---|
| `exact` | the second derivative | Newton's step |
| `bound` | of a parabola that touches the loss and lies above it | the loss of a row never grows |
| `gradient` | the greater of second derivative and gradient | no row asks for a step above 1 |
| `one` | 1 | gradient descent, in the units of the loss |
| `auto` | chosen by what the loss claims | see below |

The parabola is that of `curvature_bound`, where the author of the loss gives it, and else has the
curvature (l'(r) - l'(-r)) / 2r, which touches the loss at r and -r. At a kink it is infinitely
narrow: there r is replaced by the root of r² + s², where s is the size of a typical residual, as in
XGBoost's own absolute error from release 3.4 on.

## What `auto` chooses

- For softmax cross-entropy, the library's own: 2 p (1 - p) in XGBoost, K / (K - 1) p (1 - p) in
  LightGBM, the whole matrix in CatBoost, p (1 - p) in scikit-learn. Then trees are the same as
  with the library's own objective.
- For losses of the residual: `exact` if they claim to be strongly convex, and else `bound`.
- For convex, twice smooth losses with a bounded second derivative, such as the logistic loss:
  `exact`.
- For the rest, such as hinge, focal and deviances: `gradient`. A row on the flat side of a kink of
  the margin has the curvature of a parabola around the kink.
- In HistGradientBoosting, for losses of the residual with a kink: `one`, with leaves that minimise
  the loss of their residuals.

## How it was chosen

Each loss was trained in each library with each rule: 100 rounds at the library's defaults, on
diabetes, friedman1, friedman2 and friedman3 with a tenth of outliers, counts, breast cancer, wine,
iris and digits. Seeds draw the halves for training and test, and the outliers:
{seeds}.
The test loss, without outliers, is divided by that of the constant start. Tried:
{releases}.

"Beside the best" is the geometric mean of a rule's test loss over that of the best rule for the
same data and seed, so that 1.00 would be the best rule each time. "Exploded" counts test losses
above three times that of the constant; below it, but above the constant, a model overfits.
`exact` and `bound` have fewer trainings, since they have no meaning for some losses.

{summary}

By loss, the mean relative to the best, and in brackets the worst test loss over that of the
constant:

{by_loss}

`auto` of HistGradientBoosting is with leaves refitted, where the loss has a kink.
`scripts/study_curvature.py` runs the study again, and writes this page.
"""

# Test losses by rule, for each loss, data set, library and seed.
Results: TypeAlias = dict[tuple[str, str, str, str], dict[str, float]]


class Case(NamedTuple):
    """A loss and a data set."""

    loss: str
    data: str


def cases() -> Iterator[Case]:
    """Yield every loss with the data sets that fit it."""
    numbers = ("diabetes", "friedman1", "friedman2", "friedman3")
    for losses, sets in (
        (RESIDUAL, numbers),
        (COUNTS, ("diabetes", "counts1")),
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
    """Return features, targets and where these are not outliers, a tenth of made ones."""
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
    begin = best_constant(loss, y[train], classes=int(y.max()) + 1 if of.loss.takes_rows else None)
    constant = of.mean(np.broadcast_to(begin, (len(test), *np.shape(begin))), y[test])
    try:
        refuse_dead_start(of, begin, y[train], None)
    except LossfwError:
        # A loss so narrow that no row is near the start; the bridge says so.
        return None
    try:
        raw = raw_predictions(library, loss, rule, x[train], y[train], x[test])
        return of.mean(raw, y[test]) / constant
    except Exception:
        # A training that diverges, in the words of one library or another.
        return float("inf")


def run(path: Path, seeds: Iterable[int], libraries: Iterable[str]) -> None:
    """Write the results that are not there yet, a line each."""
    # First of all: threads of libraries that come in later are not limited.
    for module in ("catboost", "lightgbm", "sklearn.ensemble", "xgboost"):
        importlib.import_module(module)
    known = {tuple(row[:5]) for row in rows(path)}
    with path.open("a", newline="") as file, threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        writer = csv.writer(file)
        for seed in seeds:
            for case in cases():
                for library in libraries:
                    for rule in RULES:
                        key = (*case, library, rule, str(seed))
                        if key in known:
                            continue
                        if rule == "auto" and library_rule(case, library) in RULES:
                            continue  # what that rule gives
                        found = measured(case, library, rule, seed)
                        if found is not None:
                            writer.writerow([*key, f"{found:.6g}"])
                            file.flush()


def library_rule(case: Case, library: str) -> str:
    """Return the rule that "auto" is for a loss; another word where the library has its own."""
    rule = derivatives(spec(case.loss)).rule
    refit = library == "sklearn" and rule == "bound" and may_have_kinks(as_loss(spec(case.loss)))
    return "refit" if refit else rule


def rows(path: Path) -> list[list[str]]:
    """Return the results so far."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.reader(file))


def page(path: Path) -> str:
    """Return the page of the documentation."""
    found: Results = defaultdict(dict)
    for loss, data, library, rule, seed, test in rows(path):
        found[loss, data, library, seed][rule] = float(test)
    for (loss, data, library, _), of in found.items():
        same = library_rule(Case(loss, data), library)
        if same in of:
            of["auto"] = of[same]
    seeds = ", ".join(
        f"{name} {len({s for _, _, library, s in found if library == name})}" for name in LIBRARIES
    )
    releases = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    summary = markdown_table(
        ("rule", "trainings", "relative to the best", "worse than the constant", "exploded"),
        [_summary(rule, found) for rule in RULES],
    )
    by_loss = markdown_table(("loss", "library", "seeds", *RULES), list(_by_loss(found)))
    return PAGE.format(seeds=seeds, releases=releases, summary=summary, by_loss=by_loss)


def _relative(rule: str, trainings: Iterable[dict[str, float]]) -> list[float]:
    """Return the test losses of a rule over those of the best rule for the same data."""
    return [min(of[rule] / max(min(of.values()), 1e-12), LARGEST) for of in trainings if rule in of]


def _mean(numbers: list[float]) -> float:
    return math.exp(sum(map(math.log, numbers)) / len(numbers))


def _summary(rule: str, found: Results) -> tuple[str, ...]:
    of = [training[rule] for training in found.values() if rule in training]
    relative = _mean(_relative(rule, found.values()))
    above = sum(test > 1.0 + 1e-6 for test in of)
    exploded = sum(not test <= EXPLODED for test in of)
    return rule, str(len(of)), f"{relative:.2f}", str(above), str(exploded)


def _by_loss(found: Results) -> Iterator[tuple[str, ...]]:
    """Yield a row for each loss and library: the mean relative to the best, and the worst test."""
    for loss in (*RESIDUAL, *COUNTS, *MARGIN, *ROWS):
        for library in LIBRARIES:
            here = {key: v for key, v in found.items() if (key[0], key[2]) == (loss, library)}
            seeds, of = len({seed for *_, seed in here}), list(here.values())
            cells = []
            for rule in RULES:
                relative = _relative(rule, of)
                worst = max((v[rule] for v in of if rule in v), default=0.0)
                cells.append(f"{_mean(relative):.2f} ({_short(worst)})" if relative else "")
            if any(cells):
                yield (f"`{loss}`", library, str(seeds), *cells)


def _short(test: float) -> str:
    return f"{test:.2f}" if test < 100 else "exploded"


def main() -> None:
    """Run the study, or write the page of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("results", type=Path)
    parser.add_argument("--page", type=Path)
    parser.add_argument("--seeds", type=int, nargs="*", default=range(SEEDS))
    parser.add_argument("--libraries", nargs="*", default=LIBRARIES, choices=LIBRARIES)
    given = parser.parse_args()
    if given.page is None:
        run(given.results, given.seeds, given.libraries)
    else:
        given.page.write_text(page(given.results))


if __name__ == "__main__":
    main()

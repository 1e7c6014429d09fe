"""Trainings with a loss beside the library's own objective, and what one call of it costs.

    python tests/benchmarks/bridges.py
    OMP_WAIT_POLICY=passive python tests/benchmarks/bridges.py --busy

Each ratio is that of the smallest times of some repetitions, in turn. Beside it stands that of
an objective of two lines of NumPy, which is the least that one from outside costs. On a busy
machine no training runs without interruption: --busy measures the trainings of XGBoost and
LightGBM by the processor time of the main thread, which takes its share of every parallel loop.
"""

import sys
import time

import catboost as cat
import lightgbm as lgb
import numpy as np
import xgboost as xgb

from lossfw.bridges import catboost, lightgbm, xgboost

REPETITIONS = 3
ROUNDS = 100
RNG = np.random.default_rng(0)
X = RNG.normal(size=(100_000, 20)).astype(np.float32)
Y = (X[:, 0] + np.sin(3 * X[:, 1]) + 0.3 * RNG.normal(size=100_000)).astype(np.float32)
LABEL = (Y > 0).astype(np.float32)
CLASS = np.digitize(Y, [-1.0, 0.0, 1.0]).astype(np.float32)
QUIET = {"verbosity": -1}
HALF = {"name": "squared_error", "factor": 0.5}

CLOCK = time.thread_time if "--busy" in sys.argv[1:] else time.perf_counter


def bare_squares(z, data):
    """Return the derivatives of the squared error."""
    return z - data.get_label(), np.ones_like(z)


def bare_logits(z, data):
    """Return the derivatives of binary cross-entropy."""
    p = 1 / (1 + np.exp(-z))
    return p - data.get_label(), p * (1 - p)


def bare_softmax(z, data):
    """Return the derivatives of cross-entropy, as XGBoost has them."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return p - np.eye(4, dtype=np.float32)[data.get_label().astype(int)], 2 * p * (1 - p)


# Loss, its derivatives in NumPy, the same objective of XGBoost and of LightGBM, target,
# parameters of the objective.
CASES = (
    (HALF, bare_squares, "reg:squarederror", "regression", Y, {}),
    ("binary_cross_entropy", bare_logits, "binary:logistic", "binary", LABEL, {}),
    ("cross_entropy", bare_softmax, "multi:softprob", "multiclass", CLASS, {"num_class": 4}),
)


def best(*functions, clock=time.perf_counter):
    """Return the smallest time of each function, in seconds."""
    times = np.full(len(functions), np.inf)
    for _ in range(REPETITIONS):
        for i, function in enumerate(functions):
            begun = clock()
            function()
            times[i] = min(times[i], clock() - begun)
    return times


def trainings():
    """Print the time of a training of 100,000 x 20 in 100 rounds, over that of the library's."""
    for loss, bare, theirs, lights, y, own in CASES:
        name = loss if isinstance(loss, str) else loss["name"]
        data = xgb.DMatrix(X, y)
        begun = xgboost.estimator_params(loss, y, classes=own.get("num_class"))
        ours, builtin, least = best(
            lambda data=data, loss=loss: xgboost.train(loss, {}, data, ROUNDS),
            lambda data=data, theirs=theirs, own=own: xgb.train(
                {"objective": theirs, **own}, data, ROUNDS
            ),
            lambda data=data, bare=bare, begun=begun: xgb.train(begun, data, ROUNDS, obj=bare),
            clock=CLOCK,
        )
        ratios = f"ratio {ours / builtin:.2f}, NumPy {least / builtin:.2f}"
        print(f"xgboost  {name:22s} {ours:6.2f} s {builtin:6.2f} s  {ratios}")
        ours, builtin = best(
            lambda y=y, loss=loss: lightgbm.train(loss, QUIET, lgb.Dataset(X, y), ROUNDS),
            lambda y=y, lights=lights, own=own: lgb.train(
                {"objective": lights, **QUIET, **own}, lgb.Dataset(X, y), ROUNDS
            ),
            clock=CLOCK,
        )
        print(f"lightgbm {name:22s} {ours:6.2f} s {builtin:6.2f} s  ratio {ours / builtin:.2f}")


def calls():
    """Print the time of one call for a row."""
    for rows in (1_000, 100_000, 1_000_000):
        y = RNG.normal(size=rows)
        for loss, target in (
            (HALF, y),
            ("huber", y),
            ("quantile", y),
            ("binary_cross_entropy", (y > 0).astype(float)),
        ):
            objective = xgboost.objective(loss)
            raw, wanted = RNG.normal(size=rows).astype(np.float32), target.astype(np.float32)
            (took,) = best(lambda o=objective, w=wanted, r=raw: o(w, r))
            name = loss if isinstance(loss, str) else loss["name"]
            print(f"call     {name:22s} {rows:9,d} rows {took / rows * 1e9:8.1f} ns a row")


def rows_of_catboost():
    """Print the time of one row of several classes, and of a training beside CatBoost's own."""
    for classes in (3, 10):
        z = RNG.normal(size=(1000, classes)).tolist()
        for loss in ("cross_entropy", "categorical_focal", "multiclass_hinge"):
            objective = catboost.objective(loss)

            def every(objective=objective, z=z):
                for row in z:
                    objective.calc_ders_multi(row, 1.0, 1.0)

            every()
            # Meanwhile a thread compiles.
            time.sleep(3.0)
            (took,) = best(every)
            print(f"catboost {loss}, {classes:2d} classes {took / 1000 * 1e6:6.1f} us a row")
    few = slice(0, 20_000)
    quiet = {"iterations": 20, "verbose": False, "allow_writing_files": False}
    ours, builtin = best(
        lambda: catboost.train("huber", quiet, cat.Pool(X[few], Y[few])),
        lambda: cat.CatBoost({**quiet, "loss_function": "Huber:delta=1"}).fit(X[few], Y[few]),
    )
    print(f"catboost huber {ours:6.2f} s {builtin:6.2f} s  ratio {ours / builtin:.2f}")


if __name__ == "__main__":
    rows_of_catboost()
    calls()
    trainings()

"""NDCG@10 of held-out queries: lambda_ndcg in XGBoost and LightGBM, and their own objectives.

Run: python tests/benchmarks/boosted_ranking.py [seeds]. It also prints the coverage of the 90 %
interval of a distribution that LightGBM was trained to predict.
"""

import sys

import lightgbm
import numpy as np
import xgboost

import lossfw
from lossfw.bridges import lightgbm as lightgbm_bridge
from lossfw.bridges import xgboost as xgboost_bridge

ROUNDS = 60
TREES = {"max_depth": 4, "eta": 0.1, "nthread": 1, "base_score": 0.0}
LEAVES = {"num_leaves": 15, "learning_rate": 0.1, "num_threads": 1, "verbosity": -1}


def queries(rng, count):
    """Return features, relevance and sizes; each query shifts its rows, which changes no order."""
    sizes = rng.integers(8, 40, count)
    group = np.repeat(np.arange(count), sizes)
    x = rng.normal(size=(len(group), 12))
    latent = x[:, 0] + np.sin(2 * x[:, 1]) + 0.5 * x[:, 2] * x[:, 3] + rng.normal(size=len(group))
    relevance = np.zeros(len(group))
    for q in range(count):
        rows = group == q
        cuts = np.quantile(latent[rows], [0.5, 0.75, 0.9, 0.97])
        relevance[rows] = np.searchsorted(cuts, latent[rows])
    return x + 0.3 * rng.normal(size=count)[group][:, None], relevance, sizes


def ndcg(scores, relevance, sizes, k=10):
    """Return the mean NDCG of the first k places, of groups with something relevant."""
    found = []
    for rows in np.split(np.arange(len(scores)), np.cumsum(sizes)[:-1]):
        gain = 2.0 ** relevance[rows] - 1
        discount = 1 / np.log2(np.arange(min(k, len(rows))) + 2)
        best = np.sort(gain)[::-1][:k] @ discount
        own = gain[np.argsort(-scores[rows], kind="stable")][:k] @ discount
        found.append(own / best if best else np.nan)
    return np.nanmean(found)


def scores_of(train, test):
    """Yield the name of a model and its scores of the test rows."""
    x, t, sizes = train
    data = xgboost.DMatrix(x, t)
    data.set_group(sizes)
    own = {**TREES, "objective": "rank:ndcg"}
    models = {
        "xgboost rank:ndcg": xgboost.train(own, data, ROUNDS),
        "xgboost lambda_ndcg": xgboost_bridge.train(
            "lambda_ndcg", {**TREES, "min_child_weight": 0.01, "lambda": 0.01}, data, ROUNDS
        ),
    }
    for name, model in models.items():
        yield name, model.predict(xgboost.DMatrix(test[0]), output_margin=True)
    data = lightgbm.Dataset(x, t, group=sizes)
    own = lightgbm.train({**LEAVES, "objective": "lambdarank"}, data, ROUNDS)
    yield "lightgbm lambdarank", own.predict(test[0], raw_score=True)
    data = lightgbm.Dataset(x, t, group=sizes)
    ours = lightgbm_bridge.train("lambda_ndcg", LEAVES, data, ROUNDS)
    yield "lightgbm lambda_ndcg", ours.predict(test[0], raw_score=True)


def coverage(rng):
    """Return the fraction of new targets within the predicted interval of 90 %."""
    x = rng.normal(size=(40_000, 4))
    y = np.exp(x[:, 0] + np.exp(0.5 * x[:, 1] - 1) * rng.normal(size=len(x)))
    half = len(x) // 2
    params = {**LEAVES, "min_data_in_leaf": 100}
    data = lightgbm.Dataset(x[:half], y[:half])
    # More rounds have a larger loss on the new rows.
    model = lightgbm_bridge.train("lognormal_nll", params, data, ROUNDS)
    columns = model.predict(x[half:], raw_score=True)
    low, high = lossfw.loss("lognormal_nll").quantiles(columns, [0.05, 0.95]).T
    return np.mean((y[half:] >= low) & (y[half:] <= high))


def main(seeds):
    """Print the table."""
    table = {}
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        train, test = queries(rng, 200), queries(rng, 150)
        for name, scores in scores_of(train, test):
            table.setdefault(name, []).append(ndcg(scores, test[1], test[2]))
    print(f"NDCG@10 of {seeds} seeds: mean, standard error")
    for name, values in table.items():
        print(f"  {name:24s} {np.mean(values):.4f} {np.std(values, ddof=1) / seeds**0.5:.4f}")
    print(f"coverage of 90 %: {coverage(np.random.default_rng(0)):.4f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 6)

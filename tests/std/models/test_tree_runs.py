"""Trainings from a configuration: the saved model gives the numbers of the history."""

import numpy as np
import pytest

import lossfw

N = 160
MODELS = {
    "xgboost": {"name": "xgboost", "max_depth": 3},
    "lightgbm": {"name": "lightgbm", "num_leaves": 6, "min_data_per_group": 5},
}
# The data, the loss and a metric.
TASKS = {
    "intervals of times": ({"targets_key": {"lower": "time", "upper": "upper"}}, "aft", []),
    "events": ({"targets_key": {"time": "time", "event": "event"}}, "cox", []),
    "ranking": ({"targets_key": "grade", "group_key": "query"}, "lambda_ndcg", ["ndcg"]),
    "mean and scale": ({"targets_key": "time"}, "crps_normal", []),
    "quantiles": ({"targets_key": "time"}, {"name": "multi_quantile", "levels": [0.1, 0.9]}, []),
}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Return a table with missing numbers and categories."""
    rng = np.random.default_rng(1)
    power, age, noise = rng.normal(size=(3, N))
    kind = rng.choice(["bus", "car", "lorry"], N)
    time = np.exp(0.5 * power + 0.3 * (kind == "bus") + 0.4 * noise)
    rows = ["power,age,kind,time,upper,event,grade,query"]
    for i in range(N):
        missing = "" if i % 9 == 0 else f"{age[i]:.6g}"
        upper = "inf" if i % 5 == 0 else f"{time[i]:.6g}"
        grade = int(power[i] + 0.5 * noise[i] > 0) + int(power[i] > 1)
        numbers = f"{time[i]:.6g},{upper},{int(i % 4 > 0)},{grade},{i // 8}"
        rows.append(f"{power[i]:.6g},{missing},{kind[i]},{numbers}")
    path = tmp_path_factory.mktemp("table") / "table.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", MODELS)
def test_a_run_of_the_saved_model_gives_the_last_numbers_of_the_history(
    name, task, table, tmp_path
):
    pytest.importorskip(name)
    data, loss, metrics = TASKS[task]
    inputs = {"inputs_key": ["power", "age", "kind"], "missing": "keep", "categories": ["kind"]}
    config = {
        "lossfw": 1,
        "data": {"name": "arrays", "file": str(table), **inputs, **data},
        "loss": loss,
        "evaluate": {"metrics": metrics},
    }
    trained = lossfw.train(
        {**config, "model": MODELS[name], "train": {"rounds": 3}}, out=tmp_path / "out"
    )
    history = trained.history
    # The pairs of a ranking count by the order of its round.
    first = 1 if task == "ranking" else 0
    assert history[-1].train.loss < history[first].train.loss
    (file,) = (path for path in (tmp_path / "out").glob("model.*") if path.suffix != ".json")
    run = lossfw.run({**config, "model": {**MODELS[name], "file": str(file)}})
    assert run.loss == history[-1].train.loss
    assert run.metrics == history[-1].train.metrics

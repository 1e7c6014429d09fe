"""The page about MLflow against a real local store."""

import subprocess
import sys
from pathlib import Path

import pytest

from support.run_pages import blocks

PAGE = Path(__file__).parents[2] / "docs/how-to/mlflow.md"


def test_runs_and_epochs_arrive(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    for block in blocks(PAGE):
        if block.file:
            (tmp_path / block.file).write_text(block.body)
    store = (tmp_path / "store").as_uri()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    commands = [
        ["train", "digits.yaml", "--out", "trained"],
        ["run", "digits.yaml", "-o", "network.weights=trained/weights.npz", "--out", "evaluated"],
    ]
    for command in commands:
        done = subprocess.run(
            [sys.executable, "-m", "lossfw", *command], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert "failed and is not called again" not in done.stderr
    client = mlflow.MlflowClient(store)
    evaluated, trained = client.search_runs(["0"], order_by=["attributes.start_time DESC"])
    losses = client.get_metric_history(trained.info.run_id, "held_out.loss")
    assert [metric.step for metric in losses] == [0, 1, 2]
    assert losses[-1].value < losses[0].value
    assert 0 < evaluated.data.metrics["accuracy"] < 1
    assert evaluated.data.params["loss"].startswith("CrossEntropy")
    names = {file.path for file in client.list_artifacts(evaluated.info.run_id)}
    assert {"metrics.json", "run.json"} <= names

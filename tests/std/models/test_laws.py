"""Built-in models are held to the laws of models, where rows and columns are sampled too."""

from pathlib import Path

import pytest

from lossfw.check import check
from lossfw.components.registry import registry

HERE = Path(__file__).parent

MODELS = {
    "xgboost": {"subsample": 0.7, "colsample_bytree": 0.7},
    "lightgbm": {"bagging_fraction": 0.7, "bagging_freq": 1, "feature_fraction": 0.7},
    "catboost": {"rsm": 0.7},
    "torch": {"module": f"{HERE / 'net.py'}:Net", "arguments": {"width": 4}},
    "keras": {"module": f"{HERE / 'keras_net.py'}:build", "arguments": {"width": 4}},
    "sklearn": {"estimator": {"name": "sklearn.ensemble.RandomForestRegressor", "n_estimators": 5}},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_a_model_keeps_the_laws(name, monkeypatch):
    if name == "keras":
        pytest.importorskip("torch")
        monkeypatch.setenv("KERAS_BACKEND", "torch")
    pytest.importorskip("skops" if name == "sklearn" else name)
    check(registry().create("model", {"name": name, **MODELS[name]})).raise_if_refuted()


@pytest.mark.slow
def test_a_saved_model_keeps_the_laws_of_predictions():
    pytest.importorskip("xgboost")
    file = HERE.parents[1] / "data" / "models" / "tweedie.ubj"
    report = check(registry().create("model", {"name": "xgboost", "file": file}), only=["model"])
    report.raise_if_refuted()

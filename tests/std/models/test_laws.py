"""Built-in models are held to the laws of models, at their last sample or at one of ours."""

from pathlib import Path

import pytest

from lossfw.check import check
from lossfw.components.registry import registry

HERE = Path(__file__).parent

# Networks have no sample: their modules are the user's.
NETWORKS = {
    "torch": {"module": f"{HERE / 'net.py'}:Net", "arguments": {"width": 4}},
    "keras": {"module": f"{HERE / 'keras_net.py'}:build", "arguments": {"width": 4}},
}
LIBRARIES = ("xgboost", "lightgbm", "catboost", "hist_gradient_boosting", "sklearn")


@pytest.mark.slow
@pytest.mark.parametrize("name", [*LIBRARIES, *NETWORKS])
def test_a_model_keeps_the_laws(name, monkeypatch):
    if name == "keras":
        pytest.importorskip("torch")
        monkeypatch.setenv("KERAS_BACKEND", "torch")
    cls = registry().class_of(registry().resolve("model", name))
    pytest.importorskip(cls.library)
    if name in ("hist_gradient_boosting", "sklearn"):
        pytest.importorskip("skops")
    model = cls(**NETWORKS[name]) if name in NETWORKS else cls._sample_components()[-1]
    check(model).raise_if_refuted()


@pytest.mark.slow
def test_a_saved_model_keeps_the_laws_of_predictions():
    pytest.importorskip("xgboost")
    file = HERE.parents[1] / "data" / "models" / "tweedie.ubj"
    skipped = ["reported_outputs", "legs", "seed", "refusal", "accepted_inputs"]
    model = registry().create("model", {"name": "xgboost", "file": file})
    check(model, skip=[f"model:{law}" for law in skipped]).raise_if_refuted()

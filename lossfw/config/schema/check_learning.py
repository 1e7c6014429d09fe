"""Check the section `train` against how the model learns."""

from __future__ import annotations

from collections.abc import Mapping

from lossfw.config.schema.checked import CheckedConfig

# The keys that mean something for every model.
_ALWAYS = frozenset({"hold_out", "force"})
# By how a model learns, the keys that mean something besides.
_KEYS: Mapping[str, frozenset[str]] = {
    "rounds": frozenset({"rounds", "measure"}),
    "epochs": frozenset({"epochs", "measure", "batch_size", "schedule"}),
    "once": frozenset(),
}
# Those of dense layers.
_OF_LAYERS = _KEYS["epochs"] | {"optimizer", "initial"}


def keys_of_training(config: CheckedConfig) -> frozenset[str]:
    """Return the keys of the section `train` that mean something for the model."""
    if config.has("network"):
        return _ALWAYS | _OF_LAYERS
    learns = None if config.model is None else config.model.learns
    return _ALWAYS | _KEYS[learns or "once"]


def check_learning(config: CheckedConfig, *, training: bool = False) -> None:
    """Record keys of the section `train` that are missing, or have no meaning for the model."""
    node, model = config.root.find(["train"]), config.model
    if node is None or not isinstance(node.value, dict):
        return
    if config.has("model") and (model is None or config.has("network")):
        return  # the model is wrong itself, or not alone
    if model is not None and model.learns is None:
        if training:
            what = f"the model {model.name} makes predictions, and does not learn"
            config.add(["model"], what, "take one that learns, such as xgboost, or leave train out")
        return
    name, learns = ("a network", "epochs") if model is None else (model.name, str(model.learns))
    how = "in one step" if learns == "once" else f"in {learns}"
    given = {key for key, one in node.value.items() if one.value is not None}
    for key in sorted(given & (_OF_LAYERS | _KEYS["rounds"]) - keys_of_training(config)):
        what = f"train.{key} has no meaning for {name}, which learns {how}"
        config.add(["train", key], what, _mend(config, key, learns), key=True)
    needed = ["epochs", "optimizer"] if model is None else [learns] if learns != "once" else []
    for key in needed:
        counts = key in ("rounds", "epochs")
        if not config.has("train", key) and not (counts and given & {"rounds", "epochs"}):
            hint = f"write how many {key} {name} learns: {key}: 100" if model is not None else ""
            config.add(["train", key], f"train.{key} is missing", hint, key=True)


def _mend(config: CheckedConfig, key: str, learns: str) -> str:
    if key in ("rounds", "epochs") and learns != "once":
        return f"write {learns}"
    if key == "optimizer" and config.model is not None:
        fields = [one for one in ("optimizer", "learning_rate") if one in config.model.parameters]
        if fields:
            return f"leave it out: {' and '.join(fields)} of {config.model.name} stand in model"
    return "leave it out"

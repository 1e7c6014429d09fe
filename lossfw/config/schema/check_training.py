"""Check the section `train`: how the model learns, and what is held out."""

from __future__ import annotations

from collections.abc import Mapping

from lossfw.config.schema.checked import CheckedConfig

# The keys that mean something for every model.
_ALWAYS = frozenset({"hold_out", "allow_untrainable"})
# By how a model learns, the keys that mean something besides.
_KEYS: Mapping[str, frozenset[str]] = {
    "rounds": frozenset({"rounds", "measure_every"}),
    "epochs": frozenset({"epochs", "measure_every", "batch_size", "schedule"}),
    "once": frozenset(),
}
# Those of dense layers.
_OF_LAYERS = _KEYS["epochs"] | {"optimizer", "initializer"}
_HOLD_OUT = ["train", "hold_out"]
# What can be held out: a fraction of the data, rows of their own, or one fold after the other.
_FORMS = ("fraction", "data", "folds")
# Keys that say which rows of the data are held out together.
_OF_ROWS = ("keep_together", "stratify")
# Keys that say how folds roll through time, and all keys of folds alone.
_OF_TIME = ("gap", "window")
# Those that split the rows anew.
_REPEATS = ("repeats", "repeat")
_OF_FOLDS = ("fold", *_REPEATS, "time", *_OF_TIME)


def keys_of_training(config: CheckedConfig) -> frozenset[str]:
    """Return the keys of the section `train` that apply to the model."""
    if config.has_value("network"):
        return _ALWAYS | _OF_LAYERS
    mode = None if config.model is None else config.model.training_mode
    return _ALWAYS | _KEYS[mode or "once"]


def check_learning(config: CheckedConfig, *, training: bool = False) -> None:
    """Record keys of the section `train` that are missing, or do not apply to the model."""
    node, model = config.root.find(["train"]), config.model
    if node is None or not isinstance(node.value, dict):
        return
    if config.has_value("model") and (model is None or config.has_value("network")):
        return  # the model is wrong itself, or not alone
    if model is not None and model.training_mode is None:
        if training:
            what = f"the model {model.name} makes predictions, but cannot be trained"
            config.add(
                ["model"],
                what,
                "choose a model that can be trained, such as xgboost, or leave train out",
            )
        return
    name, mode = "a network", "epochs"
    if model is not None:
        name, mode = model.name, str(model.training_mode)
    how = "in one step" if mode == "once" else f"in {mode}"
    given = {key for key, one in node.value.items() if one.value is not None}
    for key in sorted(given & (_OF_LAYERS | _KEYS["rounds"]) - keys_of_training(config)):
        what = f"train.{key} cannot be used with {name}, which is trained {how}"
        config.add(["train", key], what, _unused_key_hint(config, key, mode), key=True)
    needed = ["epochs", "optimizer"] if model is None else [mode] if mode != "once" else []
    for key in needed:
        counts = key in ("rounds", "epochs")
        if not config.has_value("train", key) and not (counts and given & {"rounds", "epochs"}):
            hint = (
                f"write the number of {key} of {name}, such as {key}: 100"
                if model is not None
                else ""
            )
            config.add(["train", key], f"train.{key} is missing", hint, key=True)


def _unused_key_hint(config: CheckedConfig, key: str, mode: str) -> str:
    if key in ("rounds", "epochs") and mode != "once":
        return f"write {mode}"
    if key == "optimizer" and config.model is not None:
        fields = [one for one in ("optimizer", "learning_rate") if one in config.model.parameters]
        if fields:
            return f"leave it out: {' and '.join(fields)} of {config.model.name} are keys of model"
    return "leave it out"


def check_hold_out(config: CheckedConfig) -> bool:
    """Check that exactly one form is given, with keys that apply to it."""
    node = config.root.find(_HOLD_OUT)
    if node is None or not isinstance(node.value, dict):
        return True
    values = {key: child.value for key, child in node.value.items() if child.value is not None}
    given = [key for key in _FORMS if key in values]
    if len(given) != 1:
        got = f"got {' and '.join(given)}" if given else "none of them is given"
        what = f"train.hold_out should have one of {', '.join(_FORMS)}; {got}"
        hint = f"leave one of them out, as -o train.hold_out.{given[0]}-" if given else ""
        config.add(_HOLD_OUT, what, hint, key=True)
        return False
    idle = [key for key in _OF_ROWS if key in values and given == ["data"]]
    idle += [key for key in _OF_FOLDS if key in values and given != ["folds"]]
    told = set(idle)
    for key in idle:
        what = f"train.hold_out.{key} cannot be used with {given[0]}"
        hint = "leave it out" if key in _OF_ROWS else "write folds: 5 instead"
        config.add([*_HOLD_OUT, key], what, hint, key=True)
    if "time" in values:
        idle += [key for key in ("stratify", *_REPEATS) if key in values]
        beside, hint = "time, which alone determines what a fold holds out", "leave it out"
    else:
        idle += [key for key in _OF_TIME if key in values and key not in idle]
        beside, hint = "folds without time", "name the column with the time, as in time: column.day"
    for key in [key for key in idle if key not in told]:
        config.add(
            [*_HOLD_OUT, key],
            f"train.hold_out.{key} cannot be used with {beside}",
            hint,
            key=True,
        )
    folds, fold = values.get("folds"), values.get("fold")
    if isinstance(folds, int) and isinstance(fold, int) and fold >= folds > 1:
        what = f"train.hold_out.fold should be from 0 to {folds - 1}, got {fold}"
        config.add([*_HOLD_OUT, "fold"], what, "folds are counted from 0")
        return False
    return not idle

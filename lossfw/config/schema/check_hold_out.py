"""Check the keys of `train.hold_out` against each other."""

from __future__ import annotations

from lossfw.config.schema.checked import CheckedConfig

_PATH = ["train", "hold_out"]
# What can be held out: a share of the data, rows of their own, or one fold after the other.
_FORMS = ("share", "data", "folds")
# Keys that say which rows of the data are held out together.
_OF_ROWS = ("groups", "stratify")


def check_hold_out(config: CheckedConfig) -> bool:
    """See that one of the forms is given, with keys that have a meaning beside it."""
    node = config.root.find(_PATH)
    if node is None or not isinstance(node.value, dict):
        return True
    values = {key: child.value for key, child in node.value.items() if child.value is not None}
    given = [key for key in _FORMS if key in values]
    if len(given) != 1:
        got = f"got {' and '.join(given)}" if given else "none of them is given"
        what = f"train.hold_out should have one of {', '.join(_FORMS)}; {got}"
        hint = f"leave one of them out, as -o train.hold_out.{given[0]}-" if given else ""
        config.add(_PATH, what, hint, key=True)
        return False
    idle = [key for key in _OF_ROWS if key in values and given == ["data"]]
    idle += ["fold"] if "fold" in values and given != ["folds"] else []
    for key in idle:
        what = f"train.hold_out.{key} has no meaning beside {given[0]}"
        hint = "write folds: 5 in its place" if key == "fold" else "leave it out"
        config.add([*_PATH, key], what, hint, key=True)
    folds, fold = values.get("folds"), values.get("fold")
    if isinstance(folds, int) and isinstance(fold, int) and fold >= folds > 1:
        what = f"train.hold_out.fold should be from 0 to {folds - 1}, got {fold}"
        config.add([*_PATH, "fold"], what, "folds are counted from 0")
        return False
    return not idle

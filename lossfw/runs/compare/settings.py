"""Settings of runs by dotted keys, and the keys in which runs differ."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lossfw.config.schema.checked import read_config
from lossfw.config.text.source import ConfigSource
from lossfw.errors import ConfigError, DataError

# The value of a key that is not set.
UNSET = None

_NUMBERS = (int, float)

# Where a model lies: its digest, which is among the surroundings, says whether it is another.
MODEL_FILES = ("model.file", "model.folder")
# Keys that do not change the result.
_WITHOUT_EFFECT = ("evaluate.batch_size", "evaluate.save_rows", "evaluate.columns", *MODEL_FILES)


def read_settings(path: Path) -> Any:
    """Return the configuration of a run as plain mappings and lists."""
    try:
        config = read_config(ConfigSource(str(path)))
        config.problems.raise_if_any()
    except ConfigError as error:
        raise DataError(f"{path} was not written by a run: {error}") from None
    return config.root.to_plain()


def flatten_settings(value: Any, key: str = "") -> dict[str, Any]:
    """Return every value of nested mappings and lists by its dotted key.

    Examples
    --------
    >>> metrics = ["mae", {"name": "r2"}]
    >>> flatten_settings({"loss": {"name": "huber", "delta": 1.0}, "metrics": metrics})
    {'loss': 'huber', 'loss.delta': 1.0, 'metrics.0': 'mae', 'metrics.1': 'r2'}
    >>> flatten_settings({"loss": "huber", "bins": [0.5, 0.9]})
    {'loss': 'huber', 'bins': [0.5, 0.9]}
    """
    if isinstance(value, Mapping) and value:
        # The key of a component holds its name, and the keys below it its parameters.
        pairs = [("" if key and n == "name" else str(n), item) for n, item in value.items()]
    elif isinstance(value, list) and value and not all(isinstance(x, _NUMBERS) for x in value):
        pairs = [(str(index), item) for index, item in enumerate(value)]
    else:
        return {key: value}
    values: dict[str, Any] = {}
    for name, item in pairs:
        values |= flatten_settings(item, f"{key}.{name}".strip("."))
    return values


def differing_settings(settings: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return the keys in which runs differ, with the value of each run."""
    keys = dict.fromkeys(key for one in settings for key in one)
    table = {key: [one.get(key, UNSET) for one in settings] for key in keys}
    return {
        key: values
        for key, values in table.items()
        # Compared as texts, since NaN does not equal itself.
        if len(set(map(repr, values))) > 1
        and not any(f"{key}.".startswith(f"{one}.") for one in _WITHOUT_EFFECT)
    }


def environment_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return other causes of a result: versions, weights or model, state of git."""
    values = {key: record.get(key) for key in ("lossfw", "python", "numpy", "platform")}
    for plugin in record.get("plugins") or ():
        values[f"plugin {plugin.get('name')}"] = plugin.get("version")
    git = record.get("git")
    if isinstance(git, Mapping):
        values["git"] = str(git.get("commit", ""))[:12] + (
            " with changes" if git.get("dirty") else ""
        )
    model = record.get("model") or {}
    if record.get("weights"):
        values["model" if model else "weights"] = str(record["weights"])[:12]
    if model.get("library"):
        values["library"] = model["library"]
    return values


def format_setting(value: Any) -> str:
    """Return a setting as a string for a table.

    Examples
    --------
    >>> [format_setting(value) for value in (None, True, 1e-7, "huber", [1, 2], {})]
    ['-', 'true', '1e-07', 'huber', '[1, 2]', '{}']
    """
    if value is None:
        return "-"
    return str(value).lower() if isinstance(value, bool) else str(value)


def format_settings(values: Sequence[Any]) -> list[str]:
    """Return the values of a setting as strings; absolute paths without their common folders.

    Examples
    --------
    >>> format_settings(["/home/me/a/w.npz", "/home/me/b/w.npz"]), format_settings([0.5, None])
    (['a/w.npz', 'b/w.npz'], ['0.5', '-'])
    """
    texts = [format_setting(value) for value in values]
    paths = [Path(value) for value in values if isinstance(value, str)]
    if len(paths) < len(values) or not all(path.is_absolute() for path in paths):
        return texts
    shared = os.path.commonpath([path.parent for path in paths])
    return [path.relative_to(shared).as_posix() for path in paths]

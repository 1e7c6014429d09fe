"""The folder of a training in place of a configuration: its model, on its data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from lossfw.config.schema.checked import read_config
from lossfw.config.text.source import ConfigSource
from lossfw.errors import ArgumentError

_CONFIG_FILE, _FIRST_FOLD, _RECORD_FILE = "config.yaml", "fold=0", "run.json"


def evaluation_of_folder(name: str, overrides: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return file and overrides that evaluate the model in a folder; for a file, unchanged.

    The data are those of the training, unless the given overrides name others.
    """
    folder = Path(name)
    if not folder.is_dir():
        return name, tuple(overrides)
    if (folder / _FIRST_FOLD).is_dir():
        raise ArgumentError(
            f"{name} holds the folds of a training: evaluate the model of one of them, as in "
            f"lossfw run {name}/{_FIRST_FOLD}. lossfw report {name} shows the rows that they held "
            "out."
        )
    if (folder / _RECORD_FILE).is_file():
        raise ArgumentError(
            f"{name} is the folder of a run: lossfw rerun {name} repeats it, and lossfw run "
            f"{name}/{_CONFIG_FILE} carries out its configuration."
        )
    if not (folder / _CONFIG_FILE).is_file():
        raise ArgumentError(
            f"{name} is a folder without {_CONFIG_FILE}: give a YAML file, or the FOLDER of "
            "`lossfw train FILE --out FOLDER`, whose model is evaluated."
        )
    model = json.dumps({"name": "trained", "folder": str(folder.absolute())}, ensure_ascii=False)
    root = read_config(ConfigSource(str(folder / _CONFIG_FILE))).root
    # What a training has in place of the model that it has made.
    removed = [f"{key}-" for key in ("network", "train") if root.find([key]) is not None]
    return str(folder / _CONFIG_FILE), (*removed, f"model={model}", *overrides)

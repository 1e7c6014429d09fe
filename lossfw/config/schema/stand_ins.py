"""Stand-in models: `trained` for the model of a training, `dense` for a network."""

from __future__ import annotations

import json
from pathlib import Path

from lossfw.config.text.overrides import with_value, without_key
from lossfw.config.text.source import ConfigSource, read_tree
from lossfw.config.text.tree import Node, Problems
from lossfw.errors import ConfigError, DataError
from lossfw.models.card import CARD_FILE, Card
from lossfw.models.dense import DenseNetwork
from lossfw.models.trained import TrainedModel

# What a training writes to its folder: its configuration, and the weights of dense layers.
_CONFIG_FILE = "config.yaml"
_FIRST_FOLD = "fold=0"
_WEIGHTS_FILE = "weights.npz"
_STATUS_FILE, _DONE = "status", "done"
# Parameters that may be written next to the folder: how its file is read.
_ALSO = frozenset({"card", "output_activation"})


def expand_stand_ins(root: Node, problems: Problems) -> Node:
    """Return a configuration with the model that `trained` or `dense` stands for.

    `dense` becomes the section `network`, and keeps its digest.
    """
    if root.find(["network"]) is not None:
        return root  # both together are a mistake
    root = _expand_trained(root, problems)
    model, layers = root.find(["model"]), root.find(["model", "layers"])
    name = root.find(["model", "name"])
    if model is None or layers is None or name is None or name.value != DenseNetwork.name:
        return root
    section = without_key(model, "name")
    file = section.child("file")
    if file is not None:
        section = with_value(without_key(section, "file"), ["weights"], file, model.keys["file"])
    return with_value(without_key(root, "model"), ["network"], section, root.keys["model"])


def _expand_trained(root: Node, problems: Problems) -> Node:
    name, folder = root.find(["model", "name"]), root.find(["model", "folder"])
    if name is None or name.value != TrainedModel.name or folder is None:
        return root
    keys = root.value["model"].value.keys() - {"name", "folder"}
    if not isinstance(folder.value, str) or keys - _ALSO:
        return root  # the check of the component says what is wrong
    where = folder.at.origin.folder.absolute() / folder.value
    if (where / _FIRST_FOLD).is_dir():
        problems.add(
            folder.at,
            f"{where} holds the folds of a training, which have a model each",
            f"name one of them: folder: {folder.value}/{_FIRST_FOLD}",
        )
        raise problems.error()
    if not (where / _CONFIG_FILE).is_file():
        problems.add(
            folder.at,
            f"{where} is not a training folder: it has no {_CONFIG_FILE}",
            "name the FOLDER of `lossfw train FILE --out FOLDER`",
        )
        raise problems.error()
    written = _read_training_config(where, folder, problems)
    key = "network" if written.find(["network"]) is not None else "model"
    if key == "network":
        for also in sorted(keys):
            at = root.value["model"].keys[also]
            problems.add(at, f"the training in {where} is that of a network, which takes no {also}")
            raise problems.error()
        file = where / _WEIGHTS_FILE
    elif "card" in keys:
        file = where / _file_of_card(where)
    else:
        file = where / _model_file(where, folder, problems)
    if not file.is_file() or not _is_complete(where):
        lacks = f"its {_STATUS_FILE} is not {_DONE}" if file.is_file() else f"it has no {file.name}"
        problems.add(
            folder.at,
            f"{where} holds an unfinished training: {lacks}",
            "continue it: lossfw train FILE --out FOLDER --resume",
        )
        raise problems.error()
    parameter = "weights" if key == "network" else "file"
    value = Node(str(file), folder.at)
    made = with_value(written.find([key]), [parameter], value, folder.at)
    for also in sorted(keys):
        node = root.value["model"]
        made = with_value(made, [also], node.value[also], node.keys[also])
    return with_value(without_key(root, "model"), [key], made, root.keys["model"])


def _is_complete(folder_path: Path) -> bool:
    """Tell whether the files of a training are of one training; an older lossfw has no status."""
    try:
        return (folder_path / _STATUS_FILE).read_text(errors="replace").strip() == _DONE
    except OSError:
        return not (folder_path / _STATUS_FILE).exists()


def _read_training_config(folder_path: Path, folder: Node, problems: Problems) -> Node:
    """Return the configuration of the training."""
    try:
        return read_tree(ConfigSource(str(folder_path / _CONFIG_FILE)), Problems())
    except ConfigError as error:
        for problem in error.problems:
            problems.add(folder.at, f"{problem.where}: {problem.message}", problem.hint)
        raise problems.error() from None


def _model_file(folder_path: Path, folder: Node, problems: Problems) -> str:
    """Return the name of the file that the card of a training is of."""
    try:
        card = Card.read(folder_path / CARD_FILE)
    except DataError as error:
        problems.add(folder.at, str(error).removesuffix("."))
        raise problems.error() from None
    # Without a card the training has not ended.
    return CARD_FILE if card is None else Path(card.file).name


def _file_of_card(folder_path: Path) -> str:
    """Return the name of the file that a card names, which may be damaged otherwise."""
    try:
        return Path(json.loads((folder_path / CARD_FILE).read_bytes())["file"]).name
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return CARD_FILE

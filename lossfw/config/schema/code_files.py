"""The files that a configuration would execute: whether this is allowed, and what they offer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lossfw.components.registry import Registry
from lossfw.config.schema.checked import CheckedConfig
from lossfw.config.schema.section_types import MAX_ITEMS
from lossfw.config.text.reading import find_file
from lossfw.config.text.tree import Node
from lossfw.errors import PluginError
from lossfw.models import Model


def registry_with_plugins(config: CheckedConfig) -> tuple[Registry, bool]:
    """Return the registry with the configuration's plugin files, and whether it has all of them."""
    plugins = config.source.plugins
    node = config.root.find(["plugins"])
    items = node.value if node is not None and isinstance(node.value, list) else []
    if len(items) > MAX_ITEMS:
        return plugins.registry(), False
    names = [item for item in items if isinstance(item.value, str) and item.value]
    located = [(item, find_file(item, config.problems)) for item in names]
    there = [(item, path) for item, path in located if path is not None]
    config.files |= {("plugins", items.index(item)): str(path) for item, path in there}
    there = _select_importable(config, there)
    try:
        return plugins.registry([path for _, path in there]), len(there) == len(names)
    except PluginError:
        wrong = _import_errors(there)
        if not wrong:
            raise
        for item, reason in wrong.values():
            config.problems.add(item.at, reason)
        return plugins.registry([path for _, path in there if path not in wrong]), False


def _import_errors(files: Sequence[tuple[Node, Path]]) -> dict[Path, tuple[Node, str]]:
    """Return the plugin files that cannot be used, each with the reason."""
    reasons = {}
    for item, path in files:
        try:
            Registry.discover(local=[path], plugins=False)
        except PluginError as error:
            reasons[path] = (item, str(error))
    return reasons


def _select_importable(
    config: CheckedConfig, files: Sequence[tuple[Node, Path]]
) -> list[tuple[Node, Path]]:
    """Return the plugin files that may be imported, and record the others as mistakes."""
    plugins, admitted = config.source.plugins, []
    for item, path in files:
        if plugins.admits(path):
            admitted.append((item, path))
            continue
        yes = f"give --plugin {item.value}" + (", or --trust" if plugins.installed else "")
        config.problems.add(
            item.at,
            f"the plugin file {item.value!r} is not imported: that would execute it"
            if plugins.installed
            else f"the plugin file {item.value!r} is not loaded because of --no-plugins",
            f"if you trust the file, {yes}",
            unchecked=True,
        )
    return admitted


def check_model_files(config: CheckedConfig, model: Model) -> bool:
    """Tell whether the files that a model executes are allowed, and record those that are not.

    Call it before the model is loaded.
    """
    admitted = True
    for parameter, file in model.code_files().items():
        if config.source.plugins.admits(file):
            continue
        admitted = False
        config.add(
            ["model", parameter],
            f"the file {file.name!r} is not read: that would execute its code"
            if config.source.plugins.installed
            else f"the file {file.name!r}, which can execute code, is not loaded because of "
            "--no-plugins",
            "if you trust the file, give --trust" if config.source.plugins.installed else "",
            unchecked=True,
        )
    return admitted

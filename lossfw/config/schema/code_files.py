"""The files that a configuration would execute, and whether they may be executed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lossfw.config.schema.checked import CheckedConfig, ConfigPath
from lossfw.config.text.tree import Node
from lossfw.models import Model


def importable(
    config: CheckedConfig, there: Sequence[tuple[Node, Path]]
) -> list[tuple[Node, Path]]:
    """Return the plugin files that may be imported, and record the others as mistakes."""
    plugins, admitted = config.source.plugins, []
    for item, path in there:
        if plugins.admits(path):
            admitted.append((item, path))
            continue
        yes = f"give --plugin {item.value}" + (", or --trust" if plugins.installed else "")
        config.problems.add(
            item.at,
            f"the plugin file {item.value!r} is not imported: that would execute it"
            if plugins.installed
            else f"the plugin file {item.value!r} is left out by --no-plugins",
            f"if you know the file, {yes}",
        )
    return admitted


def admits_model(config: CheckedConfig, path: ConfigPath, model: Model) -> bool:
    """Tell whether the files that are executed with a model may be, and record the others.

    `path` is that of the model. It has to be asked before the model is loaded.
    """
    admitted = True
    for parameter, file in model.code_files().items():
        if config.source.plugins.admits(file):
            continue
        admitted = False
        config.add(
            [*path, parameter],
            f"the file {file.name!r} is not read: that would execute its code"
            if config.source.plugins.installed
            else f"the file {file.name!r}, which can execute code, is left out by --no-plugins",
            "if you know the file, give --trust" if config.source.plugins.installed else "",
        )
    return admitted

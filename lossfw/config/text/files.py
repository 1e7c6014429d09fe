"""Find the file that a name in a configuration means."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from lossfw.config.text.tree import Node, Problems, quote

# The folder that is looked in for files that are not beside the configuration.
FOLDER_VARIABLE = "LOSSFW_DATA"


def find_file(
    node: Node, problems: Problems, *, bundled: Callable[[str], Path | None] | None = None
) -> Path | None:
    """Return the absolute path of the file that a text in a configuration names, or None.

    A relative name starts at the folder of the file that writes it, one in an
    override at the working folder. A file that is not there is looked for under its
    bare name in the folder that the environment variable ``LOSSFW_DATA`` names,
    then among the files that come with a plugin, which `bundled` finds.
    """
    if node.at.origin.held is not None:
        found: Path = node.at.origin.held
        return found
    name: str = node.value
    beside = node.at.origin.folder / name
    folders = [beside.parent]
    if _exists(beside):
        return Path(os.path.normpath(beside.absolute()))
    shared = os.environ.get(FOLDER_VARIABLE)
    if shared:
        folders.append(Path(shared))
        if _exists(Path(shared) / beside.name):
            return (Path(shared) / beside.name).absolute()
    shipped = bundled(name) if bundled is not None else None
    if shipped is not None:
        return shipped
    looked = " and ".join(str(folder) for folder in folders)
    hint = f"looked in {looked}" + ("" if shared else f"; {FOLDER_VARIABLE} may name a folder")
    problems.add(node.at, f"there is no file {quote(name)}", hint)
    return None


def find_location(node: Node) -> str:
    """Return the absolute path, pattern or address that a text in a configuration means.

    A path is relative to the folder of the file that writes it. Nothing is looked for.
    """
    name: str = node.value
    return name if "://" in name else os.path.normpath(node.at.origin.folder.absolute() / name)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        # A name that is too long, or has a character that no name may have.
        return False

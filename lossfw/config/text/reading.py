"""Read the file of a configuration, and find the files that it names."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

from lossfw.components.naming import nearest_name
from lossfw.config.text.tree import Node, Origin, Problems, quote
from lossfw.config.text.yaml import split_lines
from lossfw.errors import ConfigError, Problem

# A configuration is written by hand; numbers beyond this belong in a data file.
MAX_BYTES = 1 << 20
# An override without its -o, as other programs take it.
_OVERRIDE = re.compile(r"[A-Za-z_][\w.\"-]*\+?=.*", re.DOTALL)
# The folder that is looked in for files that are not beside the configuration.
FOLDER_VARIABLE = "LOSSFW_DATA"


def read_file(name: str, *, folder: Path | None = None, rank: int = 0) -> tuple[str, Origin]:
    """Return a configuration's text and the origin of its positions.

    `rank` is its order among several sources.
    """
    path = (folder or Path.cwd()) / name
    try:
        content = _read_bytes(name, path)
    except ConfigError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _refusal(name, f"the file cannot be read: {reason}") from None
    text = _decode(name, content)
    return text, Origin(name, path.parent, split_lines(text), rank)


def looks_like_override(name: str) -> bool:
    """Tell whether an argument looks like an override.

    Examples
    --------
    >>> looks_like_override("loss.delta=1e-6"), looks_like_override("run.yaml")
    (True, False)
    """
    return _OVERRIDE.fullmatch(name) is not None


def _read_bytes(name: str, path: Path) -> bytes:
    try:
        status = path.stat()
    except FileNotFoundError:
        hint = f"to change a key of FILE, write FILE -o {name}" if looks_like_override(name) else ""
        raise _refusal(name, "there is no such file", hint or _suggest_file(path)) from None
    if stat.S_ISDIR(status.st_mode):
        raise _refusal(name, "this is a folder, not a file", "give a YAML file")
    if not stat.S_ISREG(status.st_mode):
        # A pipe could keep the program waiting for ever.
        raise _refusal(name, "this is not a regular file")
    if status.st_size > MAX_BYTES:
        raise _size_refusal(name, status.st_size)
    with path.open("rb") as file:
        # One byte more than allowed: the file may have grown in the meantime.
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise _size_refusal(name, len(content))
    return content


def _decode(name: str, content: bytes) -> str:
    if b"\0" in content:
        raise _refusal(name, "this is not a text file", "a configuration is YAML in UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _refusal(name, "this is not UTF-8 text", "save it as UTF-8", line) from None
    if not text.strip():
        raise _refusal(name, "the file is empty", "a configuration begins with 'lossfw: 1'")
    return text


def _refusal(name: str, message: str, hint: str = "", line: int = 0) -> ConfigError:
    where = f"{name}:{line}" if line else name
    return ConfigError([Problem(where, message, hint=hint, file=name, line=line)])


def _size_refusal(name: str, size: int) -> ConfigError:
    return _refusal(
        name,
        f"the file has {size:,} bytes, but a configuration at most {MAX_BYTES:,}",
        "write large arrays to a file and give its name",
    )


def _suggest_file(path: Path) -> str:
    """Return a hint with a file of that folder whose name is close."""
    try:
        siblings = [p.name for p in path.parent.iterdir() if p.suffix in (".yaml", ".yml")]
    except OSError:
        return ""
    match = nearest_name(path.name, siblings)
    return f"did you mean {match!r}?" if match else ""


def find_file(
    node: Node, problems: Problems, *, bundled: Callable[[str], Path | None] | None = None
) -> Path | None:
    """Return the absolute path of the file that a configuration names, or None.

    A name is relative to the folder of the file that has it; in an override, to the working
    folder. A missing file is searched by its bare name in the folder of the environment
    variable ``LOSSFW_DATA``, then among the files that come with a plugin, by `bundled_file`.
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
    """Return the absolute path, pattern or address that a configuration names.

    A path is relative to the folder of the file that has it. It need not exist.
    """
    name: str = node.value
    return name if "://" in name else os.path.normpath(node.at.origin.folder.absolute() / name)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        # A name that is too long, or has a character that no name may have.
        return False

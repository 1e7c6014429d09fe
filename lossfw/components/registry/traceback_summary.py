"""Summarise an exception of a plugin in one line: type, message, file and line."""

from __future__ import annotations

import importlib
import traceback
from pathlib import Path
from types import FrameType

# Frames of the import system and of lossfw do not help a plugin's author.
_CORE = str(Path(__file__).parents[1])
_FOREIGN = ("<frozen", str(importlib.__file__), _CORE)


def explain(error: BaseException, *, path: Path | None = None, package: str = "") -> str:
    """Return ``Type: message (file:line)`` in one line.

    Parameters
    ----------
    error : BaseException
        The exception.
    path : Path, optional
        The local file that was imported.
    package : str, optional
        The package that was imported. The line is the innermost one of the file
        or the package, or of other code if these have none.

    Examples
    --------
    >>> explain(ValueError("no such thing"))
    'ValueError: no such thing'
    """
    place = _place(error, path, package)
    # The text of a SyntaxError repeats its file and line.
    text = " ".join((error.msg if isinstance(error, SyntaxError) else str(error)).split())
    summary = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return f"{summary} ({place})" if place else summary


def _place(error: BaseException, path: Path | None, package: str) -> str:
    """Return ``file:line`` of the plugin's own code, or an empty string."""
    if isinstance(error, SyntaxError) and error.filename:
        return _shown(error.filename, error.lineno, path)
    frames = [
        (frame, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if not frame.f_code.co_filename.startswith(_FOREIGN)
    ]
    own = [(frame, line) for frame, line in frames if _owns(frame, path, package)]
    for frame, line in reversed(own or frames):
        return _shown(frame.f_code.co_filename, line, path)
    return ""


def _owns(frame: FrameType, path: Path | None, package: str) -> bool:
    if path is not None:
        return frame.f_code.co_filename == str(path.absolute())
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] == package


def _shown(filename: str, line: int | None, path: Path | None) -> str:
    """Return ``file:line``, with the path of a local file as the user wrote it."""
    if path is not None and filename == str(path.absolute()):
        filename = str(path)
    return f"{filename}:{line}" if line else filename

"""One line about an exception that a plugin raised: what, and where."""

from __future__ import annotations

import traceback
from pathlib import Path

# Frames of the import system and of this package say nothing to a plugin's author.
_OURS = str(Path(__file__).parent)


def explain(error: BaseException, path: Path | None = None) -> str:
    """Return ``Type: message (file:line)`` in one line.

    Parameters
    ----------
    error : BaseException
        What was raised.
    path : Path, optional
        A file whose line is preferred to the innermost one.

    Examples
    --------
    >>> explain(ValueError("no such thing"))
    'ValueError: no such thing'
    """
    place = _place(error, path)
    # The message of a SyntaxError repeats its file and line.
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    text = " ".join(said.split())
    what = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return f"{what} ({place})" if place else what


def _place(error: BaseException, path: Path | None) -> str:
    """Return ``file:line`` of the plugin's own code, or an empty string."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    frames = [
        (frame.filename, frame.lineno)
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(("<frozen", _OURS)) and "importlib" not in frame.filename
    ]
    own = [frame for frame in frames if path is not None and frame[0] == str(path)]
    for filename, line in reversed(own or frames):
        return f"{filename}:{line}"
    return ""

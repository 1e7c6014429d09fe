"""The place in a plugin where an error was raised, and the error in one line."""

from __future__ import annotations

import importlib
import traceback
from pathlib import Path
from types import FrameType

from pydantic.errors import PydanticUserError

from lossfw.components.registry.find import find_plugins
from lossfw.components.registry.records import LOCAL_MODULE

# Frames of the import system and of lossfw do not help a plugin's author.
_CORE = str(Path(__file__).parents[1])
_FOREIGN = ("<frozen", str(importlib.__file__), _CORE)

_UNTYPED = (
    "`{}` has no type: a parameter needs one, as in `scale: float = 1.0`, and a constant is a "
    "ClassVar, as in `scale: ClassVar[float] = 1.0`"
)


def place_in_plugin(error: BaseException) -> str:
    """Return file, line and function of the innermost plugin code in a traceback.

    Empty if no third-party plugin is in it.
    """
    targets = [plugin.target for plugin in find_plugins() if not plugin.builtin]
    packages = {target.partition(":")[0].partition(".")[0] for target in targets}
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        package = _package_of_frame(frame)
        if package in packages or package.startswith(LOCAL_MODULE):
            code = frame.f_code
            return f"{code.co_filename}, line {line}, in {code.co_qualname}"
    return ""


def describe_error(error: BaseException, *, path: Path | None = None, package: str = "") -> str:
    """Return ``Type: message (file:line)`` in one line.

    The line is the innermost one in the imported file or package, otherwise in other code.

    Examples
    --------
    >>> describe_error(ValueError("no such thing"))
    'ValueError: no such thing'
    """
    if isinstance(error, PydanticUserError) and error.code == "model-field-missing-annotation":
        # pydantic means models, and its reader wrote a component.
        summary = _UNTYPED.format(error.message.partition("`")[2].partition("`")[0])
    else:
        # The text of a SyntaxError repeats its file and line.
        text = error.msg if isinstance(error, SyntaxError) else _error_text(error)
        text = " ".join(text.split())
        summary = f"{type(error).__name__}: {text}" if text else type(error).__name__
    place = _place_in_code(error, path, package)
    return f"{summary} ({place})" if place else summary


def _error_text(error: BaseException) -> str:
    """Return the text of an error, which its author may have got wrong."""
    try:
        return str(error)
    except Exception as another:
        return f"(its text raises {type(another).__name__})"


def _place_in_code(error: BaseException, path: Path | None, package: str) -> str:
    """Return ``file:line`` of the plugin's own code, or an empty string."""
    if isinstance(error, SyntaxError) and error.filename:
        return _format_address(error.filename, error.lineno, path)
    frames = [
        (frame, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if not frame.f_code.co_filename.startswith(_FOREIGN)
    ]
    own = [
        (frame, line)
        for frame, line in frames
        if (
            _package_of_frame(frame) == package
            if path is None
            else frame.f_code.co_filename == str(path.absolute())
        )
    ]
    for frame, line in reversed(own or frames):
        return _format_address(frame.f_code.co_filename, line, path)
    return ""


def _package_of_frame(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def _format_address(filename: str, line: int | None, path: Path | None) -> str:
    """Return ``file:line``, with the path of a local file as the user wrote it."""
    if path is not None and filename == str(path.absolute()):
        filename = str(path)
    return f"{filename}:{line}" if line else filename

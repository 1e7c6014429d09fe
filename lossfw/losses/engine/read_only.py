"""Read-only arguments: what a body gets of the caller's arrays, and who tried to write to it."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NoReturn

import numpy as np

from lossfw.errors import BodyError
from lossfw.numerics.arrays import NDArray

# How NumPy says that an array cannot be written to.
_SAID = "read-only"

# By their place: with a name the argument would take half of the time of a view.
set_flags: Any = np.ndarray.setflags

_OTHERS = ("lossfw", "numpy")


def read_only(x: NDArray) -> NDArray:
    """Return a view of an array that cannot be written to."""
    view = x.view()
    set_flags(view, False)
    return view


def raise_for_writing(error: ValueError, function: Callable[..., Any]) -> NoReturn:
    """Raise `BodyError` if a body tried to write to its arguments, else the error itself.

    If no frame is the author's, the message names the component of `function`.
    """
    if _SAID not in str(error):
        raise error
    frames = [(frame, at) for frame, at in _walk(error) if is_authors(frame)]
    owner = type(getattr(function, "__self__", None)).__name__
    if not frames:
        raise BodyError(f"a function of {owner} writes to its arguments. {_RULE}") from error
    frame, at = frames[-1]
    code, line = frame.f_code, _line(frame.f_code, at)
    name = _written(frame, line)
    what = f"its argument {name}" if name else "one of its arguments"
    place = f"{Path(code.co_filename).name}, line {_number(code, at)}"
    source = linecache.getline(code.co_filename, _number(code, at)).strip()
    raise BodyError(
        f"{_called(frame, owner)} changes {what} ({place}: `{source}`). {_RULE}"
    ) from error


_RULE = (
    "The arrays are the caller's and cannot be written to: compute new ones, as `y = y - t` does "
    "for `y -= t` and xp.where for `y[mask] = 0`."
)


def _walk(error: ValueError) -> list[tuple[FrameType, int]]:
    """Return the frames of an error and the instructions in them, the innermost last."""
    frames, trace = [], error.__traceback__
    while trace is not None:
        frames.append((trace.tb_frame, trace.tb_lasti))
        trace = trace.tb_next
    return frames


def is_authors(frame: FrameType) -> bool:
    """Tell whether a frame is one of an author's code, and not of lossfw or NumPy."""
    module = str(frame.f_globals.get("__name__", ""))
    return module.partition(".")[0] not in _OTHERS


def _called(frame: FrameType, owner: str) -> str:
    """Return the name of the author's function, with its class."""
    own = frame.f_locals.get("self")
    return frame.f_code.co_name if own is None else f"{type(own).__name__}.{frame.f_code.co_name}"


def _positions(code: CodeType, at: int) -> tuple[int | None, int | None, int | None, int | None]:
    # An instruction has two bytes.
    return list(code.co_positions())[at // 2]


def _number(code: CodeType, at: int) -> int:
    return _positions(code, at)[0] or code.co_firstlineno


def _line(code: CodeType, at: int) -> str:
    """Return the source of an instruction, as ``y -= t`` or ``y[mask]``."""
    first, last, begin, end = _positions(code, at)
    if first is None or last is None:
        return ""
    text = [linecache.getline(code.co_filename, n) for n in range(first, last + 1)]
    # Positions are in bytes.
    lines = [line.encode() for line in text]
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][begin:]
    return b"".join(lines).decode(errors="replace").strip()


def _written(frame: FrameType, line: str) -> str:
    """Return the name of the argument that is written to; empty where it is not known."""
    code = frame.f_code
    parameters = code.co_varnames[: code.co_argcount]
    known = {
        name: value
        for name, value in frame.f_locals.items()
        if isinstance(value, np.ndarray) and not value.flags.writeable
    }
    own = _target(line)
    if own not in known:
        return ""
    if own in parameters:
        return own
    shared = (x for x in parameters if x in known and np.may_share_memory(known[x], known[own]))
    return next(shared, own)


def _target(line: str) -> str:
    """Return the name of the variable that a statement or an expression writes to."""
    try:
        statement = ast.parse(line).body[0]
    except (SyntaxError, IndexError):
        return ""
    node: Any = statement.target if isinstance(statement, ast.AugAssign) else None
    if isinstance(statement, ast.Expr):
        node = statement.value
    if isinstance(node, ast.Call):
        # np.add(y, t, out=y), np.put(y, 0, 1) or y.fill(1).
        arguments = [keyword.value for keyword in node.keywords if keyword.arg == "out"]
        of_library = _root(node.func) in ("np", "numpy", "xp")
        arguments += node.args[:1] if of_library else [node.func]
        node = arguments[0] if arguments else None
    return _root(node)


def _root(node: Any) -> str:
    """Return the name from which a chain of attributes and elements begins."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""

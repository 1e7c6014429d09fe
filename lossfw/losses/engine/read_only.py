"""Read-only arguments: views of the caller's arrays for a body, and errors for writing to them."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Callable
from pathlib import Path
from traceback import FrameSummary, extract_tb, walk_tb
from types import FrameType
from typing import Any, NoReturn

import numpy as np

from lossfw.errors import BodyError
from lossfw.numerics.arrays import NDArray

# How NumPy says that an array cannot be written to.
_SAID = "read-only"

# By their place: with a name the argument would take half of the time of a view.
set_flags: Any = np.ndarray.setflags

_OTHERS = ("lossfw", "numpy")


def read_only_view(x: NDArray) -> NDArray:
    """Return a view of an array that cannot be written to."""
    view = x.view()
    set_flags(view, False)
    return view


def raise_for_writing(error: ValueError, function: Callable[..., Any]) -> NoReturn:
    """Raise `BodyError` if a body tried to write to its arguments, otherwise the error itself.

    If no frame is in the author's code, the message names the component of `function`.
    """
    if _SAID not in str(error):
        raise error
    steps = zip(walk_tb(error.__traceback__), extract_tb(error.__traceback__), strict=True)
    authors = [(frame, at) for (frame, _), at in steps if is_author_code(frame)]
    owner = type(getattr(function, "__self__", None)).__name__
    if not authors:
        raise BodyError(f"a function of {owner} writes to its arguments. {_RULE}") from error
    frame, at = authors[-1]
    name = _written_argument(frame, _instruction_source(at))
    what = f"its argument {name}" if name else "one of its arguments"
    place = f"{Path(at.filename).name}, line {at.lineno}"
    raise BodyError(
        f"{_function_name(frame, owner)} changes {what} ({place}: `{at.line}`). {_RULE}"
    ) from error


_RULE = (
    "The arrays are the caller's and cannot be written to: compute new ones, as `y = y - t` does "
    "for `y -= t` and xp.where for `y[mask] = 0`."
)


def is_author_code(frame: FrameType) -> bool:
    """Tell whether a frame is in an author's code, not in lossfw or NumPy."""
    module = str(frame.f_globals.get("__name__", ""))
    return module.partition(".")[0] not in _OTHERS


def _function_name(frame: FrameType, owner: str) -> str:
    """Return the name of the author's function, with its class."""
    own = frame.f_locals.get("self")
    return frame.f_code.co_name if own is None else f"{type(own).__name__}.{frame.f_code.co_name}"


def _instruction_source(instruction: FrameSummary) -> str:
    """Return the source of an instruction, as ``y -= t`` or ``y[mask]``."""
    if instruction.lineno is None or instruction.end_lineno is None:
        return ""
    lines = [
        linecache.getline(instruction.filename, n)
        for n in range(instruction.lineno, instruction.end_lineno + 1)
    ]
    # Columns are in bytes.
    source = [line.encode() for line in lines]
    source[-1] = source[-1][: instruction.end_colno]
    source[0] = source[0][instruction.colno :]
    return b"".join(source).decode(errors="replace").strip()


def _written_argument(frame: FrameType, line: str) -> str:
    """Return the name of the argument that is written to; empty where it is not known."""
    code = frame.f_code
    parameters = code.co_varnames[: code.co_argcount]
    known = {
        name: value
        for name, value in frame.f_locals.items()
        if isinstance(value, np.ndarray) and not value.flags.writeable
    }
    own = _written_variable(line)
    if own not in known:
        return ""
    if own in parameters:
        return own
    shared = (x for x in parameters if x in known and np.may_share_memory(known[x], known[own]))
    return next(shared, own)


def _written_variable(line: str) -> str:
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
        of_library = _root_name(node.func) in ("np", "numpy", "xp")
        arguments += node.args[:1] if of_library else [node.func]
        node = arguments[0] if arguments else None
    return _root_name(node)


def _root_name(node: Any) -> str:
    """Return the name from which a chain of attributes and elements begins."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""

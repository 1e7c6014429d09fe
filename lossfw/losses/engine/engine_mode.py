"""The choice between tiles and compiled kernels.

It changes no bit of a result. The environment variable ``LOSSFW_ENGINE`` is read once, at the first
import::

    (not set)   tiles, and kernels once they pay, made in a thread of their own
    tiles       tiles only
    compiled    kernels for every call that can have one, made on the caller's thread
    explain     as if it were not set; what is compiled, and why not, goes to standard error
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, TypeAlias, get_args

from lossfw.errors import ParameterError

VARIABLE = "LOSSFW_ENGINE"

EngineMode: TypeAlias = Literal["auto", "tiles", "compiled", "explain"]

_MODES: tuple[EngineMode, ...] = get_args(EngineMode)


def _mode_from_environment() -> EngineMode | None:
    """Return the user's choice, None for a mistake, which the first call tells."""
    text = os.environ.get(VARIABLE) or "auto"
    return next((mode for mode in _MODES if mode == text), None)


# The mode of the process, in a list, so that small calls need no function to look at it.
current: list[EngineMode | None] = [_mode_from_environment()]


def engine_mode() -> EngineMode:
    """Return the mode of this process; raise `ParameterError` for an unknown one."""
    mode = current[0]
    if mode is None:
        known = ", ".join(_MODES[1:])
        text = os.environ.get(VARIABLE)
        raise ParameterError(f"{VARIABLE} should be one of {known}, or empty, got {text!r}.")
    return mode


@contextmanager
def use_engine(mode: EngineMode) -> Iterator[None]:
    """Use tiles or kernels inside the ``with`` block, in all threads.

    Examples
    --------
    >>> import lossfw
    >>> with use_engine("tiles"):
    ...     lossfw.loss("squared_error")([1.0], [3.0])
    4.0
    """
    before = current[0]
    current[0] = mode
    try:
        yield
    finally:
        current[0] = before

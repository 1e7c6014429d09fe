"""Memory of large results, reused by the next result of about the same size.

The system zeroes fresh memory page by page, which takes longer than most losses. When nobody holds
a result any more, its memory returns here and is marked as free (MADV_FREE): the system may take it
if it needs memory, and until then it can be reused. On systems without this mark, such as Windows,
each result gets fresh memory.
"""

from __future__ import annotations

import math
import mmap
import os
import weakref
from collections import deque
from contextlib import suppress
from typing import Any

import numpy as np

from lossfw.errors import ParameterError
from lossfw.numerics.arrays import NDArray

VARIABLE = "LOSSFW_REUSE_MEMORY"

# glibc keeps smaller blocks itself; see `lossfw.losses.engine.threads.keep_freed_memory`. Larger
# ones would look like a leak to who watches the process.
_LEAST, _MOST = 30 * 2**20, 2**30

# So many blocks are kept, the oldest goes first. Each may be a quarter larger than a result.
_KEPT, _LARGER = 2, 1.25

# A deque is filled and emptied in one step each: no thread, and no process that forks or runs a
# finalizer amid a call, finds it half done, and there is no lock to wait for.
_free: deque[mmap.mmap] = deque(maxlen=_KEPT)

_FREE: Any = getattr(mmap, "MADV_FREE", None)
_HUGE: Any = getattr(mmap, "MADV_HUGEPAGE", None)


class _Holder:
    """What each array, view or tensor of a block holds; when it goes, the block is free."""

    def __init__(self, block: mmap.mmap, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        address = np.frombuffer(block, np.uint8).ctypes.data
        self.__array_interface__ = {
            "version": 3, "shape": shape, "typestr": dtype.str, "data": (address, False)
        }  # fmt: skip
        # At the end of the process arrays may outlive it.
        weakref.finalize(self, _keep_block, block).atexit = False


def empty(shape: tuple[int, ...], dtype: Any) -> NDArray:
    """Return an uninitialised array, as `numpy.empty` does."""
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    if _FREE is None or not _LEAST <= size <= _MOST or not _is_enabled():
        return np.empty(shape, dtype)
    block = _find_free_block(size)
    if block is None:
        try:
            block = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        except OSError:
            # NumPy says what is too large, if it is too large without the blocks, too.
            _free.clear()
            return np.empty(shape, dtype)
        with suppress(OSError):
            if _HUGE is not None:
                block.madvise(_HUGE)
    return np.asarray(_Holder(block, shape, dtype))


def _is_enabled() -> bool:
    text = os.environ.get(VARIABLE) or "1"
    if text not in ("0", "1"):
        raise ParameterError(f"{VARIABLE} should be 0, 1 or empty, got {text!r}.")
    return text == "1"


def _find_free_block(size: int) -> mmap.mmap | None:
    """Return a block for so many bytes that nobody else has then; None if none fits."""
    for _ in range(_KEPT):
        try:
            block = _free.popleft()
        except IndexError:
            break
        if size <= len(block) <= _LARGER * size:
            return block
        _free.append(block)
    return None


def _keep_block(block: mmap.mmap) -> None:
    # An old system does not know the mark, and memory that is locked cannot have it.
    with suppress(OSError):
        block.madvise(_FREE)
        _free.append(block)

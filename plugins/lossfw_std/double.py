"""Bodies whose float32 goes by float64.

NumPy's logarithm and power in float32 are 3.5 and 7 units in the last place off,
which leaves nothing for the rest of a loss; its float64 ones are within 0.7. A
body that stands on them is run in float64, and its result is rounded once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

from lossfw.numerics.arrays import Array, Namespace

_Body = TypeVar("_Body", bound=Callable[..., Any])


def in_double(body: _Body) -> _Body:
    """Decorate a method of the namespace, prediction and target.

    float32 arrays become float64 before it, and its result, or each of a
    tuple, float32 after it. Other dtypes, and exact numbers, are left alone.
    """

    @functools.wraps(body)
    def wide(self: Any, xp: Namespace, y: Array, t: Array) -> Any:
        # Exact numbers have one dtype for both.
        if xp.float32 == xp.float64 or y.dtype != xp.float32:
            return body(self, xp, y, t)
        result = body(self, xp, xp.astype(y, xp.float64), xp.astype(t, xp.float64))
        if isinstance(result, tuple):
            return tuple(xp.astype(part, xp.float32) for part in result)
        return xp.astype(result, xp.float32)

    return cast(_Body, wide)

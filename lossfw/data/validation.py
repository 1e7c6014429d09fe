"""Check that data and weights hold neither NaN nor infinities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lossfw.errors import DataError
from lossfw.numerics.arrays import NDArray


def is_finite(array: NDArray) -> bool:
    """Tell whether all numbers are finite, without a temporary array of the same size.

    Examples
    --------
    >>> is_finite(np.array([1.0, np.nan])), is_finite(np.array([1, 2]))
    (False, True)
    """
    if array.dtype.kind != "f" or array.size == 0:
        return True
    # A NaN anywhere makes both of them NaN; an infinity is the minimum or the maximum.
    return bool(np.isfinite(array.min()) and np.isfinite(array.max()))


def check_finite(
    array: NDArray,
    location: str,
    *,
    start: int = 0,
    rows: NDArray | None = None,
    names: Sequence[str] = (),
    missing: bool = False,
    remedy: str = "Fix the data, or leave the row out.",
) -> None:
    """Refuse an array with a NaN or an infinity; `location` is its name in the message.

    The first row has the number `start`, unless `rows` lists the users' row numbers. Columns with
    `names` may hold infinities, and NaN is allowed where values may be `missing`.
    """
    if is_finite(array):
        return
    is_bad = np.isinf(array) if missing else np.isnan(array) if names else ~np.isfinite(array)
    bad = np.argwhere(is_bad)
    if not bad.size:
        return
    first = tuple(int(i) for i in bad[0])
    named: list[int] = list(first)
    if named:
        named[0] = start + first[0] if rows is None else int(rows[start + first[0]])
    if names:
        location = f"{location}.{names[first[-1]]}"
        named = named[:-1]
    more = f" ({len(bad)} such numbers in all)" if len(bad) > 1 else ""
    raise DataError(
        f"{location}[{', '.join(map(str, named))}] is {array[first]}{more}; expected "
        f"{'' if names else 'finite '}numbers. {remedy}"
    )

"""Decimal text of exact numbers.

Imported on use only, since it needs gmpy2.
"""

from __future__ import annotations

from typing import Any

import gmpy2

# Below 1e-4 a number is written with an exponent, as Python writes it.
_LEAST_FIXED = -4


def decimal_text(x: Any, digits: int) -> str:
    """Return an MPFR number with so many digits, without zeros at the end.

    From 10**digits on and below 1e-4 it has an exponent.

    Examples
    --------
    >>> import gmpy2
    >>> [decimal_text(gmpy2.mpfr(v), 20) for v in (0.1, -25.0, 2.0**-30, 1e300)]
    ['0.10000000000000000555', '-25.0', '9.3132257461547851562e-10', '1.0000000000000000525e+300']
    """
    if not x.is_regular():
        return "0.0" if x.is_zero() else "nan" if x.is_nan() else "-inf" if x < 0 else "inf"
    # To the nearest, whatever the current context of gmpy2 says. Some releases format "e" wrongly.
    with gmpy2.context(round=gmpy2.RoundToNearest):
        mantissa, point, _ = x.digits(10, digits)
    figures = mantissa.lstrip("-").rstrip("0")
    power = point - 1
    if power < _LEAST_FIXED or power >= digits:
        shown = f"{figures[0]}.{figures[1:] or '0'}e{power:+d}"
    elif power < 0:
        shown = f"0.{'0' * (-power - 1)}{figures}"
    else:
        whole = power + 1
        shown = f"{figures[:whole].ljust(whole, '0')}.{figures[whole:] or '0'}"
    return "-" + shown if x < 0 else shown

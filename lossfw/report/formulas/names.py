"""Names and numbers in LaTeX."""

from __future__ import annotations

import math
from fractions import Fraction

_GREEK = {
    *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa", "lambda"),
    *("mu", "nu", "xi", "rho", "sigma", "tau", "phi", "chi", "psi", "omega"),
}

# Larger denominators are written as decimals.
_LARGEST_DENOMINATOR = 100

# Digits beyond this are left out.
_LONGEST = 8

# Numbers from here on are written with a power of ten.
_LARGE = 1e6

_CONSTANTS = {math.pi: r"\pi", 2 * math.pi: r"2\pi", math.sqrt(2.0): r"\sqrt{2}"}


def parameter_text(name: str) -> str:
    r"""Return the name of a parameter as LaTeX.

    Examples
    --------
    >>> [parameter_text(name) for name in ("c", "delta", "negative_slope")]
    ['c', '\\delta', '\\mathrm{negative\\_slope}']
    """
    if name in _GREEK:
        return r"\varepsilon" if name == "epsilon" else rf"\{name}"
    return name if len(name) == 1 else rf"\mathrm{{{name.replace('_', chr(92) + '_')}}}"


def number_text(value: float) -> str:
    r"""Return a number as LaTeX.

    Examples
    --------
    >>> [number_text(x) for x in (-2.0, 0.5, 1e-7, 0.044715, math.inf)]
    ['-2', '\\tfrac{1}{2}', '10^{-7}', '0.044715', '\\infty']
    """
    sign = "-" if value < 0 else ""
    size = abs(value)
    if math.isnan(size):
        return r"\mathrm{NaN}"
    if math.isinf(size):
        return rf"{sign}\infty"
    if size in _CONSTANTS:
        return sign + _CONSTANTS[size]
    if size == int(size) and size < _LARGE:
        return f"{sign}{int(size)}"
    fraction = Fraction(size).limit_denominator(_LARGEST_DENOMINATOR)
    if float(fraction) == size:
        return rf"{sign}\tfrac{{{fraction.numerator}}}{{{fraction.denominator}}}"
    mantissa, _, exponent = repr(size).partition("e")
    if len(mantissa) > _LONGEST:
        mantissa = mantissa[:_LONGEST] + r"\ldots"
    if not exponent:
        return sign + mantissa
    power = f"10^{{{int(exponent)}}}"
    return sign + (power if mantissa in ("1", "1.0") else rf"{mantissa}\cdot {power}")

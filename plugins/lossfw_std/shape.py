"""Derivatives of Binet's function by a log shape, for likelihoods with gamma functions."""

from __future__ import annotations

from lossfw import Array, Namespace
from lossfw.numerics import binet_derivative, binet_second_derivative


def second_derivative_of_binet(xp: Namespace, x: Array) -> Array:
    """Return x (x b')' for Binet's function b: how x b' changes with the logarithm of x.

    Below 1, where its two terms cancel, it is taken from b at x + 1.

    Examples
    --------
    >>> import numpy as np
    >>> second_derivative_of_binet(np, np.asarray([1e-9, 2.0])).round(10)
    array([1.91000000e-08, 3.90105765e-02])
    """
    is_small = x < 1
    small, large = xp.where(is_small, x, xp.ones_like(x)), xp.where(is_small, xp.ones_like(x), x)
    following = small + 1.0
    near = binet_derivative(xp, following) + small * binet_second_derivative(xp, following)
    near = near + xp.log1p(1.0 / small) - (1.0 + 0.5 / following) / following
    far = binet_derivative(xp, large) + large * binet_second_derivative(xp, large)
    return x * xp.where(is_small, near, far)

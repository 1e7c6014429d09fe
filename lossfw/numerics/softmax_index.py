"""Cross-entropy of logits for class indices, without one-hot rows.

For a class of distance d = z - max(z) the loss is log(sum(exp(d))) - d. If the target has the
largest logit, it is log1p of the sum over the other classes; otherwise -d is added to the plain
logarithm, without loss of digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np

from lossfw.numerics import softmax_torch
from lossfw.numerics.arrays import Array, Namespace, NDArray, column_numbers, is_jax, is_torch
from lossfw.numerics.softmax import log_softmax, shift_by_largest, softmax_cross_entropy_gradient
from lossfw.numerics.symbolic.symbol import Symbol

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _single_row_loss(z: NDArray, index: int) -> Any:
    """Return `softmax_cross_entropy_at` of a single row, with the bits of the first of several.

    Several rows of few columns are added up column by column. None where infinite logits need
    their rules.
    """
    largest = np.maximum.reduce(z)
    d = z - largest
    own = d[index]
    e = np.exp(d)
    e[index] = 0.0
    others = np.add.accumulate(e)[-1]
    if own == 0:
        if not others < math.inf:
            return None
        total = others + np.exp(own)
        return np.log(total) + (others - (total - z.dtype.type(1))) / total
    # An infinite logit makes a distance infinite or NaN.
    if not own > -math.inf:
        return None
    return np.log(others + np.exp(own)) - own


def _single_row_loss_and_gradient(z: NDArray, index: int) -> Any:
    """Return `softmax_cross_entropy_and_gradient_at` of a single row; see `_single_row_loss`."""
    largest = np.maximum.reduce(z)
    d = z - largest
    # An infinite logit or NaN needs more than this.
    if not np.minimum.reduce(d) > -math.inf:
        return None
    own = d[index]
    e = np.exp(d)
    e[index] = 0.0
    others = np.add.accumulate(e)[-1]
    total = others + np.exp(own)
    e /= total
    e[index] = -others / total
    rest = (others - (total - z.dtype.type(1))) / total if own == 0 else -own
    return np.log(total) + rest, e


def _with_single_row_form(
    single_row_form: Callable[[NDArray, int], Any],
) -> Callable[[_Function], _Function]:
    """Decorate a function of rows and class indices with that of a single row.

    The engine calls it for a single row of few columns, which costs a tenth.
    """

    def decorate(function: _Function) -> _Function:
        function.of_one_row = single_row_form  # type: ignore[attr-defined]  # functions have any
        return function

    return decorate


@_with_single_row_form(_single_row_loss)
def softmax_cross_entropy_at(xp: Namespace, z: Any, index: Array) -> Any:
    """Return logsumexp(z) - z at the class `index` of each row.

    Parameters
    ----------
    xp : namespace
    z : array
        Logits of shape (..., K); infinite ones are legal.
    index : array of int
        The target's class, of shape (...).

    Examples
    --------
    >>> import numpy as np
    >>> softmax_cross_entropy_at(np, np.asarray([[40.0, 0.0]]), np.asarray([0]))
    array([4.24835426e-18])
    """
    if xp is np and z.ndim == 2:
        return _loss(np, _decompose_at_index(z, index)[0])
    if softmax_torch.is_float32_tensor(z):
        return softmax_torch.cross_entropy_at(z, index)
    if isinstance(z, Symbol) or is_torch(z):
        return _compute_all_rows(xp, z, index)[0]
    if is_jax(z):
        return _compute_by_mask(xp, z, index)[0]
    return -take_at(xp, log_softmax(xp, z), index)


@_with_single_row_form(_single_row_loss_and_gradient)
def softmax_cross_entropy_and_gradient_at(
    xp: Namespace, z: Array, index: Array
) -> tuple[Array, Array]:
    """Return `softmax_cross_entropy_at` and its derivative from the same exponentials.

    The derivative is the softmax, and at the target minus the sum over the
    other classes.

    Examples
    --------
    >>> import numpy as np
    >>> softmax_cross_entropy_and_gradient_at(np, np.asarray([[40.0, 0.0]]), np.asarray([0]))
    (array([4.24835426e-18]), array([[-4.24835426e-18,  4.24835426e-18]]))
    """
    if softmax_torch.is_float32_tensor(z):
        return softmax_torch.cross_entropy_and_gradient_at(z, index)
    if isinstance(z, Symbol) or is_torch(z):
        return _compute_all_rows(xp, z, index)
    if is_jax(z):
        return _compute_by_mask(xp, z, index)
    if xp is not np or z.ndim != 2:
        t = xp.astype(index[..., None] == column_numbers(xp, z), z.dtype)
        value = softmax_cross_entropy_at(xp, z, index)
        return value, softmax_cross_entropy_gradient(xp, z, t)
    row, e, place = _decompose_at_index(z, index)
    e /= row.total[:, np.newaxis]
    _flatten_memory(e)[place] = -row.others / row.total
    return _loss(np, row), e


def _compute_by_mask(xp: Namespace, z: Array, index: Array) -> tuple[Array, Array]:
    """Return loss and derivative in operations that JAX compiles into few loops.

    A choice before the exponential would double the time, so what infinite logits need comes
    after it.
    """
    largest = xp.max(z, axis=-1, keepdims=True)
    d = z - largest
    e = xp.exp(d)
    # Two infinite logits are equal.
    e = xp.where(z == largest, xp.ones_like(z), e)
    here = index[..., None] == column_numbers(xp, z)
    top, own = largest[..., 0], take_at(xp, z, index)
    own = xp.where(own == top, xp.zeros_like(own), own - top)
    others = xp.sum(xp.where(here, xp.zeros_like(z), e), axis=-1)
    total = others + xp.exp(own)
    loss = xp.where(own == 0, xp.log1p(others), xp.log(total) - own)
    share = xp.where(here, -others[..., None], e) / total[..., None]
    return loss, share


def _compute_all_rows(xp: Namespace, z: Any, index: Any) -> tuple[Any, Any]:
    """Return loss and derivative by the operations of `_decompose_at_index`, of all rows alike."""
    d = shift_by_largest(xp, z)[1]
    here = index[..., None] == column_numbers(xp, z)
    own = take_at(xp, d, index)
    e = xp.where(here, xp.zeros_like(z), xp.exp(d))
    others = xp.sum(e, axis=-1)
    total = others + xp.exp(own)
    loss = _loss(xp, _TargetTerms(own, others, total))
    return loss, xp.where(here, (-others / total)[..., None], e / total[..., None])


def take_at(xp: Namespace, x: Array, index: Array) -> Array:
    """Return the element at the class `index` of each row.

    Parameters
    ----------
    xp : namespace
    x : array
        Of shape (..., K).
    index : array of int
        Of shape (...).

    Examples
    --------
    >>> import numpy as np
    >>> take_at(np, np.asarray([[0.1, 0.9], [0.4, 0.6]]), np.asarray([1, 0]))
    array([0.9, 0.4])
    """
    if xp is np and x.ndim == 2 and (x.flags.c_contiguous or x.flags.f_contiguous):
        # A third of the time of take_along_axis.
        return _flatten_memory(x).take(_flat_indices(x, index))
    return xp.take_along_axis(x, index[..., None], axis=-1)[..., 0]


def put_at(xp: Namespace, x: Array, index: Array, values: Array) -> Array:
    """Return rows with another value at the class `index` of each.

    Parameters
    ----------
    xp : namespace
    x : array
        Of shape (..., K); NumPy's own rows may be written to.
    index : array of int
        Of shape (...).
    values : array
        Of shape (...).

    Examples
    --------
    >>> import numpy as np
    >>> put_at(np, np.zeros((2, 3)), np.asarray([2, 0]), np.asarray([5.0, 7.0]))
    array([[0., 0., 5.],
           [7., 0., 0.]])
    """
    if xp is np and x.ndim == 2 and (x.flags.c_contiguous or x.flags.f_contiguous):
        _flatten_memory(x)[_flat_indices(x, index)] = values
        return x
    return xp.where(index[..., None] == column_numbers(xp, x), values[..., None], x)


class _TargetTerms(NamedTuple):
    """The terms of the loss of each row."""

    own: Array  # distance of the target from the largest logit
    others: Array  # sum of the exponentials of the other classes
    total: Array  # with the target's


def _loss(xp: Namespace, row: _TargetTerms) -> Array:
    # log1p(x) = log(u) + (x - (u - 1)) / u for u = 1 + x rounded: NumPy's log
    # is ten times faster than its log1p.
    lost = (row.others - (row.total - 1.0)) / row.total
    return xp.log(row.total) + xp.where(row.own == 0, lost, -row.own)


def _decompose_at_index(z: Array, index: Array) -> tuple[_TargetTerms, Array, Array]:
    """Return the parts of the losses, exponentials, and the places of those of the targets.

    The exponentials are 0 at the target.
    """
    d = shift_by_largest(np, z)[1]
    place = _flat_indices(d, index)
    own = _flatten_memory(d).take(place)
    # In the place of the distances.
    e = np.exp(d, out=d)
    _flatten_memory(e)[place] = 0.0
    others = e.sum(axis=-1)
    return _TargetTerms(own, others, others + np.exp(own)), e, place


def _flatten_memory(x: Array) -> Array:
    """Return a contiguous array flattened in the order of its memory."""
    return x.ravel(order="K")


def _flat_indices(x: Array, index: Array) -> Array:
    """Return the place in memory of the element `index` of each row."""
    rows, classes = x.shape
    index = index.astype(np.intp, copy=False)
    if x.flags.f_contiguous:
        return index * rows + np.arange(rows)
    return np.arange(rows) * classes + index

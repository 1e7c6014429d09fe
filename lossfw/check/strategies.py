"""Hypothesis strategies: predictions, targets, weights and masks for any loss.

They read the spaces that a loss declares, so a property test needs no strategy
of its own::

    from hypothesis import given
    from lossfw.check.strategies import pairs

    @given(pairs(loss))
    def test_the_loss_is_finite(pair):
        y, t = pair
        assert np.isfinite(loss(y, t))

Examples shrink towards few rows of simple numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lossfw.check.core.subject import subject_of_component
from lossfw.components.columns import Columns
from lossfw.components.spaces import (
    CLASS_INDEX,
    LOGITS,
    Counts,
    FiniteSpace,
    Interval,
    Simplex,
    Space,
    Vector,
)
from lossfw.errors import ArgumentError, MissingExtraError
from lossfw.extras import install_command
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

# Enough rows and columns for every law, few enough to be read.
MOST_ROWS = 8
MOST_COLUMNS = 5

# Vectors that may have any number of numbers have so many, and so many a row of any number of them.
_WIDTH, _VECTORS = 3, 2

# Magnitudes at which losses are still ordinary numbers, in each dtype.
_LARGEST = {"float16": 100.0, "float32": 1e6, "float64": 1e6}

# Counts and weights above this show nothing that smaller ones do not.
_MOST = 1000


def predictions(
    loss: str | Mapping[str, Any] | Loss, *, rows: int | None = None, dtype: str = "float64"
) -> Any:
    """Return a strategy for predictions of a loss.

    Parameters
    ----------
    loss : str, mapping or Loss
        The loss, or an argument of `lossfw.loss`.
    rows : int, optional
        The number of elements or rows; by default up to 8.
    dtype : {"float64", "float32", "float16"}
        Of the array.

    Returns
    -------
    SearchStrategy of ndarray
        Shape (N,), or (N, K) for a loss of rows.

    Examples
    --------
    >>> import lossfw
    >>> y = predictions("brier", rows=2).example()  # doctest: +SKIP
    """
    return pairs(loss, rows=rows, dtype=dtype).map(lambda pair: pair[0])


def targets(
    loss: str | Mapping[str, Any] | Loss, *, rows: int | None = None, dtype: str = "float64"
) -> Any:
    """Return a strategy for targets of a loss; see `predictions`.

    Class indices do not have the number of columns: draw `pairs` if the prediction also matters.
    """
    return pairs(loss, rows=rows, dtype=dtype).map(lambda pair: pair[1])


def pairs(
    loss: str | Mapping[str, Any] | Loss, *, rows: int | None = None, dtype: str = "float64"
) -> Any:
    """Return a strategy for pairs of a prediction and a target that fit; see `predictions`."""
    from lossfw.components.registry import registry

    component: Loss = registry().create("loss", loss)
    if component.has_columns:
        samples = _count(rows).flatmap(
            lambda count: _hypothesis().strategies.tuples(
                _rows(component.prediction_space, count, dtype),
                _rows(component.target_space, count, dtype),
            )
        )
        return samples.filter(lambda pair: _is_accepted(component, *pair))
    samples = _shapes(component, rows).flatmap(
        lambda shape: _hypothesis().strategies.tuples(
            _members(component.prediction_space, shape, dtype), _target(component, shape, dtype)
        )
    )
    # A loss may refuse more than its spaces say, as a row of zeros without a direction.
    return samples.filter(lambda pair: _is_accepted(component, *pair))


def weights(rows: int) -> Any:
    """Return a strategy for sample weights, shape (rows,): some may be 0, but not all."""
    st = _hypothesis().strategies
    elements = st.one_of(st.integers(0, 3).map(float), st.floats(0, _MOST))
    samples = _arrays("float64", rows, elements)
    return samples.filter(np.any) if rows else samples


def masks(rows: int) -> Any:
    """Return a strategy for masks, shape (rows,), which leave at least one row in."""
    samples = _arrays("bool", rows)
    return samples.filter(np.any) if rows else samples


def _hypothesis() -> Any:
    """Return Hypothesis, with its strategies for arrays.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    try:
        import hypothesis.extra.numpy
    except ImportError:
        raise MissingExtraError(
            f"strategies need Hypothesis: {install_command('check')}."
        ) from None
    return hypothesis


def _arrays(dtype: str, shape: int | tuple[int, ...], elements: Any = None) -> Any:
    # Without a fill each element is samples, as a loss may refuse what is equal throughout.
    library = _hypothesis()
    fill = library.strategies.nothing()
    return library.extra.numpy.arrays(dtype, shape, elements=elements, fill=fill)


def _is_accepted(loss: Loss, y: NDArray, t: NDArray) -> bool:
    """Tell whether a loss takes these arguments."""
    try:
        loss(y, t, reduction="none")
    except ArgumentError:
        return False
    return True


def _shapes(loss: Loss, rows: int | None) -> Any:
    """Return a strategy for shapes of predictions."""
    st, count = _hypothesis().strategies, _count(rows)
    if not loss.takes_rows and not loss._sums_rows:
        return st.tuples(count)
    return st.tuples(count, st.sampled_from(_columns(loss)))


def _count(rows: int | None) -> Any:
    """Return a strategy for the number of rows."""
    st = _hypothesis().strategies
    if rows is not None and rows < 0:
        raise ArgumentError(f"rows={rows}; expected a number of at least 0.")
    return st.integers(1, MOST_ROWS) if rows is None else st.just(rows)


def _rows(space: Space, count: int, dtype: str, size: int | None = None) -> Any:
    """Return a strategy for so many members of a space, with columns or without."""
    if isinstance(space, Vector) and space.axes > 1:
        return _members(space.space_of_each(1)[0], (count, _VECTORS, _WIDTH), dtype)
    size = space.flat_size(_WIDTH) if size is None else size
    shape = (count, *space.row_shape(size))
    if not isinstance(space, Columns):
        return _members(space.of_numbers if isinstance(space, Vector) else space, shape, dtype)
    widths = zip(space.spaces, space.widths(size), strict=True)
    parts = _hypothesis().strategies.tuples(*[_rows(own, count, dtype, n) for own, n in widths])
    return parts.map(lambda drawn: space.from_record(np, drawn).reshape(shape))


def _columns(loss: Loss) -> list[int]:
    """Return the numbers of columns that a loss takes and that make sense for it."""
    least = subject_of_component(loss).least_classes if loss.takes_rows else 1
    counts = range(least, MOST_COLUMNS + 1)
    return [
        k
        for k in counts
        if _is_accepted(loss, np.full((1, k), 1 / k), _target_for_columns(loss, k))
    ]


def _target_for_columns(loss: Loss, columns: int) -> NDArray:
    if loss.takes_rows and loss.target_space is CLASS_INDEX:
        return np.zeros(1, int)
    shares = np.full((1, columns), 1 / columns)
    return shares if loss.target_space.outside_or_none(shares) is None else np.ones((1, columns))


def _target(loss: Loss, shape: tuple[int, ...], dtype: str) -> Any:
    if not loss.takes_rows or loss.target_space is not CLASS_INDEX:
        return _members(loss.target_space, shape, dtype)
    return _arrays("int64", shape[0], _hypothesis().strategies.integers(0, shape[1] - 1))


def _members(space: Space, shape: tuple[int, ...], dtype: str) -> Any:
    """Return a strategy for arrays of members of a space."""
    if isinstance(space, Simplex):
        # Shares of whole numbers, so that 0 and 1 are exact.
        counts = _arrays("int64", shape, _hypothesis().strategies.integers(0, _MOST))
        return counts.map(lambda x: _normalise_counts(x).astype(dtype))
    return _arrays(dtype, shape, _member(space, dtype))


def _normalise_counts(counts: NDArray) -> NDArray:
    counts = counts.astype(float)
    counts[..., 0] += ~counts.any(-1)
    shares: NDArray = counts / counts.sum(-1, keepdims=True)
    return shares


def _member(space: Space, dtype: str) -> Any:
    """Return a strategy for single members of a space, as floats of the dtype."""
    st = _hypothesis().strategies
    if isinstance(space, FiniteSpace):
        return st.sampled_from(space.members)
    if isinstance(space, Counts):
        return st.integers(0, 100).map(float)
    width = int(dtype.removeprefix("float"))
    largest = _LARGEST[dtype]
    if not isinstance(space, Interval):
        samples = st.floats(-largest, largest, width=width, allow_subnormal=False)
        return samples.filter(lambda x: space.outside_or_none(np.array([x], dtype)) is None)
    low, high = max(space.low, -largest), min(space.high, largest)
    if not space.low_included:
        # The neighbours of an excluded 0 are subnormal: begin with the normal numbers.
        low = max(low, float(np.finfo(dtype).tiny))
    inner = st.floats(low, high, width=width, allow_subnormal=False)
    return st.one_of(st.integers(-40, 40).map(float), inner) if space is LOGITS else inner

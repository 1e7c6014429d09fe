"""Cumulative logsumexp along the last axis, and logsumexp of segments.

They stay in logarithms, so a sum is accurate next to far larger ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lossfw.numerics.arrays import Array, Namespace, NDArray, is_jax, is_torch
from lossfw.numerics.softmax import logsumexp


def cumulative_logsumexp(xp: Namespace, x: Array) -> Array:
    """Return log(exp(x_0) + ... + exp(x_k)) for each k along the last axis.

    Examples
    --------
    >>> import numpy as np
    >>> cumulative_logsumexp(np, np.asarray([-800.0, -800.0, 0.0]))
    array([-800.        , -799.30685282,    0.        ])
    """
    if xp is np:
        return np.logaddexp.accumulate(x, axis=-1)
    if is_torch(x):
        import torch

        return torch.logcumsumexp(x, dim=-1)
    if is_jax(x):
        import jax

        return jax.lax.cumlogsumexp(x, axis=x.ndim - 1)
    # Exact and dual numbers: each sum for itself.
    ends = range(1, x.shape[-1] + 1)
    return xp.stack([logsumexp(xp, x[..., :end]) for end in ends], axis=-1)


def segment_logsumexp(xp: Namespace, x: Array, starts: Sequence[int] | NDArray) -> Array:
    """Return the logsumexp of each segment of the last axis.

    Parameters
    ----------
    xp : namespace
    x : array of shape (..., n)
    starts : sequence of int
        The starts of the segments: 0, then increasing positions below n. A segment ends where the
        next one starts, and the last one at n. They are numbers even if JAX traces `x`.

    Returns
    -------
    array of shape (..., len(starts))

    Examples
    --------
    >>> import numpy as np
    >>> segment_logsumexp(np, np.asarray([0.0, 0.0, -80.0]), [0, 2])
    array([  0.69314718, -80.        ])
    """
    starts = np.asarray(starts, np.int64)
    if xp is np:
        return np.logaddexp.reduceat(x, starts, axis=-1)
    ends = np.append(starts[1:], x.shape[-1])
    if not (is_torch(x) or is_jax(x)):
        # Exact and dual numbers.
        pairs = zip(starts.tolist(), ends.tolist(), strict=True)
        return xp.stack([logsumexp(xp, x[..., start:end]) for start, end in pairs], axis=-1)
    segments = np.repeat(np.arange(len(starts)), ends - starts)
    largest, total = (_torch_segments if is_torch(x) else _jax_segments)(x, segments, len(starts))
    return largest + xp.log(total)


def _torch_segments(x: Array, segments: NDArray, count: int) -> tuple[Array, Array]:
    """Return the largest number of each segment, and the sum of exponentials beside it."""
    import torch

    index = torch.as_tensor(segments, device=x.device)
    empty = x.new_full((*x.shape[:-1], count), -torch.inf)
    largest = empty.scatter_reduce(-1, index.expand(x.shape), x, "amax")
    # A segment of -inf only has no distances.
    shift = torch.where(torch.isinf(largest), 0.0, largest)
    scaled = torch.exp(x - shift.index_select(-1, index))
    return shift, torch.zeros_like(empty).index_add(-1, index, scaled)


def _jax_segments(x: Array, segments: NDArray, count: int) -> tuple[Array, Array]:
    """Return the largest number of each segment, and the sum of exponentials beside it."""
    import jax
    import jax.numpy as jnp

    rows = jnp.moveaxis(x, -1, 0)
    largest = jax.ops.segment_max(rows, segments, count, indices_are_sorted=True)
    shift = jnp.where(jnp.isinf(largest), 0.0, largest)
    total = jax.ops.segment_sum(
        jnp.exp(rows - shift[segments]), segments, count, indices_are_sorted=True
    )
    return jnp.moveaxis(shift, 0, -1), jnp.moveaxis(total, 0, -1)

"""Random generators of a training, made from its seed.

Each purpose and each epoch has its own generator. So epochs share no state, and a resumed training
makes the same random choices.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from lossfw.numerics.arrays import NDArray


class Purpose(IntEnum):
    """The purpose of a generator; its number determines results."""

    WEIGHTS = 0
    HELD_OUT = 1
    ORDER = 2


def generator(seed: int, purpose: Purpose, epoch: int = 0) -> np.random.Generator:
    """Return the generator for a purpose in an epoch.

    Examples
    --------
    >>> first, second = (generator(0, Purpose.ORDER, epoch) for epoch in (1, 2))
    >>> (first.permutation(5) == second.permutation(5)).all()
    np.False_
    """
    return np.random.default_rng([seed, purpose, epoch])


def held_out_units(
    count: int,
    seed: int,
    *,
    fraction: float | None = None,
    folds: int = 0,
    fold: int = 0,
    repeat: int = 0,
    classes: NDArray | None = None,
) -> NDArray:
    """Return the numbers of the rows, or groups, that are held out, in ascending order.

    They are a fraction, at least one and not all, or one of several folds. Given the class of each,
    classes are spread evenly. Each repeat splits them differently.

    Examples
    --------
    >>> [held_out_units(5, 0, folds=2, fold=fold).tolist() for fold in (0, 1)]
    [[1, 2, 3], [0, 4]]
    >>> len(held_out_units(10, 0, fraction=0.2))
    2
    >>> held_out_units(6, 0, fraction=0.5, classes=np.array([0, 0, 1, 1, 2, 2])) // 2
    array([0, 1, 2])
    """
    order = generator(seed, Purpose.HELD_OUT, repeat).permutation(count)
    if classes is not None:
        order = order[np.argsort(classes[order], kind="stable")]
    if fraction is None:
        return np.sort(order[fold::folds])
    held_out = min(max(round(fraction * count), 1), count - 1)
    # Each class has its part of rows at equal distances.
    places = np.arange(held_out) if classes is None else np.arange(held_out) * count // held_out
    return np.sort(order[places])

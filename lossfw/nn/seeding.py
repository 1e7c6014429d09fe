"""Random generators of a training, made from its seed.

Each purpose and each epoch has a generator of its own. So no state is carried from epoch to
epoch, and a resumed training makes the same random choices.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """The purpose of a generator; results depend on the numbers."""

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


def split(rows: int, share: float, seed: int) -> tuple[list[int], list[int]]:
    """Return the numbers of the rows, or groups, to learn from and of those that are held out.

    Both are in ascending order and neither is empty, if there are two of them.

    Examples
    --------
    >>> learnt, held = split(10, 0.2, seed=0)
    >>> len(learnt), len(held), sorted(learnt + held) == list(range(10))
    (8, 2, True)
    """
    count = min(max(round(share * rows), 1), rows - 1)
    order = generator(seed, Purpose.HELD_OUT).permutation(rows).tolist()
    return sorted(order[count:]), sorted(order[:count])

"""Draws: every random choice of a training, from its seed alone.

Each purpose and each epoch has a generator of its own. So nothing has to be
carried from epoch to epoch, and a training that is resumed draws what it would
have drawn.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What a generator is for; the numbers are part of every result."""

    WEIGHTS = 0
    HELD_OUT = 1
    ORDER = 2


def generator(seed: int, purpose: Purpose, epoch: int = 0) -> np.random.Generator:
    """Return the generator of one purpose in one epoch.

    Examples
    --------
    >>> first, second = (generator(0, Purpose.ORDER, epoch) for epoch in (1, 2))
    >>> (first.permutation(5) == second.permutation(5)).all()
    np.False_
    """
    return np.random.default_rng([seed, purpose, epoch])


def split(rows: int, share: float, seed: int) -> tuple[list[int], list[int]]:
    """Return the numbers of the rows to learn from and of those that are held out.

    Both are in ascending order and neither is empty, if there are two rows.

    Examples
    --------
    >>> learnt, held = split(10, 0.2, seed=0)
    >>> len(learnt), len(held), sorted(learnt + held) == list(range(10))
    (8, 2, True)
    """
    count = min(max(round(share * rows), 1), rows - 1)
    order = generator(seed, Purpose.HELD_OUT).permutation(rows).tolist()
    return sorted(order[count:]), sorted(order[:count])

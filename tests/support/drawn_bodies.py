"""Random bodies of elements and of rows, drawn by a seed."""

import numpy as np

from lossfw import LOGITS, CategoricalLoss, PointwiseLoss
from support.column_bodies import ONE, TWO

# Functions of a row with one number for all of it.
_OF_ROW = (
    lambda xp, a: xp.sum(a, axis=-1, keepdims=True),
    lambda xp, a: xp.max(a, axis=-1, keepdims=True),
    lambda xp, a: xp.mean(a, axis=-1, keepdims=True),
)


def drawn_elements(seed):
    """Return a loss of elements with a random body."""
    steps = _steps(seed)

    class DrawnElements(PointwiseLoss):
        def value(self, xp, y, t):
            found = _computed(xp, [y, t], steps, (ONE,))
            return found[-1] + found[0] * found[len(found) // 2]

    DrawnElements.__qualname__ = f"DrawnElements{seed}"
    return DrawnElements()


def drawn_rows(seed):
    """Return a loss of rows with a random body, which takes sums and extremes of rows."""
    steps = _steps(seed)

    class DrawnRows(CategoricalLoss):
        prediction = LOGITS

        def value(self, xp, y, t):
            found = _computed(xp, [y, t, y - t], steps, (ONE, _OF_ROW))
            return xp.sum(t * found[-1] + y * found[len(found) // 2], axis=-1)

    DrawnRows.__qualname__ = f"DrawnRows{seed}"
    return DrawnRows()


def _steps(seed):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 2**31, size=rng.integers(2, 9)).tolist()


def _computed(xp, arrays, steps, kinds):
    """Return arrays, and a function of one or two earlier ones for each step."""
    found = list(arrays)
    for step in steps:
        draw = np.random.default_rng(step)
        a, b = (found[draw.integers(len(found))] for _ in range(2))
        functions = kinds[draw.integers(len(kinds))]
        if draw.random() < 0.5:
            found.append(functions[draw.integers(len(functions))](xp, a))
        else:
            found.append(TWO[draw.integers(len(TWO))](xp, a, b))
    return found

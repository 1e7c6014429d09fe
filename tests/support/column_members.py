"""Members of the spaces of losses of named columns, rare ones among them."""

import numpy as np

from lossfw import Columns
from lossfw.errors import DomainError
from lossfw.losses.engine.probes import record_probes
from support.built_in import built_in

OF_COLUMNS = [
    loss
    for loss in built_in()
    if loss.kind == "loss" and loss.has_columns and not loss.takes_groups
]


def drawn_members(loss, dtype, width=3):
    """Return members of a loss's spaces, rare ones among them."""
    spaces = (loss.prediction_space, loss.target_space)
    widths = [space.flat_size(width) for space in spaces]
    # A sample of two vectors, where there may be any number.
    widths[0] *= 2 if loss.name == "energy_score" else 1
    arrays = record_probes(spaces, np.dtype(dtype), tuple(widths))
    shaped = [
        x.reshape(len(x), *_vector_shape(space, x, width)) if space.axes > 1 else x
        for x, space in zip(arrays, spaces, strict=True)
    ]
    legal = [row for row in range(len(shaped[0])) if _is_legal(loss, *(x[row] for x in shaped))]
    return [x[np.resize(legal, 1020)] for x in shaped]


def _vector_shape(space, x, width):
    """Return the shape of columns of vectors, or of a sample of vectors."""
    return space.row_shape(x.shape[-1]) if space.size or isinstance(space, Columns) else (-1, width)


def _is_legal(loss, y, t):
    try:
        loss.check_domain(y.reshape(-1) if y.ndim else y, t, False, 0)
    except DomainError:
        return False
    return True

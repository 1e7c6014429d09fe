"""The neutral row of a loss of groups, by which bridges replace rows that do not count."""

from __future__ import annotations

from typing import Any

import numpy as np

from lossfw.components.spaces import LOGITS, Space

# A vector without a size is looked at with so many numbers.
_WIDTH = 2


def neutral_problem(neutral: Any, prediction: Space) -> str:
    """Return what is wrong with a neutral row, as the end of a sentence, or an empty string.

    Its prediction must be one that a model could make. Its target may be a marker that does not
    occur in data, such as minus infinity.
    """
    if not isinstance(neutral, tuple | list) or len(neutral) != 2:
        return f"is {neutral!r}; expected two numbers or rows, a prediction and a target."
    row = np.asarray(neutral[0], np.float64)
    if prediction.of_rows:
        row = np.broadcast_to(row, (prediction.flat_size(_WIDTH),))
    outside = prediction.outside_or_none(row[None])
    is_finite = prediction is LOGITS or bool(np.isfinite(row).all())
    if is_finite and (outside is None or not np.asarray(outside).any()):
        return ""
    return (
        f"has the prediction {neutral[0]!r}, which is not in {prediction}: groups are filled up "
        "with it, so give one of that space."
    )

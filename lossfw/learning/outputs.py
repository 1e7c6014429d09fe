"""The outputs of a boosting estimator, and their conversion to responses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from lossfw.components.registry import registry
from lossfw.components.spaces import SIGN
from lossfw.learning.raw_form import raw_loss_of
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

# Margins at which a loss is asked which probability they stand for.
_MARGINS: Final = np.array([0.25, 1.0, 3.0])
_CLOSE: Final = 1e-9


@dataclass(frozen=True)
class EstimatorOutputs:
    """The outputs of a fitted estimator whose objective is a lossfw loss.

    Attributes
    ----------
    raw : callable
        Returns the raw predictions of rows, (N,) or (N, K).
    output_activation : str or None
        The activation that converts them to responses, such as probabilities or means; None if raw
        predictions are responses.
    """

    raw: Callable[[Any], Any]
    output_activation: str | None = None

    def responses(self, x: Any) -> NDArray:
        """Return the responses of rows."""
        z = np.asarray(self.raw(x), np.float64)
        return (
            z
            if self.output_activation is None
            else np.asarray(registry().create("activation", self.output_activation)(z))
        )


def output_activation_of(loss: Loss) -> str | None:
    """Return the activation that converts raw predictions of a loss to responses.

    For a loss of the margin, such as the logistic loss, it is the sigmoid if the mean loss is
    least at the log-odds.

    Examples
    --------
    >>> import lossfw
    >>> [output_activation_of(lossfw.loss(name)) for name in ("logistic", "hinge")]
    ['sigmoid', None]
    """
    form = raw_loss_of(loss)
    if form.output_activation is not None or form.target_space is not SIGN:
        return form.output_activation
    ones = np.ones(len(_MARGINS))
    up, down = (form.gradient(_MARGINS, sign * ones, reduction="none") for sign in (1.0, -1.0))
    # At the odds p / (1 - p) the gradients of both classes balance.
    odds = np.divide(down, -up, out=np.zeros_like(up), where=up < 0.0)
    same = np.allclose(odds, np.exp(_MARGINS), rtol=_CLOSE)
    return "sigmoid" if same else None


def estimator_outputs(objective: Any, raw: Callable[[Any], Any]) -> EstimatorOutputs | None:
    """Return the outputs of an estimator with this objective; None unless lossfw made it."""
    given = getattr(getattr(objective, "derivatives", None), "given_loss", None)
    return None if given is None else EstimatorOutputs(raw, output_activation_of(given))

"""A loss of any real number: the form in which a boosting library can use it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from lossfw.bridges.own_losses import with_own_losses
from lossfw.components.registry import registry
from lossfw.components.spaces import BINARY, CLASS_INDEX, LOGITS, REAL, SIGN, SIMPLEX, UNIT
from lossfw.errors import ArgumentError, UnknownNameError
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

# Targets that are labels, and not numbers.
LABELS: Final = (UNIT, BINARY, SIGN, CLASS_INDEX, SIMPLEX)


def made(loss: Any) -> Loss:
    """Return the loss of a name, of a mapping with a name and parameters, or the loss itself.

    A name that no plugin has may be that of a class of the script; see `own_losses`.

    Raises
    ------
    UnknownNameError
        If there is no such loss. The construction of a loss may raise other errors.
    """
    create = registry().create
    try:
        found: Loss = create("loss", loss)
    except UnknownNameError as error:
        own = with_own_losses(loss)
        if own is loss:
            raise UnknownNameError(
                f"{error} If it is a class of your own, import the module that defines it first."
            ) from None
        found = create("loss", own)
    return found


def raw_form(loss: Any) -> Loss:
    """Return a loss as a function of raw predictions: fused with its link, where it has one.

    Raises
    ------
    ArgumentError
        If it has no such form, or its slope is 0 almost everywhere.
    """
    given = made(loss)
    why = refusal(given)
    if why is not None:
        raise ArgumentError(why)
    return _unbounded(given) or given


def refusal(loss: Loss) -> str | None:
    """Return why a loss cannot be boosted; None if it can."""
    form = _unbounded(loss)
    if form is None:
        return (
            f"{loss.name} takes predictions in {loss.prediction_space}, and a boosting library "
            "predicts any real number: it has no form that takes logits. Choose a loss of the "
            "whole line, or one with a link, such as cross_entropy."
        )
    if form.takes_rows and not form.takes_classes:
        return (
            f"{loss.name} takes rows whose targets are no classes, and a boosting library has one "
            "target for each raw prediction, or a class: choose a loss of elements or of classes."
        )
    if form.claims().gradient_zero_almost_everywhere:
        return (
            f"the slope of {loss.name} is 0 almost everywhere, so nothing can be learnt from it. "
            "Choose a loss that bounds it from above, such as logistic or hinge for zero_one."
        )
    return None


def _unbounded(loss: Loss) -> Loss | None:
    for form in (loss, loss.on_logits()):
        if form is not None and form.prediction_space in (REAL, LOGITS):
            return form
    return None


def response(loss: Any, raw: Any) -> NDArray:
    """Return raw predictions as the loss was written for: probabilities, means.

    Parameters
    ----------
    loss : str, mapping or Loss
    raw : array_like
        Raw predictions of a library, (N,) or (N, K).

    Returns
    -------
    ndarray of float64
        The link of the loss at `raw`; `raw` itself for a loss without a link.

    Examples
    --------
    >>> response("binary_cross_entropy", [0.0, 1.0])
    array([0.5       , 0.73105858])
    >>> response("huber", [0.0, 1.0])
    array([0., 1.])
    """
    link = made(loss).link_name
    z = np.asarray(raw, np.float64)
    return z if link is None else np.asarray(registry().create("activation", link)(z))

"""The published derivatives of a loss, as the rules of PyTorch and JAX ask for them.

A derivative with respect to the target is that of a loss of the residual, the slope with the
other sign, or of a loss that claims to be exchangeable, the slope with both arguments
exchanged; other targets have none.
"""

from __future__ import annotations

from typing import Any

from lossfw.errors import ArgumentError
from lossfw.losses.base import Definition
from lossfw.losses.bodies import one_hot_rows
from lossfw.numerics.arrays import Array, Namespace
from lossfw.numerics.dual import derivatives as dual


def slopes(body: Definition, xp: Namespace, y: Array, t: Array, by_index: bool) -> Array:
    """Return the published derivative of the losses."""
    return (body.unreduced_gradient_at if by_index else body.unreduced_gradient)(xp, y, t)


def bend(
    body: Definition, xp: Namespace, y: Array, t: Array, by_index: bool, direction: Array
) -> Array:
    """Return the derivative of `slopes` along a direction, the Hessian times it."""
    if by_index:
        t = one_hot_rows(xp, y, t)
    if not body.takes_rows:
        return body.unreduced_hessian(xp, y, t) * direction
    return dual.derivatives(
        lambda xp, y: body.unreduced_gradient(xp, y, t), xp, y, order=1, direction=direction
    )[1]


def cross(body: Definition, xp: Namespace, y: Array, t: Array, direction: Array) -> Array:
    """Return the derivative of `slopes` as the target moves along a direction."""
    return dual.derivatives(
        lambda xp, t: body.unreduced_gradient(xp, y + 0.0 * t, t),
        xp,
        t,
        order=1,
        direction=direction,
    )[1]


def check_target(body: Definition) -> None:
    """Raise `ArgumentError` unless the losses have a derivative with respect to the target."""
    if not of_residual(body) and not body.claims().exchangeable:
        raise refuse_slope_of_target(body)


def of_residual(body: Any) -> bool:
    """Tell whether a target has a derivative: minus that of the prediction."""
    return bool(body.argument == "residual")


def refuse_slope_of_target(body: Definition) -> ArgumentError:
    """Return the error for a target that is to be differentiated."""
    return ArgumentError(
        f"{type(body).__name__} has a derivative only with respect to the prediction, and the "
        "target is to be differentiated too: pass it detached (PyTorch: target.detach(), JAX: "
        "jax.lax.stop_gradient(target))."
    )

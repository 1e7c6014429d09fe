"""The published derivatives of a loss, for the rules of PyTorch and JAX.

For a loss of the residual, the derivative by the target is minus the gradient; for an exchangeable
loss, the gradient with both arguments exchanged; other losses have none.
"""

from __future__ import annotations

from lossfw.errors import ArgumentError
from lossfw.losses.base import LossDefinition
from lossfw.losses.bodies import one_hot_rows
from lossfw.numerics.arrays import Array, Namespace
from lossfw.numerics.dual import derivatives as dual


def hessian_product(
    loss: LossDefinition, xp: Namespace, y: Array, t: Array, by_index: bool, direction: Array
) -> Array:
    """Return the Hessian times a direction: the derivative of the gradient along it."""
    if by_index:
        t = one_hot_rows(xp, y, t)
    if not loss.takes_rows:
        return loss._unreduced_hessian(xp, y, t) * direction
    return dual.derivatives(
        lambda xp, y: loss._unreduced_gradient(xp, y, t), xp, y, order=1, direction=direction
    )[1]


def cross_product(
    loss: LossDefinition, xp: Namespace, y: Array, t: Array, direction: Array
) -> Array:
    """Return the derivative of the gradient as the target moves along a direction."""
    return dual.derivatives(
        lambda xp, t: loss._unreduced_gradient(xp, y + 0.0 * t, t),
        xp,
        t,
        order=1,
        direction=direction,
    )[1]


def require_target_derivative(loss: LossDefinition) -> None:
    """Raise `ArgumentError` unless the losses have a derivative with respect to the target."""
    if depends_on_residual(loss) or loss.claims().exchangeable:
        return
    raise ArgumentError(
        f"{loss.name} has a derivative only with respect to the prediction, but the "
        "target is to be differentiated too: pass it detached (PyTorch: target.detach(), JAX: "
        "jax.lax.stop_gradient(target))."
    )


def depends_on_residual(loss: LossDefinition) -> bool:
    """Tell whether the derivative by the target is minus that by the prediction."""
    return loss._argument == "residual"

"""JAX: a loss as a function of arrays, as in optax.

::

    from lossfw.bridges import jax as bridge

    per_example = bridge.function("cross_entropy")
    grad = jax.grad(lambda w: per_example(x @ w, classes).mean())
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from lossfw.bridges.network_loss import check_class_axis, classes_last, trainable_loss
from lossfw.learning.bridge import AutogradBridge, spec_code
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray, is_jax

__all__ = ["JaxBridge", "function"]


@dataclass(frozen=True)
class JaxFunction:
    """A loss as a function of predictions and targets; `function` makes it and documents it.

    Functions of equal losses are equal and have the same hash, so JAX traces and compiles once for
    both, also as static arguments.
    """

    loss: Loss
    class_axis: int = -1
    check: bool = True

    @property
    def __name__(self) -> str:
        return self.loss.name

    def __call__(self, predictions: Any, targets: Any, *, where: Any = None) -> Any:
        """Return the unreduced losses."""
        y, t = classes_last(
            self.loss,
            self.class_axis,
            _to_jax_array(predictions),
            _to_jax_array(targets),
            move=JaxBridge.imported("jax.numpy").moveaxis,
            by="function",
        )
        call = self.loss if self.check else self.loss.unchecked
        return call(y, t, where=None if where is None else _to_jax_array(where), reduction="none")


def function(
    loss: Any, *, class_axis: int = -1, fuse: bool = True, check: bool = True
) -> JaxFunction:
    """Return a loss as a function of predictions and targets, unreduced.

    Parameters
    ----------
    loss : str, mapping or Loss
        A loss with an output activation, such as cross_entropy, then takes logits; see `fuse`.
    class_axis : int
        The axis of the classes of a loss of rows: 1 for images (N, C, H, W).
    fuse : bool
        Whether a loss with an output activation takes logits instead of the activation's results.
    check : bool
        Whether to check classes and values of bounded spaces, if they are known.

    Returns
    -------
    callable
        ``f(predictions, targets, *, where=None)`` gives one loss per element or row, 0 where the
        mask is False. It works under ``jit``, ``grad``, ``vmap`` and ``hessian``, and its
        derivatives are those that the loss defines. A loss of rows takes class indices or
        distributions.

    Raises
    ------
    MissingExtraError
        If JAX is not installed.
    ArgumentError
        If the gradient of the loss is 0 almost everywhere, or an option does not fit.

    Notes
    -----
    Shapes and dtypes are checked, and nothing is broadcast. A value outside of its space is a
    `DomainError`. ``jit`` and ``vmap`` hide the values, so an invalid class index gives NaN.
    ``grad`` hides only the predictions: the targets are checked.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from lossfw.bridges import jax as bridge
    >>> bridge.function("huber")(jnp.array([0.5, 3.0]), jnp.zeros(2)).tolist()
    [0.125, 2.5]
    """
    JaxBridge.imported()
    trained = trainable_loss(loss, fuse=fuse)
    check_class_axis(trained, class_axis)
    return JaxFunction(trained, class_axis, check)


def _to_jax_array(x: Any) -> Any:
    """Return a JAX array; lists and NumPy's arrays as JAX takes them."""
    return x if is_jax(x) else JaxBridge.imported("jax.numpy").asarray(x)


def differentiate(
    function: Callable[..., Any], y: NDArray, *others: NDArray, compiled: bool
) -> tuple[NDArray, NDArray]:
    """Return the losses of a function, and their gradients by `y`, in float64 where `y` is."""
    jax = JaxBridge.imported()
    # Imported on use: it imports JAX.
    from lossfw.losses.engine.jax_rules import double_precision

    def value_and_gradient(y: Any, *others: Any) -> Any:
        losses, back = jax.vjp(lambda y: function(y, *others), y)
        return losses, back(jax.numpy.ones_like(losses))[0]

    with double_precision(y.dtype == np.float64):
        step = jax.jit(value_and_gradient) if compiled else value_and_gradient
        losses, gradients = step(*map(jax.numpy.asarray, (y, *others)))
    return np.asarray(losses), np.asarray(gradients)


class JaxBridge(AutogradBridge):
    """JAX: a loss as a function under jit, grad and vmap."""

    name: ClassVar[str] = "jax"
    library: ClassVar[str] = "jax"
    extra: ClassVar[str] = "jax"

    def build(self, loss: Loss) -> JaxFunction:
        """Return the function of a loss, not fused."""
        return function(loss, fuse=False)

    def usage(self, loss: Loss) -> str:
        return (
            "import jax\n"
            "from lossfw.bridges import jax as bridge\n"
            f"function = bridge.function({spec_code(loss)})\n"
            "gradient = jax.grad(lambda w: function(model(w, x), y).mean())(w)"
        )

    def value_and_gradient(
        self, loss: Loss, y: NDArray, t: NDArray, *, compiled: bool = False
    ) -> tuple[NDArray, NDArray]:
        return differentiate(self.build(loss), y, t, compiled=compiled)

"""Keras 3, on JAX or PyTorch: a loss for ``compile``.

::

    from lossfw.bridges import keras as bridge

    model.compile("adam", bridge.loss("cross_entropy"))
"""

from __future__ import annotations

from typing import Any, ClassVar

from lossfw.bridges.autograd_bridge import AutogradBridge
from lossfw.bridges.bridge import written
from lossfw.errors import ArgumentError
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

__all__ = ["KerasBridge", "loss"]


def loss(
    loss: Any,
    *,
    name: str | None = None,
    reduction: str = "sum_over_batch_size",
    dtype: Any = None,
    fuse: bool = True,
) -> Any:
    """Return a loss as a ``keras.losses.Loss``.

    Parameters
    ----------
    loss : str, mapping or Loss
        A loss with a link, such as cross_entropy, then takes logits, and the last layer of the
        model has no activation; see `fuse`.
    name : str, optional
        In the logs of Keras; the name of the loss unless given.
    reduction : str
        Keras's own: ``"sum_over_batch_size"``, ``"sum"``, ``"mean"``,
        ``"mean_with_sample_weight"`` (the weighted mean of lossfw) or ``"none"``.
    dtype : optional
        Of the computation; Keras's float32 unless given.
    fuse : bool
        Whether a loss with a link takes logits in place of the link's results.

    Returns
    -------
    keras.losses.Loss
        Called with ``y_true, y_pred``, in Keras's order. As Keras's own losses, one of
        elements is averaged over the last axis, and one of classes takes indices of shape
        (n,) or (n, 1), or rows. A saved model loads after ``import lossfw.bridges.keras`` and
        a call of `register`.

    Raises
    ------
    MissingExtraError
        If Keras is not installed.
    ArgumentError
        If Keras runs on another backend, or the slope of the loss is 0 almost everywhere.

    Notes
    -----
    Keras calls a loss with made-up numbers to trace it, so values are not looked at.
    """
    return register()(loss, name=name, reduction=reduction, dtype=dtype, fuse=fuse)


def register() -> Any:
    """Make the class of losses known to Keras, which a saved model needs to be loaded.

    Returns
    -------
    type
        The class, registered as ``lossfw>Loss``.
    """
    KerasBridge.imported()
    # The class derives from one of Keras's, and is registered where it is defined.
    from lossfw.bridges.keras_loss import KerasLoss

    return KerasLoss


class KerasBridge(AutogradBridge):
    """Keras 3 on JAX or PyTorch: a loss for compile."""

    name: ClassVar[str] = "keras"
    library: ClassVar[str] = "keras"
    extra: ClassVar[str] = "keras"

    @classmethod
    def imported(cls, module: str = "") -> Any:
        """Return Keras, or a module of it; see `Bridge.imported`.

        Raises
        ------
        ArgumentError
            If the backend that Keras is set to is not installed.
        """
        try:
            return super().imported(module)
        except ModuleNotFoundError as error:
            raise ArgumentError(
                f"Keras cannot be imported, for its backend needs {error.name}, which is not "
                "installed: set the environment variable KERAS_BACKEND to jax or torch before "
                "Keras is imported."
            ) from None

    def made(self, loss: Loss) -> Any:
        """Return the loss as Keras takes it, unreduced and not fused."""
        return register()(loss, reduction="none", fuse=False)

    def usage(self, loss: Loss) -> str:
        """See `Bridge.usage`."""
        return (
            "import keras\n"
            "from lossfw.bridges import keras as bridge\n"
            f"model.compile('adam', bridge.loss({written(loss)}))"
        )

    def value_and_slope(
        self, loss: Loss, y: NDArray, t: NDArray, *, compiled: bool = False
    ) -> tuple[NDArray, NDArray]:
        """Return losses and slopes in the dtype of `y`, by the backend of Keras."""
        from lossfw.bridges.keras_loss import differentiated

        return differentiated(loss, y, t, compiled=compiled)

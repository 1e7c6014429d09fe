"""Keras 3, on JAX or PyTorch: a loss for ``compile``.

::

    from lossfw.bridges import keras as bridge

    model.compile("adam", bridge.loss("cross_entropy"))

Unlike the other bridges, this module imports its library: Keras loads a saved model only if the
class of its loss is already registered.
"""

from __future__ import annotations

from typing import Any

from lossfw.bridges.keras_bridge import KerasBridge

# If Keras or its backend is missing, this says so.
KerasBridge.imported()

from lossfw.bridges.keras_loss import KerasLoss  # noqa: E402  # which imports Keras

__all__ = ["KerasBridge", "KerasLoss", "loss", "register"]


def loss(
    loss: Any,
    *,
    name: str | None = None,
    reduction: str = "sum_over_batch_size",
    dtype: Any = None,
    class_axis: int = -1,
    fuse: bool = True,
    check: bool = True,
) -> KerasLoss:
    """Return a loss as a ``keras.losses.Loss``.

    Parameters
    ----------
    loss : str, mapping or Loss
        A loss with an output activation, such as cross_entropy, then takes logits, and the last
        layer of the model has no activation; see `fuse`.
    name : str, optional
        The name in Keras's logs; by default the name of the loss.
    reduction : str
        As in Keras: ``"sum_over_batch_size"``, ``"sum"``, ``"mean"``,
        ``"mean_with_sample_weight"`` (the weighted mean of lossfw) or ``"none"``.
    dtype : optional
        The dtype of the computation; by default Keras's float32.
    class_axis : int
        The axis of the classes of a loss of rows: 1 for images (N, C, H, W).
    fuse : bool
        Whether a loss with an output activation takes logits instead of the activation's results.
    check : bool
        Whether to check each batch whose values are known, as on PyTorch. A prediction or a target
        outside of its space then ends the training with `DomainError`. Compiled steps, as on JAX,
        are not checked. The check waits for an accelerator.

    Returns
    -------
    keras.losses.Loss
        Called with ``y_true, y_pred``, in Keras's order. As in Keras, a loss of elements is
        averaged over the last axis, and a loss of classes takes indices of shape (n,) or (n, 1), or
        rows. A row of weight 0, or one that a Keras mask leaves out, may hold anything.

    Raises
    ------
    ArgumentError
        If Keras runs on another backend, the gradient of the loss is 0 almost everywhere, or an
        option does not fit.

    Notes
    -----
    With ``jit_compile=True`` PyTorch compiles the step and batches are not checked. An invalid
    class index then gives NaN, also with ``check=False``.

    A saved model loads after ``import lossfw.bridges.keras``.
    """
    return KerasLoss(
        loss,
        name=name,
        reduction=reduction,
        dtype=dtype,
        class_axis=class_axis,
        fuse=fuse,
        check=check,
    )


def register() -> type[KerasLoss]:
    """Return the class of losses, which this module registers with Keras as ``lossfw>Loss``."""
    return KerasLoss

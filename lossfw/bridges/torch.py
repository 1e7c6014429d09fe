"""PyTorch: a loss as a module, and as a function of tensors.

::

    from lossfw.bridges import torch as bridge

    criterion = bridge.module("cross_entropy", reduction="mean")
    criterion(logits, classes).backward()
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ClassVar

from lossfw.bridges.network_loss import trainable_loss
from lossfw.learning.bridge import AutogradBridge, spec_code
from lossfw.losses.engine.reduction import Denominator, ReductionName
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

__all__ = ["TorchBridge", "function", "module"]


def module(
    loss: Any,
    *,
    reduction: ReductionName = "mean",
    denominator: Denominator = "weights",
    class_axis: int = -1,
    fuse: bool = True,
    check: bool = True,
) -> Any:
    """Return a loss as a ``torch.nn.Module``, ``criterion(input, target)``.

    Parameters
    ----------
    loss : str, mapping or Loss
        A loss with an output activation, such as cross_entropy, then takes logits, as
        ``torch.nn.CrossEntropyLoss`` does; see `fuse`.
    reduction : {"mean", "sum", "none"}
    denominator : {"weights", "count"}
        What a mean divides by; see `lossfw.Loss`.
    class_axis : int
        The axis of the classes of a loss of rows: 1 for images (N, C, H, W).
    fuse : bool
        Whether a loss with an output activation takes logits instead of the activation's results.
    check : bool
        Whether to check classes, weights and values of bounded spaces. The check waits for an
        accelerator. ``torch.compile`` skips it, and then an invalid class index gives NaN; with
        ``check=False`` its result is undefined.

    Returns
    -------
    torch.nn.Module
        Its arguments are ``input, target, sample_weight=None, where=None``. ``where`` is a
        mask of elements or rows that count: ``target != -100`` is PyTorch's ignore_index.

    Raises
    ------
    MissingExtraError
        If PyTorch is not installed.
    ArgumentError
        If the gradient of the loss is 0 almost everywhere, or an option is unknown.

    Notes
    -----
    The derivatives are those that the loss defines, also at ties and kinks, and can be
    differentiated once more. A result has the dtype of the input, under autocast float32; half
    precision is computed in float32. On a CPU, a mean or sum of float32 or float64 without weights
    and masks has the same bits as with NumPy. Nothing is broadcast: (N,) with (N, 1) raises an
    error. A module is pickled by its configuration, and has no parameters.

    Examples
    --------
    >>> import torch
    >>> from lossfw.bridges import torch as bridge
    >>> criterion = bridge.module("huber", reduction="sum")
    >>> criterion(torch.tensor([0.5, 3.0]), torch.zeros(2))
    tensor(2.6250)
    """
    TorchBridge.imported()
    # Its class derives from one of PyTorch's.
    from lossfw.bridges.torch_module import LossModule

    return LossModule(
        loss,
        reduction=reduction,
        denominator=denominator,
        class_axis=class_axis,
        fuse=fuse,
        check=check,
    )


def function(loss: Any, *, fuse: bool = True, check: bool = True) -> Callable[[Any, Any], Any]:
    """Return a loss as a function of input and target, unreduced, for ``torch.func``.

    Parameters and errors are those of `module`. Mapping or compiling a function hides the
    values, so an invalid class index then gives NaN.

    Examples
    --------
    >>> import torch
    >>> from lossfw.bridges import torch as bridge
    >>> bridge.function("huber")(torch.tensor([0.5, 3.0]), torch.zeros(2))
    tensor([0.1250, 2.5000])
    """
    TorchBridge.imported()
    return functools.partial(_unreduced_loss, trainable_loss(loss, fuse=fuse), check)


def _unreduced_loss(loss: Loss, check: bool, input: Any, target: Any) -> Any:  # noqa: A002  # PyTorch's
    return (loss if check else loss.unchecked)(input, target, reduction="none")


def differentiate(function: Callable[[Any], Any], y: NDArray) -> tuple[NDArray, NDArray]:
    """Return the losses of a function of predictions, and their gradients by a backward pass."""
    prediction = TorchBridge.imported().tensor(y, requires_grad=True)
    losses = function(prediction)
    losses.sum().backward()
    return losses.detach().numpy(), prediction.grad.numpy()


class TorchBridge(AutogradBridge):
    """PyTorch: a loss as a module."""

    name: ClassVar[str] = "torch"
    library: ClassVar[str] = "torch"
    extra: ClassVar[str] = "torch"

    def build(self, loss: Loss) -> Any:
        """Return the module of a loss, unreduced and not fused."""
        return module(loss, reduction="none", fuse=False)

    def usage(self, loss: Loss) -> str:
        return (
            "import torch\n"
            "from lossfw.bridges import torch as bridge\n"
            f"bridge.module({spec_code(loss)})(model(x), y).backward()"
        )

    def value_and_gradient(
        self, loss: Loss, y: NDArray, t: NDArray, *, compiled: bool = False
    ) -> tuple[NDArray, NDArray]:
        torch = self.imported()
        criterion = self.build(loss)
        if compiled:
            criterion = torch.compile(criterion, fullgraph=True, backend="aot_eager")
        return differentiate(lambda y: criterion(y, torch.tensor(t)), y)

"""The module of a loss, which requires PyTorch; see `lossfw.bridges.torch`."""

from __future__ import annotations

from typing import Any

import torch

from lossfw.bridges.network_loss import check_class_axis, classes_last, trainable_loss
from lossfw.losses.engine import torch_fast_path
from lossfw.losses.engine.reduction import Denominator, Reduction, ReductionName
from lossfw.numerics.arrays import is_torch

# Before a compiler of PyTorch follows the call, PyTorch has been looked for.
is_torch(None)


class LossModule(torch.nn.Module):  # type: ignore[misc]  # torch may be missing
    """A loss as a module; `lossfw.bridges.torch.module` makes and documents it."""

    def __init__(
        self,
        loss: Any,
        *,
        reduction: ReductionName,
        denominator: Denominator,
        class_axis: int,
        fuse: bool,
        check: bool,
    ) -> None:
        super().__init__()
        self.loss = trainable_loss(loss, fuse=fuse)
        # Refuses a misspelt choice now.
        Reduction(reduction, denominator)
        check_class_axis(self.loss, class_axis)
        self.reduction, self.denominator = reduction, denominator
        self.class_axis, self.check = class_axis, check
        self._fast_path = reduction != "none" and class_axis == -1 and not self.loss._has_own_weight

    def forward(
        self,
        input: Any,  # noqa: A002  # PyTorch's name
        target: Any,
        sample_weight: Any = None,
        where: Any = None,
        group: Any = None,
    ) -> Any:
        """Return the loss; `group` is for a loss of groups."""
        if self._fast_path and sample_weight is None and where is None and group is None:
            mean = self.reduction == "mean"
            result = torch_fast_path.compute(
                self.loss, input, target, mean=mean, checked=self.check
            )
            if result is not None:
                return result
        input, target = classes_last(  # noqa: A001
            self.loss, self.class_axis, input, target, move=torch.movedim, by="module"
        )
        call = self.loss if self.check else self.loss.unchecked
        result = call(
            input,
            target,
            group=group,
            sample_weight=sample_weight,
            where=where,
            reduction=self.reduction,
            denominator=self.denominator,
        )
        dtype = torch.float32 if torch.is_autocast_enabled(input.device.type) else input.dtype
        return result.to(dtype) if dtype.is_floating_point else result

    def extra_repr(self) -> str:
        """Return what ``repr`` shows."""
        options = [f"{self.loss!r}", f"reduction={self.reduction!r}"]
        if self.denominator != "weights":
            options.append(f"denominator={self.denominator!r}")
        if self.class_axis != -1:
            options.append(f"class_axis={self.class_axis}")
        return ", ".join(options)

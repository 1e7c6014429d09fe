"""Whether the spaces of the parts fit: what a network gives, what a loss takes, what data hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lossfw.components.registry import Registry
from lossfw.components.spaces import BINARY, CLASS_INDEX, REAL, SIGN, SIMPLEX, UNIT, Interval, Space
from lossfw.config.schema import suggestions
from lossfw.config.text.tree import Node, Problems
from lossfw.data import Dataset
from lossfw.data.lazy_arrays import read_rows, stays
from lossfw.errors import DomainError
from lossfw.losses.loss import Loss
from lossfw.metrics import LossMetric, Metric
from lossfw.nn.activation import Activation
from lossfw.numerics.arrays import NDArray

# So many targets of a file that is too large for the memory are looked at
# before a run; all of them are as it goes.
LOOKED_AT = 4_096


def range_of(space: Space) -> Interval:
    """Return the least closed interval that holds the numbers of a space.

    Examples
    --------
    >>> range_of(SIMPLEX).low, range_of(SIMPLEX).high
    (0.0, 1.0)
    """
    if isinstance(space, Interval):
        return Interval("", "", low=space.low, high=space.high)
    if space in (SIMPLEX, BINARY):
        return range_of(UNIT)
    return range_of(REAL)


def within(inner: Space, outer: Space) -> bool:
    """Tell whether no number of one space is far from another: bounds may be touched."""
    least, most = range_of(inner), range_of(outer)
    return least.low >= most.low and least.high <= most.high


def check_predictions(
    taker: Loss | Metric,
    last: Activation,
    registry: Registry | None,
    root: Node,
    path: Sequence[str | int],
    problems: Problems,
) -> bool:
    """Check that a loss or a metric takes what the last activation gives.

    Parameters
    ----------
    taker : Loss or Metric
        A loss in the form in which it sees predictions.
    last : Activation
        That of the last layer.
    registry : Registry or None
        Knows other activations, for advice.
    root : Node
        The configuration.
    path : sequence of str or int
        Where a mistake is pointed at.
    problems : Problems
        Receives it.

    Returns
    -------
    bool
        Whether it does.
    """
    loss = taker.of if isinstance(taker, LossMetric) else taker
    space = loss.prediction_space if isinstance(loss, Loss) else loss.prediction
    if within(last.out_space, space):
        return True
    names = (loss.link_activation() if isinstance(loss, Loss) else None) or (
        "" if registry is None else suggestions.for_space(space, registry)
    )
    mend = f"make the last activation {names}" if names else "take another last activation"
    kind = taker.kind
    problems.add(
        root.locate(path),
        f"the {kind} {loss.name} takes predictions in {space.name}, {space.meaning}, and the last "
        f"activation {last.name} gives {last.out_space.meaning}",
        f"{mend}, or {'leave the metric out' if kind == 'metric' else 'take another loss'}",
    )
    return False


def refuse_classes(
    loss: Loss,
    data: Dataset,
    registry: Registry | None,
    root: Node,
    path: Sequence[str | int],
    problems: Problems,
) -> bool:
    """Refuse class indices in front of a loss that takes something else.

    Parameters
    ----------
    loss : Loss
        As it will be computed.
    data : Dataset
        The rows.
    registry : Registry or None
        Knows other losses, for advice.
    root : Node
        The configuration.
    path : sequence of str or int
        Where the loss stands.
    problems : Problems
        Receives the mistake.

    Returns
    -------
    bool
        Whether there was one.
    """
    targets, space = _looked_at(data), loss.target_space
    if _takes_classes(loss) or not _are_classes(targets) or space.outside(targets) is None:
        return False
    most = int(targets.max())
    hint = _losses_of_classes(loss, registry)
    if space is SIGN and most <= 1:
        hint = f"give the targets -1 and +1; or {hint}"
    problems.add(
        root.locate(path),
        f"the loss {loss.name} takes targets in {space.name}, {space.meaning}, and the data "
        f"{data.name!r} have the class indices 0 to {most}",
        hint,
    )
    return True


def check_targets(
    loss: Loss,
    shape: tuple[int, ...],
    data: Dataset,
    root: Node,
    units: Sequence[str | int] | None,
    problems: Problems,
) -> None:
    """Check the targets against those that a loss takes; shapes have been checked.

    Parameters
    ----------
    loss : Loss
        As it will be computed.
    shape : tuple of int
        Of predictions or logits, rows included.
    data : Dataset
        The rows. All their targets are looked at, or of a file that is not in
        the memory the first.
    root : Node
        The configuration.
    units : sequence of str or int, or None
        Where the number of classes stands, if there is a network.
    problems : Problems
        Receives what is wrong.
    """
    targets = _looked_at(data)
    by_index = _takes_classes(loss) and targets.ndim == len(shape) - 1
    try:
        loss.check_domain(np.empty((0, *shape[1:])), targets, by_index, 0)
    except DomainError as error:
        what = f"data {data.name!r}: {error}".removesuffix(".")
        if by_index and units is not None and int(targets.max()) >= shape[-1]:
            hint = f"write units: {int(targets.max()) + 1}, one for each class"
            problems.add(root.locate(units), what, hint)
        else:
            problems.add(root.locate(["data"]), what)


def class_advice(loss: Loss, data: Dataset, registry: Registry | None) -> str:
    """Return what to do where class indices stand before a loss that takes no classes."""
    if _takes_classes(loss) or not _are_classes(_looked_at(data)):
        return ""
    return f"if the targets are class indices, {_losses_of_classes(loss, registry)}"


def _losses_of_classes(loss: Loss, registry: Registry | None) -> str:
    names = "" if registry is None else suggestions.for_classes(registry)
    return f"take {names or 'a loss of classes'} in place of {loss.name}"


def _looked_at(data: Dataset) -> NDArray:
    """Return the targets, or of a file that is not in the memory the first."""
    if stays(data.targets):
        return read_rows(data.targets, 0, min(LOOKED_AT, len(data)))
    return data.targets


def _takes_classes(loss: Loss) -> bool:
    return loss.takes_rows and loss.target_space in (CLASS_INDEX, SIMPLEX)


def _are_classes(targets: NDArray) -> bool:
    """Tell whether targets look like class indices: whole numbers from 0, one for each row."""
    return (
        targets.ndim == 1
        and targets.dtype.kind in "iu"
        and targets.size > 0
        and (int(targets.min()) >= 0)
    )

"""Whether the parts of a configuration fit each other, before anything is computed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from lossfw.components.spaces import CLASS_INDEX, SIMPLEX, UNIT
from lossfw.config.schema.messages import split_hint
from lossfw.config.text.tree import Node, Problems, dotted
from lossfw.errors import ArgumentError, DataError, LossfwError, ParameterError
from lossfw.losses.base import Form
from lossfw.losses.inputs import prepare
from lossfw.losses.loss import Loss
from lossfw.nn.activation import Activation
from lossfw.numerics.arrays import NDArray

# Parameters with which a user asks for a loss of probabilities: then it is not
# replaced by the one from logits, which has no guard.
_GUARDING = ("guard", "delta")

# The activation that leaves logits as they are.
_NO_ACTIVATION = "identity"


class Fitted(NamedTuple):
    """A loss in the form in which it is computed.

    Attributes
    ----------
    loss : Loss
        On logits where it was fused with the last activation.
    form : {"prediction", "logits"}
        What reaches it.
    """

    loss: Loss
    form: Form


@contextmanager
def at(root: Node, path: Sequence[str | int], problems: Problems, hint: str = "") -> Iterator[None]:
    """Record what the ``with`` block raises about the user's input as a mistake at `path`."""
    try:
        yield
    except (ArgumentError, DataError, ParameterError) as error:
        what, guess = split_hint(_sentence(error))
        problems.add(root.locate(path), what, guess or hint)


def _sentence(error: LossfwError) -> str:
    """Return an error's message as the end of ``file:line:col: error:``."""
    return str(error).removesuffix(".")


def fit_to_network(loss: Loss, last: Activation, root: Node, problems: Problems) -> Fitted:
    """Return the loss in the form that suits the network's last activation.

    A last activation that is the loss's link is fused with it, unless the
    configuration says ``fuse: false`` or sets the guard itself.

    Parameters
    ----------
    loss : Loss
        As configured.
    last : Activation
        That of the last layer.
    root : Node
        The configuration, for what it sets and for positions.
    problems : Problems
        Receives a last activation in front of a loss that expects logits.
    """
    if loss.input_form == "logits":
        if not leaves_logits(last):
            _refuse_activation(loss, last, root, problems)
        return Fitted(loss, "logits")
    linked = last.to_config() == {"name": loss.link_activation()}
    fused = loss.on_logits() if linked and not _unfused_by(root) else None
    return Fitted(loss, "prediction") if fused is None else Fitted(fused, "logits")


def leaves_logits(last: Activation) -> bool:
    """Tell whether a last activation leaves logits as they are."""
    return last.name == _NO_ACTIVATION


def _refuse_activation(loss: Loss, last: Activation, root: Node, problems: Problems) -> None:
    layers = root.find(["network", "layers"])
    index = len(layers.value) - 1 if layers is not None else 0
    probabilities = last.out_space in (UNIT, SIMPLEX)
    problems.add(
        root.locate(["network", "layers", index, "activation"]),
        f"the loss {loss.name} is set to take logits, and the last activation {last.name} "
        f"{'makes probabilities of them' if probabilities else 'changes them'}",
        f"write activation: {_NO_ACTIVATION}, or leave the loss's {_form(loss)} out: a loss is "
        "fused with its own activation by itself",
    )


def _form(loss: Loss) -> str:
    """Return the name of the parameter that makes a loss take logits."""
    return "link" if "link" in loss.parameters else "from_logits"


def fit_to_outputs(loss: Loss, given: str, root: Node, problems: Problems) -> Fitted:
    """Return the loss in the form that suits saved outputs.

    Parameters
    ----------
    loss : Loss
        As configured.
    given : {"predictions", "logits"}
        What the configuration calls them.
    root : Node
        The configuration, for what it sets and for positions.
    problems : Problems
        Receives outputs that the loss does not take.
    """
    place = root.locate(["network", given], key=True)
    if given == "predictions":
        if loss.input_form == "logits":
            problems.add(
                place,
                f"network.predictions are given, and the loss {loss.name} is set to take logits",
                f"name them network.logits, or leave the loss's {_form(loss)} out",
            )
        return Fitted(loss, "prediction")
    if loss.input_form == "logits":
        return Fitted(loss, "logits")
    fused = loss.on_logits()
    unfused_by = _unfused_by(root)
    if fused is None:
        problems.add(
            place,
            f"network.logits are given, and the loss {loss.name} has no form for logits",
            "name them network.predictions if the loss is to take them as they are",
        )
    elif unfused_by:
        problems.add(
            root.locate(["loss", *unfused_by], key=True),
            f"the loss has {dotted(unfused_by)}, and network.logits are computed without a guard",
            f"leave {dotted(unfused_by)} out, or give network.predictions",
        )
    return Fitted(fused or loss, "logits")


def _unfused_by(root: Node) -> list[str | int]:
    """Return the path below the loss of what asks for probabilities; empty if nothing does."""
    node = root.find(["loss"])
    if node is None or not isinstance(node.value, dict):
        return []
    fuse = node.value.get("fuse")
    return ["fuse"] if fuse is not None and fuse.value is False else _guarding(node)


def _guarding(node: Node) -> list[str | int]:
    """Return the path to the first parameter of a guard, in the loss or in a part of it."""
    if isinstance(node.value, dict):
        inside: Iterable[tuple[str | int, Node]] = node.value.items()
    else:
        inside = enumerate(node.value) if isinstance(node.value, list) else ()
    for step, child in inside:
        below = [] if step in _GUARDING else _guarding(child)
        if step in _GUARDING or below:
            return [step, *below]
    return []


def check_shapes(loss: Loss, shape: tuple[int, ...], targets: NDArray) -> None:
    """Check the shape of what reaches the loss against the targets.

    Parameters
    ----------
    loss : Loss
        As it will be computed.
    shape : tuple of int
        Of predictions or logits, rows included.
    targets : ndarray
        Of all rows; only shape and dtype are looked at.

    Raises
    ------
    ShapeError, DtypeError
        If they do not fit.
    """
    classes = loss.takes_rows and loss.target_space in (CLASS_INDEX, SIMPLEX)
    # An array of this shape that takes no memory.
    stand_in = np.broadcast_to(np.float64(0.0), shape)
    prepare(
        stand_in,
        targets,
        rowwise=loss.takes_rows,
        classes=classes,
        per_row_target=loss.target_per_row,
    )
    # Of no rows: whatever the loss says of columns.
    by_index = classes and targets.ndim < len(shape)
    loss.check_domain(np.empty((0, *shape[1:])), targets[:0], by_index, 0)


def check_metrics(
    metrics: Sequence[Any], shown: Form, root: Node, problems: Problems
) -> frozenset[int]:
    """Refuse metrics that make no sense of what they are shown.

    Parameters
    ----------
    metrics : sequence of Metric or None
        In the order of the configuration; None for one that is wrong itself.
    shown : {"prediction", "logits"}
        What the network, or whoever saved its outputs, gives.
    root, problems
        As above.

    Returns
    -------
    frozenset of int
        The indices of those that were refused.
    """
    refused = set()
    for index, metric in enumerate(metrics):
        if metric is not None and metric.accepts not in ("any", shown):
            refused.add(index)
            problems.add(
                root.locate(["evaluate", "metrics", index]),
                f"the metric {metric.label} takes {_WORDS[metric.accepts]}, and what it would be "
                f"shown are {_WORDS[shown]}",
                f"leave it out, or give {_WORDS[metric.accepts]}",
            )
    return frozenset(refused)


_WORDS = {"prediction": "predictions", "logits": "logits"}

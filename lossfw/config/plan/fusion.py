"""Choose the form of the loss, and check metrics and shapes against it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from lossfw.components.spaces import SIMPLEX, UNIT
from lossfw.config.schema.checked import CheckedConfig
from lossfw.config.schema.output_origin import OutputOrigin
from lossfw.config.text.tree import Node, format_path
from lossfw.evaluation.plan import check_has_rows
from lossfw.evaluation.predictor import outputs_for
from lossfw.losses.base import Form, plural_of_form
from lossfw.losses.capabilities import GuardedLoss, RawOutputLoss
from lossfw.losses.inputs import prepare
from lossfw.losses.loss import Loss
from lossfw.losses.nested import iter_nested_losses
from lossfw.nn.activation import Activation
from lossfw.numerics.arrays import NDArray

# The activation that leaves logits as they are.
_NO_ACTIVATION = "identity"


def adapt_to_activation(
    config: CheckedConfig, loss: Loss, origin: OutputOrigin, output_activation: Activation
) -> tuple[Loss, Form]:
    """Return the loss and its input for raw outputs and an output activation.

    The loss's own output activation is fused with it, unless the configuration says ``fuse:
    false`` or sets the guard. An output activation for a loss that expects logits is a mistake.
    """
    if loss._takes_raw_outputs:
        if not keeps_logits(output_activation):
            _refuse_activation(config, loss, origin, output_activation)
        return loss, loss._input_form
    expected = output_activation.to_config() == {"name": loss._expected_activation()}
    fused = loss.on_raw_outputs() if expected and not _unfusing_key(config, loss) else None
    return (loss, "prediction") if fused is None else (fused, fused._input_form)


def keeps_logits(output_activation: Activation) -> bool:
    """Tell whether an output activation does not change logits."""
    return output_activation.name == _NO_ACTIVATION


def _refuse_activation(
    config: CheckedConfig, loss: Loss, origin: OutputOrigin, output_activation: Activation
) -> None:
    probabilities = output_activation.out_space in (UNIT, SIMPLEX)
    config.add(
        origin.activation_place,
        f"the loss {loss.name} is configured to take {loss._input_form}, but "
        f"{origin.activation_words} {output_activation.name} "
        f"{'turns them into probabilities' if probabilities else 'changes them'}",
        (
            ""
            if origin.activation_is_given
            else f"write {origin.activation_place[-1]}: {_NO_ACTIVATION}, or "
        )
        + f"leave the loss's {_raw_parameters_text(loss)} out: a loss is fused with its own "
        "activation by itself",
    )


def _raw_parameters_text(loss: Loss) -> str:
    """Return the name of the parameter that makes a loss take logits."""
    expected = next(one for one in iter_nested_losses(loss) if isinstance(one, RawOutputLoss))
    return ", ".join(expected.raw_parameters)


def _logit_parameters(loss: Loss) -> tuple[str, ...]:
    """Return the names of the parameters that make the loss itself take logits."""
    return tuple(loss.raw_parameters) if isinstance(loss, RawOutputLoss) else ()


def adapt_to_outputs(config: CheckedConfig, loss: Loss, origin: OutputOrigin) -> tuple[Loss, Form]:
    """Return the loss and its input for outputs without an output activation."""
    if origin.form == "prediction":
        if loss._takes_raw_outputs:
            config.add(
                origin.place,
                f"{origin.given}, but the loss {loss.name} is configured to take "
                f"{loss._input_form}",
                f"{origin.logits_hint}, or leave the loss's {_raw_parameters_text(loss)} out",
                key=True,
            )
        return loss, "prediction"
    if loss._takes_raw_outputs:
        return loss, loss._input_form
    fused, unfused_by = loss.on_raw_outputs(), _unfusing_key(config, loss)
    if fused is None:
        config.add(
            origin.place,
            f"network.raw_outputs is given, but the loss {loss.name} takes only predictions",
            "name them network.predictions if the loss takes these numbers as they are",
            key=True,
        )
    elif unfused_by:
        guarded = "are computed without a guard"
        config.add(
            ["loss", *unfused_by],
            f"the loss has {format_path(unfused_by)}, and network.raw_outputs "
            f"{guarded if unfused_by[0] not in _logit_parameters(loss) else 'are given'}",
            f"leave {format_path(unfused_by)} out, or give network.predictions",
            key=True,
        )
    return (loss, "logits") if fused is None else (fused, fused._input_form)


def _unfusing_key(config: CheckedConfig, loss: Loss) -> list[str | int]:
    """Return the path below the loss to a key that prevents fusing; empty if there is none."""
    node = config.root.find(["loss"])
    if node is None or not isinstance(node.value, dict):
        return []
    fuse = node.value.get("fuse")
    if fuse is not None and fuse.value is False:
        return ["fuse"]
    # Written by hand, "not from logits" is meant.
    written = [name for name in _logit_parameters(loss) if name in node.value]
    if written:
        return [written[0]]
    return guard_key(config, loss)


def guard_key(config: CheckedConfig, loss: Loss) -> list[str | int]:
    """Return the path below the loss to the first guard parameter that is set, or "".

    A user who sets a guard asks for the loss of probabilities, because there is no guard on
    logits.
    """
    node = config.root.find(["loss"])
    if node is None or not isinstance(node.value, dict):
        return []
    guarded = [one for one in iter_nested_losses(loss) if isinstance(one, GuardedLoss)]
    return _find_guard(node, {name for one in guarded for name in one.guard_parameters})


def _find_guard(node: Node, names: set[str]) -> list[str | int]:
    """Return the path to the first parameter of a guard, in the loss or in a part of it."""
    if isinstance(node.value, dict):
        inside: Iterable[tuple[str | int, Node]] = node.value.items()
    else:
        inside = enumerate(node.value) if isinstance(node.value, list) else ()
    for step, child in inside:
        below = [] if step in names else _find_guard(child, names)
        if step in names or below:
            return [step, *below]
    return []


def check_shapes(loss: Loss, shape: tuple[int, ...], targets: NDArray) -> None:
    """Check the shape of predictions or logits, rows included, against all targets."""
    check_has_rows(loss, shape)
    classes = loss.takes_classes
    # An array of this shape that takes no memory.
    stand_in = outputs_for(loss, np.broadcast_to(np.float64(0.0), shape), targets)
    by_space = loss.has_columns or loss.takes_groups
    spaces = (loss.prediction_space, loss.target_space) if by_space else None
    call = prepare(stand_in, targets, rowwise=loss.takes_rows, classes=classes, spaces=spaces)
    loss._check_columns(tuple(call.y.shape))
    # An author's own check may look at shapes.
    loss.check_domain(call.y[:0], call.t[:0], call.by_index, 0)


def check_metrics(config: CheckedConfig, form: Form) -> frozenset[int]:
    """Refuse metrics that take outputs of a form other than `form`; return their indices."""
    refused = set()
    for index, metric in enumerate(config.metrics):
        if metric is not None and metric.accepts not in ("any", form):
            refused.add(index)
            config.add(
                ["evaluate", "metrics", index],
                f"the metric {metric.label} takes {plural_of_form(metric.accepts)}, but its input "
                f"would be {plural_of_form(form)}",
                f"leave it out, or give {plural_of_form(metric.accepts)}",
            )
    return frozenset(refused)

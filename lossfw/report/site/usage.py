"""The lines that use a component: in Python, a configuration, the command line, other libraries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from lossfw.components.component import Component, yaml_value
from lossfw.config.text.writing import format_in_one_line
from lossfw.errors import LossfwError
from lossfw.learning.bridge import Bridge
from lossfw.losses.loss import Loss
from lossfw.models import Model
from lossfw.nn.activation import Activation
from lossfw.nn.sample_curve import line_of
from lossfw.report.site.content import PageSubject
from lossfw.report.site.markup import fence_block
from lossfw.report.text.show_component import TRAIN

# Where the configuration of a run names a component of each kind.
_KEYS = {
    "loss": "loss: {}",
    "activation": "network:\n  layers:\n    - {{units: 10, activation: {}}}",
    "metric": "evaluate:\n  metrics: [{}]",
    "source": "data: {}",
    "optimizer": "train:\n  optimizer: {}",
}

# Two places on the line of a curve, as shares of its length.
_PLACES = (0.4, 0.75)


def usage_tabs(subject: PageSubject, bridges: Sequence[Bridge]) -> list[tuple[str, str]]:
    """Return titles of tabs with their content, in Markdown."""
    python = list(_python_tab(subject))
    # A model is named in a configuration.
    found = (
        [("Python", fence_block("python", *python))] if python or subject.kind != "model" else []
    )
    if isinstance(sample := subject.sample, Model):
        found.append(("YAML", fence_block("yaml", *_model_yaml(sample))))
    elif sample is not None:
        shown = {key: yaml_value(value) for key, value in _shown_parameters(sample).items()}
        short = format_in_one_line({"name": sample.name, **shown}) if shown else sample.name
        found.append(("YAML", fence_block("yaml", _KEYS[subject.kind].format(short))))
    found.append(("Command line", fence_block("sh", *_command_tab(subject))))
    return found + list(_bridges(subject, bridges))


def _model_yaml(model: Model) -> Iterator[str]:
    named = model.to_config()
    if model.training_mode is None:
        yield f"model: {format_in_one_line({**named, 'file': 'FILE'})}"
        return
    yield f"model: {format_in_one_line(named) if len(named) > 1 else model.name}"
    yield TRAIN[model.training_mode]


def _python_tab(subject: PageSubject) -> Iterator[str]:
    sample, examples = subject.sample, subject.description["examples"].splitlines()
    if isinstance(sample, Loss | Activation):
        yield ">>> import lossfw"
        name = "loss" if isinstance(sample, Loss) else "f"
        shown = [f"{key}={yaml_value(value)!r}" for key, value in _shown_parameters(sample).items()]
        arguments = ", ".join([repr(sample.name), *shown])
        yield f">>> {name} = lossfw.{subject.kind}({arguments})"
        yield from _call_lines(name, sample)
        if examples:
            yield ""
    yield from examples


def _shown_parameters(component: Component) -> dict[str, Any]:
    """Return the parameters to show: those of the class itself, and others that were changed."""
    changed = component.to_config()
    own = type(component).__annotations__
    return {
        key: value for key, value in component.parameters.items() if key in own or key in changed
    }


def _call_lines(name: str, component: Loss | Activation) -> list[str]:
    """Return calls at two places of its curve, with their results."""
    try:
        line = line_of(component)
    except LossfwError:
        # A loss of a stranger's spaces has no line.
        return []
    x = np.round(line.low + (line.high - line.low) * np.array(_PLACES), 2)
    arrays = [np.round(array, 2) for array in line.arguments_at(x)]
    given = ", ".join(str(array.tolist()) for array in arrays)
    calls: list[tuple[str, Callable[..., Any]]] = [(f"{name}({given})", component)]
    if isinstance(component, Loss):
        calls.append((f"{name}.gradient({given})", component.gradient))
    try:
        lines = [_shown_result(call, function(*arrays)) for call, function in calls]
    except LossfwError:
        # A sample may need more columns than a curve has, as for weights of three classes.
        return []
    return [line for pair in lines for line in pair]


def _shown_result(call: str, result: Any) -> tuple[str, str]:
    """Return a call and its result, in one line where NumPy would part it by empty ones."""
    if np.ndim(result) > 2:
        return f">>> {call}.round(4).tolist()", repr(result.round(4).tolist())
    return f">>> {call}", repr(result)


def _command_tab(subject: PageSubject) -> Iterator[str]:
    name, sample = subject.name, subject.sample
    shown = {} if sample is None or isinstance(sample, Model) else _shown_parameters(sample)
    given = "".join(
        f" -p {key}={format_in_one_line(yaml_value(value))}"
        for key, value in shown.items()
        if not isinstance(value, Component | tuple)
    )
    yield f"lossfw show {name}{given}"
    if subject.kind in ("loss", "activation"):
        yield f"lossfw plot {name}{given} --out-file {name}.svg"
        yield f"lossfw check {name}{given}"
        yield f"lossfw accuracy {name}{given}"
    if subject.kind == "model":
        yield f"lossfw check {name}"


def _bridges(subject: PageSubject, bridges: Sequence[Bridge]) -> Iterator[tuple[str, str]]:
    """Yield the lines of each library that can train with a loss."""
    loss = subject.sample
    if not isinstance(loss, Loss):
        return
    for bridge in bridges:
        try:
            lines = bridge.usage(loss) if bridge.refusal(loss) is None else ""
        except LossfwError:
            # One that has no usage example, or not for this loss.
            continue
        if lines:
            title, _, _ = type(bridge)._summary().partition(":")
            # A tab has room for the library, and not for what it runs on.
            yield title.partition(" on ")[0], fence_block("python", lines.rstrip())

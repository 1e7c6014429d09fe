"""Which functions of a component have a compiled form."""

from __future__ import annotations

from typing import Any

import numpy as np

from lossfw.losses.engine import loss_kernels
from lossfw.losses.engine.row_loss_kernels import row_candidate_of
from lossfw.losses.loss import Loss
from lossfw.nn import activation_kernels
from lossfw.nn.activation import Activation
from lossfw.numerics.compiled import machine

_OF_LOSSES = ("value", "gradient", "hessian")
_OF_ACTIVATIONS = ("value", "vjp")

# The length of the rows at which a body of rows is looked at.
_COLUMNS = 10


def engine_of(component: Loss | Activation) -> dict[str, Any]:
    """Return which functions of a component have a compiled form, and why others have none.

    Returns
    -------
    dict
        ``compiled``, a list of names such as ``"value"``; ``tiles``, the reasons by name;
        ``installed``, whether there is anything to compile with.
    """
    problems = {name: _problem(component, name) for name in _names(component)}
    return {
        "compiled": [name for name, problem in problems.items() if not problem],
        "tiles": {name: problem for name, problem in problems.items() if problem},
        "installed": machine.is_there(),
    }


def _names(component: Loss | Activation) -> tuple[str, ...]:
    return _OF_LOSSES if isinstance(component, Loss) else _OF_ACTIVATIONS


def _problem(component: Loss | Activation, name: Any) -> str:
    if component.takes_rows:
        return _problem_of_rows(component, name)
    if isinstance(component, Loss):
        candidate = loss_kernels.candidate_of(component.without_own_weight(), name)
    else:
        candidate = activation_kernels.candidate_of(component, name)
    return _problem_of(candidate)


def _problem_of(candidate: Any) -> str:
    """Return why a function has no kernel in float64."""
    problem: str = candidate.problem(np.dtype(np.float64))
    return problem


def _problem_of_rows(component: Loss | Activation, name: Any) -> str:
    if not isinstance(component, Loss):
        return _problem_of(activation_kernels.row_candidate_of(component, name, _COLUMNS))
    body = component.without_own_weight()
    columns = component.fixed_classes or _COLUMNS
    by_index = component.takes_classes and name != "hessian"
    return _problem_of(row_candidate_of(body, name, columns, by_index=by_index))


def engine_line(engine: dict[str, Any], *, here: bool) -> str:
    """Return the engine of a component as one line; with `here` it names a missing library.

    Examples
    --------
    >>> engine = {"compiled": ["value"], "tiles": {"hessian": "it is"}, "installed": False}
    >>> engine_line(engine, here=False)
    'compiled: value; tiles: hessian, since it is'
    """
    reasons: dict[str, list[str]] = {}
    for name, reason in engine["tiles"].items():
        reasons.setdefault(reason, []).append(name)
    parts = [f"compiled: {', '.join(engine['compiled'])}"] if engine["compiled"] else []
    parts += [f"tiles: {', '.join(names)}, since {reason}" for reason, names in reasons.items()]
    if here and engine["compiled"] and not engine["installed"]:
        parts.append("llvmlite is not installed: pip install 'lossfw[fast]'")
    return "; ".join(parts)

"""Which functions of a component have a compiled form."""

from __future__ import annotations

from typing import Any

import numpy as np

from lossfw.losses.engine import call_kernels
from lossfw.losses.loss import Loss
from lossfw.nn import activation_kernels
from lossfw.nn.activation import Activation
from lossfw.numerics.compiled import llvm_target

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
        "installed": llvm_target.is_available(),
    }


def _names(component: Loss | Activation) -> tuple[str, ...]:
    return _OF_LOSSES if isinstance(component, Loss) else _OF_ACTIVATIONS


def _problem(component: Loss | Activation, name: Any) -> str:
    """Return why a function has no kernel in float64."""
    columns, dtype = _COLUMNS if component.takes_rows else None, np.dtype(np.float64)
    if not isinstance(component, Loss):
        return activation_kernels.candidate_of(component, name, columns).problem(dtype)
    if columns is not None and component.fixed_classes:
        columns = component.fixed_classes
    loss, by_index = component.without_own_weight(), component.takes_classes and name != "hessian"
    return call_kernels.candidate_of(loss, name, columns, by_index=by_index).problem(dtype)


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

"""Facts about a component that its docstring does not say: its place, curve, peers, examples."""

from __future__ import annotations

import ast
import doctest
import inspect
from pathlib import Path
from typing import Any

from lossfw.components.component import Component
from lossfw.errors import LossfwError
from lossfw.losses.loss import Loss
from lossfw.nn.activation import Activation
from lossfw.nn.sample_curve import line_of


def place(cls: type[Component]) -> dict[str, Any]:
    """Return file and line of a class; the file begins at the folder of its package."""
    try:
        path, line = inspect.getsourcefile(cls), inspect.getsourcelines(cls)[1]
    except (OSError, TypeError):  # a class that was typed in, say
        return {"file": "", "line": 0}
    return {
        "file": "/".join(Path(path or "").parts[-1 - cls.__module__.count(".") :]),
        "line": line,
    }


def examples(cls: type[Component], section: str) -> str:
    """Return a section of examples so that it runs by itself: its class is imported first."""
    code = "".join(example.source for example in doctest.DocTestParser().get_examples(section))
    used = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}
    if cls.__qualname__ not in used:
        return section
    begun = f">>> from {cls.__module__} import {cls.__qualname__}\n>>>"
    return section.replace(">>>", begun, 1)


def curve_line(component: Loss | Activation) -> dict[str, Any] | None:
    """Return the line along which a component is drawn; None where it cannot be."""
    try:
        line = line_of(component)
    except LossfwError:
        return None
    return {"label": line.label, "low": line.low, "high": line.high, "rows": line.rows}


def peers_of(name: str) -> list[dict[str, Any]]:
    """Return the functions of other libraries that have a component's formula.

    Returns
    -------
    list of dict
        ``library``, ``call``, ``times`` (the component is so many times the call; a text names
        a parameter) and ``when``, the parameters at which it is so.
    """
    # It knows the other libraries by name, and imports none.
    from lossfw.check.accuracy.peers import PEERS

    return [
        {"library": peer.name, "call": one.call, "times": one.times, "when": dict(one.when)}
        for peer in PEERS
        for one in peer.functions(name)
    ]

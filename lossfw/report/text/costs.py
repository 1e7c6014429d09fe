"""The cost of a component an element, from the measurements that its package ships.

A package may have a file ``costs.json`` beside its modules; that of the built-in components is
written by ``make costs``::

    {"processor": ..., "numpy": ..., "components": {NAME: [{"parameters": {...}, "costs":
        {"float32": {"tiles": {"value": 1.1, "gradient": 1.4}, "kernel": ..., "naive": ...},
         "float64": ...}}]}}

Numbers are nanoseconds of CPU time on one thread, for an element of a large array; "gradient"
is the value with the gradient. "naive" is the textbook's formula in NumPy.
"""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import Any

from lossfw.components.component import Component

_FILE = "costs.json"


def costs_of(component: Component) -> dict[str, Any] | None:
    """Return the costs of a component at its parameters, None where they were not measured.

    Returns
    -------
    dict or None
        ``processor``, ``numpy`` and, for each dtype, ``{column: {kind: nanoseconds}}``.

    Examples
    --------
    >>> import lossfw
    >>> sorted(costs_of(lossfw.loss("huber"))["costs"]["float32"]["naive"])
    ['gradient', 'value']
    """
    measured = _measured(type(component).__module__.partition(".")[0])
    for one in measured.get("components", {}).get(component.name, ()):
        if one["parameters"] == json.loads(json.dumps(component.parameters)):
            return {**{key: measured[key] for key in ("processor", "numpy")}, "costs": one["costs"]}
    return None


@functools.cache
def _measured(package: str) -> dict[str, Any]:
    """Return the file of a package, empty where it has none."""
    try:
        found: dict[str, Any] = json.loads((resources.files(package) / _FILE).read_text("utf-8"))
    except (OSError, ModuleNotFoundError, TypeError, AttributeError):
        # A local file is not a package, and a module of a notebook or a test may have no spec.
        return {}
    return found


def cost_table(costs: dict[str, Any]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the head and the rows of a table of the costs of `costs_of`."""
    columns = tuple(dict.fromkeys(name for one in costs["costs"].values() for name in one))
    rows = []
    for dtype, one in costs["costs"].items():
        for kind in one["naive"]:
            title = f"{dtype}, {'value and gradient' if kind == 'gradient' else kind}"
            cells = (one.get(name, {}).get(kind) for name in columns)
            rows.append((title, *("" if cell is None else f"{cell:.1f}" for cell in cells)))
    titles = {"naive": "naive NumPy"}
    return ("", *(titles.get(name, name) for name in columns)), rows

"""Write code that shows a counterexample in a fresh interpreter."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from lossfw.components.component import Component
from lossfw.components.registry.records import LOCAL_MODULE
from lossfw.errors import LossfwError
from lossfw.numerics.arrays import NDArray

_NUMPY = "import numpy as np\nfrom numpy import array, inf, nan"

# The functions ``value``, ``gradient`` ... of checks, in terms of the component.
_FUNCTIONS = {
    "loss": (
        "def value(y, t): return loss(y, t, reduction='none')",
        "def gradient(y, t): return loss.gradient(y, t, reduction='none')",
        "def hessian(y, t): return loss.hessian(y, t, reduction='none')",
        "def reduce(y, t, **options): return loss(y, t, **options)",
    ),
    "activation": (
        "f = activation",
        "def value(y, t): return f(y - t)",
        "def gradient(y, t): return f.derivative(np, y - t)",
        "def hessian(y, t): return f.second_derivative(np, y - t)",
    ),
}


def setup(component: Component) -> str:
    """Return code that makes a loss or an activation, and the functions that checks call."""
    return "\n".join([_NUMPY, *_making(component), *_FUNCTIONS[component.kind]])


def _making(component: Component) -> list[str]:
    kind, cls = component.kind, type(component)
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    if cls.__module__.startswith(LOCAL_MODULE):
        return [
            "from lossfw.components.registry import Registry",
            f"plugins = Registry.discover(local=[{file!r}])",
            f"{kind} = plugins.create({kind!r}, {component.to_config()!r})",
        ]
    if _is_registered(component):
        return ["import lossfw", f"{kind} = lossfw.{kind}({component.to_config()!r})"]
    imported = f"from {cls.__module__} import {cls.__name__}"
    if "<locals>" in cls.__qualname__:
        imported = f"# define {cls.__name__} here"
    return [imported, f"{kind} = {component!r}"]


def _is_registered(component: Component) -> bool:
    from lossfw.components.registry import registry

    try:
        return bool(registry().create(component.kind, component.to_config()) == component)
    except LossfwError:
        return False


def importing(function: Any) -> str:
    """Return code that imports an outside function as ``value``, empty where that is not known."""
    module, name = getattr(function, "__module__", ""), getattr(function, "__qualname__", "")
    if not module or not name.isidentifier():
        return ""
    return f"{_NUMPY}\nfrom {module} import {name} as value"


def snippet(before: str, inputs: Mapping[str, NDArray], code: str) -> str:
    """Return code that prints the expression: setup, arrays, print; empty without one."""
    if not code:
        return ""
    lines = [before] if before else []
    lines += [f"{name} = {literal(array)}" for name, array in inputs.items()]
    return "\n".join([*lines, f"print({code})"])


def literal(array: NDArray) -> str:
    """Write an array as code, with every digit."""
    if not array.size:
        return f"np.zeros({array.shape}, '{array.dtype.name}')"
    values = repr(array.tolist())
    if array.dtype.name in ("float64", "int64", "bool"):
        return f"array({values})"
    return f"array({values}, dtype='{array.dtype.name}')"

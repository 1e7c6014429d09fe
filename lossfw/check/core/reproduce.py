"""Write code that shows a counterexample in a fresh interpreter."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from keyword import iskeyword
from pathlib import Path
from typing import Any

import numpy as np

from lossfw.components.component import Component
from lossfw.components.registry.records import LOCAL_MODULE
from lossfw.components.spaces import Space
from lossfw.errors import LossfwError
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

_NUMPY = "import numpy as np\nfrom numpy import array, inf, nan"

# The line of one of these functions.
_DEFINED = re.compile(r"def (value|gradient|hessian|reduce)\(.*\): ")

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
    "model": (),
    "metric": (),
}


def setup_code(component: Component, functions: tuple[str, ...] = ()) -> str:
    """Return code that makes a loss or an activation, and the functions that checks call."""
    lines: Iterable[str] = functions or _FUNCTIONS[component.kind]
    if isinstance(component, Loss) and component.has_columns and not component.takes_groups:
        spaces = {"y": component.prediction_space, "t": component.target_space}
        given = f"({', '.join(_reshape_code(name, space) for name, space in spaces.items())}"
        # The first is the definition, the second the call.
        lines = [given.join(line.rsplit("(y, t", 1)) for line in lines]
    return "\n".join([_NUMPY, *_construction_code(component), *lines])


def outside_setup_code(before: str, names: Iterable[str], spaces: Sequence[Space]) -> str:
    """Return code that adapts outside functions to flat rows, after the code that makes them."""
    given = ", ".join(map(_reshape_code, "yt", spaces))
    lines = [before]
    for name in names:
        call = f"function({given})"
        result = f"np.reshape({call}, y.shape)" if name in ("gradient", "hessian") else call
        lines.append(f"def {name}(y, t, function={name}): return {result}")
    return "\n".join(lines)


def _reshape_code(name: str, space: Space) -> str:
    """Return code that makes flat rows members of a space; see `lossfw.check.core.flat_rows`."""
    if space.axes > 1:
        count = space.row_shape(0)[0]
        return f"{name}.reshape(*{name}.shape[:-1], {count}, {name}.shape[-1] // {count})"
    return name if space.axes or name == "t" else f"{name}[..., 0]"


def _construction_code(component: Component) -> list[str]:
    kind, cls, config = component.kind, type(component), component.to_config()
    if cls.__module__.startswith(LOCAL_MODULE) and "<locals>" not in cls.__qualname__:
        return _plugin_file_code(component)
    if kind == "model" and _is_registered(component):
        return ["import lossfw", f"model = lossfw.registry().create('model', {config!r})"]
    if _is_registered(component):
        return ["import lossfw", f"{kind} = lossfw.{kind}({config!r})"]
    imported = f"from {cls.__module__} import {cls.__name__}"
    if "<locals>" in cls.__qualname__:
        imported = f"# define {cls.__name__} here"
    return [imported, f"{kind} = {component!r}"]


def _plugin_file_code(component: Component) -> list[str]:
    """Return code that makes a component of a plugin file, from the folder of this process."""
    kind, cls = component.kind, type(component)
    file = Path(str(sys.modules[cls.__module__].__file__))
    changed = [name for name in component.parameters if name in component.to_config()]
    given = [f"{name}={_value_code(component.parameters[name])}" for name in changed]
    called = f"({', '.join(given)})"
    first = ["import lossfw"] if "lossfw." in called else []
    importable = file.stem.isidentifier() and not iskeyword(file.stem)
    # An installed module of this name would be imported in its place.
    if file.parent == Path.cwd() and importable and find_spec(file.stem) is None:
        imported = f"from {file.stem} import {cls.__name__}"
        return [*first, imported, f"{kind} = {cls.__name__}{called}"]
    path = os.path.relpath(file) if file.drive == Path.cwd().drive else str(file)
    return [
        *first,
        "from runpy import run_path",
        f"{cls.__name__} = run_path({path!r})[{cls.__name__!r}]",
        f"{kind} = {cls.__name__}{called}",
    ]


def _value_code(parameter: Any) -> str:
    """Return code that makes the value of a parameter."""
    if isinstance(parameter, Component):
        return f"lossfw.{parameter.kind}({parameter.to_config()!r})"
    if isinstance(parameter, tuple):
        return f"[{', '.join(map(_value_code, parameter))}]"
    return repr(parameter)


def _is_registered(component: Component) -> bool:
    from lossfw.components.registry import registry

    try:
        return bool(registry().create(component.kind, component.to_config()) == component)
    except LossfwError:
        return False


def import_code(function: Any) -> str:
    """Return code that imports an outside function as ``value``; empty if unknown."""
    module, name = getattr(function, "__module__", ""), getattr(function, "__qualname__", "")
    if not module or not name.isidentifier():
        return ""
    return f"{_NUMPY}\nfrom {module} import {name} as value"


def snippet(before: str, inputs: Mapping[str, NDArray], code: str) -> str:
    """Return code that prints the expression: setup, arrays, print; empty without one.

    Functions that the expression does not call are left out of the setup.
    """
    if not code:
        return ""
    lines = [line for line in before.splitlines() if _is_needed(line, code)]
    if inputs:
        lines.append(f"{', '.join(inputs)} = {', '.join(map(array_code, inputs.values()))}")
    lines.append(f"print({code})")
    if not any("np." in line for line in lines):
        lines = [line for line in lines if line != "import numpy as np"]
    return "\n".join(lines)


def _is_needed(line: str, code: str) -> bool:
    name = _DEFINED.match(line)
    return name is None or f"{name[1]}(" in code


def array_code(array: NDArray) -> str:
    """Write an array as code, with every digit."""
    if not array.size:
        return f"np.zeros({array.shape}, '{array.dtype.name}')"
    if array.dtype.name in ("float64", "int64", "bool"):
        return f"array({format_nested(array)})"
    return f"array({format_nested(array)}, dtype='{array.dtype.name}')"


def format_nested(array: NDArray) -> str:
    """Write an array as nested lists, with as few digits as its dtype needs."""
    return str(array) if np.ndim(array) == 0 else f"[{', '.join(map(format_nested, array))}]"

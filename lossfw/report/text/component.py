"""Describe a component in plain values: docstring, parameters, claims, engine and costs.

A package may have a file ``costs.json`` next to its modules; that of the built-in components is
written by ``make costs``::

    {"processor": ..., "numpy": ...,
     "peers": {NAME: [{"library": "torch", "call": ..., "times": 1, "when": {...}}]},
     "components": {NAME: [{"parameters": {...}, "costs":
        {"float32": {"tiles": {"value": 1.1, "gradient": 1.4}, "kernel": ..., "naive": ...},
         "float64": ...}}]}}

Numbers are nanoseconds of CPU time on one thread, per element of a large array; "gradient" is the
value with the gradient. "naive" is the textbook formula in NumPy. Peers are functions of other
libraries: the component is ``times`` the call (a string names a parameter) at the parameters of
``when``.
"""

from __future__ import annotations

import ast
import doctest
import functools
import inspect
import json
from contextlib import suppress
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from lossfw.components.claims import require_claims
from lossfw.components.component import Component, yaml_value
from lossfw.components.docstrings import (
    extract_sources,
    parameter_meanings,
    read_see_also,
    split_paragraphs,
    split_sections,
    split_usage_paragraph,
    summary_title,
)
from lossfw.components.registry import Entry
from lossfw.components.spaces import Space
from lossfw.errors import LossfwError, TraceError
from lossfw.extras import install_command
from lossfw.losses.engine import compiled
from lossfw.losses.loss import Loss
from lossfw.losses.wrappers.base import Wrapper
from lossfw.losses.wrappers.claim_table import claim_effects
from lossfw.models import Model
from lossfw.nn.activation import Activation, RowActivation
from lossfw.nn.sample_curve import line_of
from lossfw.report.formulas.latex import latex

# The modules of the kinds, whose derivatives come from dual numbers.
_KINDS = ("lossfw.losses.kinds", "lossfw.losses.bodies", "lossfw.nn.activation")

# Bounds in a JSON schema, and as text.
_BOUNDS = {
    "exclusiveMinimum": "> {}",
    "minimum": ">= {}",
    "exclusiveMaximum": "< {}",
    "maximum": "<= {}",
}

_OF_LOSSES = ("value", "gradient", "hessian")

_OF_ACTIVATIONS = ("value", "vjp")

# The length of the rows at which a body of rows is looked at.
_COLUMNS = 10

_COSTS_FILE = "costs.json"


def describe(entry: Entry, cls: type[Component], component: Component | None) -> dict[str, Any]:
    """Return a description of a component in plain values.

    Without a component it leaves out what depends on parameters.
    """
    description: dict[str, Any] = {
        "kind": entry.kind,
        "name": entry.name,
        "aliases": list(entry.aliases),
        **_docstring_parts(cls),
        "plugin": entry.label,
        "version": entry.version,
        "class": f"{cls.__module__}:{cls.__qualname__}",
        **_source_place(cls),
        "parameters": describe_parameters(cls, component),
    }
    has_formula = isinstance(component, Loss | Activation)
    if component is not None and (has_formula or component.latex is not None):
        with suppress(TraceError):
            description["latex"] = latex(component)
    if isinstance(component, Loss | Activation):
        of = (
            _describe_loss(component)
            if isinstance(component, Loss)
            else _describe_activation(component)
        )
        description |= {**of, "curve": None}
        with suppress(LossfwError):
            line = line_of(component)
            ends = {"low": line.low, "high": line.high}
            description["curve"] = {"label": line.label, **ends, "rows": line.rows}
        if not getattr(component, "takes_groups", False):
            # Groups are computed in stacks, and have no kernels.
            description["engine"] = describe_engine(component)
        if (costs := measured_costs(component)) is not None:
            description["costs"] = costs
        description["peers"] = _peer_functions(cls, entry.name)
    if issubclass(cls, Model):
        description["model"] = _describe_model(cls)
    if issubclass(cls, Wrapper):
        effects = claim_effects(cls.claim_column) if cls.claim_column else ()
        description["wrapper"] = [effect._asdict() for effect in effects]
        description["peers"] = _peer_functions(cls, entry.name)
    return description


def _docstring_parts(cls: type[Component]) -> dict[str, Any]:
    """Return the parts of a class's docstring."""
    text = split_sections(cls.__doc__)
    when, described = split_usage_paragraph(split_paragraphs(text[""])[1:])
    cited, described = extract_sources(described)
    more_cited, notes = extract_sources(split_paragraphs(text.get("Notes", "")))
    return {
        "title": summary_title(cls._summary()),
        "summary": cls._summary(),
        "when": when,
        "description": described,
        "notes": notes,
        "references": cited + more_cited,
        "see_also": read_see_also(text.get("See Also", "")),
        "examples": _runnable_examples(cls, text.get("Examples", "")),
    }


def describe_parameters(cls: type[Component], component: Component | None) -> list[dict[str, Any]]:
    """Return each parameter with type, bounds, default, value and meaning."""
    schema = cls.model_json_schema()["properties"]
    meanings = parameter_meanings(cls)
    described = []
    for name, field in cls.model_fields.items():
        one: dict[str, Any] = {
            "name": name,
            "type": _type_text(schema[name]),
            "bounds": _bounds_text(schema[name]),
            "required": field.is_required(),
            "meaning": meanings.get(name, ""),
        }
        if not field.is_required():
            one["default"] = yaml_value(field.get_default(call_default_factory=True))
        if component is not None:
            one["value"] = yaml_value(getattr(component, name))
        described.append(one)
    # The parameters of the class itself come first.
    return sorted(described, key=lambda one: one["name"] not in cls.__annotations__)


def _type_text(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    if "anyOf" in schema:
        kinds = [_type_text(part) for part in schema["anyOf"]]
        return " | ".join("none" if kind == "null" else kind for kind in kinds)
    kind = schema.get("type", "any")
    return " | ".join(kind) if isinstance(kind, list) else str(kind)


def _bounds_text(schema: dict[str, Any]) -> str:
    # Pydantic writes a bound of 0 as 0 or as 0.0, by its release.
    bounds = {key: schema[key] for key in _BOUNDS if key in schema}
    own = [_BOUNDS[key].format(int(b) if b == int(b) else b) for key, b in bounds.items()]
    parts = [_bounds_text(part) for part in schema.get("anyOf", ())]
    return ", ".join([*own, *filter(None, parts)])


def _describe_loss(loss: Loss) -> dict[str, Any]:
    require_claims(loss)
    return {
        "prediction": _describe_space(loss.prediction_space),
        "target": _describe_space(loss.target_space),
        "results": loss._promise,
        "takes": "groups" if loss.takes_groups else "rows" if loss.takes_rows else "elements",
        "argument": "row" if loss.takes_rows else loss._argument,
        "form": loss._input_form,
        "output_activation": loss._expected_activation(),
        "derivative": derivative_origin(loss.body, "derivative"),
        "second_derivative": derivative_origin(loss.body, "second_derivative"),
        **_describe_claims(loss),
    }


def _describe_activation(activation: Activation) -> dict[str, Any]:
    rows = isinstance(activation, RowActivation)
    return {
        "result": _describe_space(activation.out_space),
        "takes": "rows" if activation.takes_rows else "elements",
        "argument": "row" if activation.takes_rows else "number",
        "derivative": derivative_origin(activation, "vjp" if rows else "derivative"),
        "second_derivative": "none" if rows else derivative_origin(activation, "second_derivative"),
        **_describe_claims(activation),
    }


def _describe_claims(component: Loss | Activation) -> dict[str, Any]:
    claims = component.claims()
    return {
        "claims": {name: yaml_value(value) for name, value in claims.to_dict().items()},
        "denied": list(claims.denied_names()),
        "not_claimed": list(claims.unclaimed_names()),
    }


def _describe_model(cls: type[Model]) -> dict[str, Any]:
    return {
        "training_mode": cls.training_mode,
        "takes": sorted(cls.accepted_inputs),
        "ending": cls.ending,
        "library": cls.library,
        "version": cls.version() if cls.library else None,
        "extra": cls.extra,
        "install": cls.install_command() if cls.library else "",
    }


def _describe_space(space: Space) -> dict[str, str]:
    return {"name": space.name, "meaning": space.meaning}


def derivative_origin(component: object, function: str) -> str:
    """Return the origin of a derivative: the author, dual numbers, or the parts of a wrapper.

    Examples
    --------
    >>> import lossfw
    >>> derivative_origin(lossfw.loss("squared_error"), "derivative")
    'author'
    """
    for cls in type(component).__mro__:
        if function in cls.__dict__:
            return "dual numbers" if cls.__module__ in _KINDS else "author"
    # A wrapper has no body of its own.
    return "parts"


def _source_place(cls: type[Component]) -> dict[str, Any]:
    """Return file and line of a class; the file begins at the folder of its package."""
    try:
        path, line = inspect.getsourcefile(cls), inspect.getsourcelines(cls)[1]
    except (OSError, TypeError):  # a class that was typed in, say
        return {"file": "", "line": 0}
    return {
        "file": "/".join(Path(path or "").parts[-1 - cls.__module__.count(".") :]),
        "line": line,
    }


def _runnable_examples(cls: type[Component], section: str) -> str:
    """Return a section of examples so that it runs by itself: its class is imported first."""
    code = "".join(example.source for example in doctest.DocTestParser().get_examples(section))
    used = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}
    if cls.__qualname__ not in used:
        return section
    begun = f">>> from {cls.__module__} import {cls.__qualname__}\n>>>"
    return section.replace(">>>", begun, 1)


def describe_engine(component: Loss | Activation) -> dict[str, Any]:
    """Return which functions of a component are compiled, and why others are not.

    ``installed`` says whether the compiler is installed.
    """
    names = _OF_LOSSES if isinstance(component, Loss) else _OF_ACTIVATIONS
    problems = {name: _kernel_problem(component, name) for name in names}
    return {
        "compiled": [name for name, problem in problems.items() if not problem],
        "tiles": {name: problem for name, problem in problems.items() if problem},
        "installed": compiled.is_available(),
    }


def _kernel_problem(component: Loss | Activation, name: Any) -> str:
    """Return why a function has no kernel in float64."""
    columns, dtype = _COLUMNS if component.takes_rows else None, np.dtype(np.float64)
    if not isinstance(component, Loss):
        return compiled.no_activation_kernel_reason(component, name, dtype, columns)
    if columns is not None and component.fixed_classes:
        columns = component.fixed_classes
    loss, by_index = component._without_own_weight(), component.takes_classes and name != "hessian"
    return compiled.no_kernel_reason(loss, name, dtype, columns, by_index=by_index)


def engine_line(engine: dict[str, Any], *, on_this_machine: bool) -> str:
    """Return the engine of a component as one line; `on_this_machine` names a missing library.

    Examples
    --------
    >>> engine = {"compiled": ["value"], "tiles": {"hessian": "it is"}, "installed": False}
    >>> engine_line(engine, on_this_machine=False)
    'compiled: value; tiles: hessian, since it is'
    """
    reasons: dict[str, list[str]] = {}
    for name, reason in engine["tiles"].items():
        reasons.setdefault(reason, []).append(name)
    parts = [f"compiled: {', '.join(engine['compiled'])}"] if engine["compiled"] else []
    parts += [f"tiles: {', '.join(names)}, since {reason}" for reason, names in reasons.items()]
    if on_this_machine and engine["compiled"] and not engine["installed"]:
        parts.append(f"llvmlite is not installed: {install_command('fast')}")
    return "; ".join(parts)


def measured_costs(component: Component) -> dict[str, Any] | None:
    """Return the costs of a component at its parameters; None if they were not measured.

    They have ``processor``, ``numpy`` and ``costs``: dtype, column, kind and nanoseconds.

    Examples
    --------
    >>> import lossfw
    >>> sorted(measured_costs(lossfw.loss("huber"))["costs"]["float32"]["naive"])
    ['gradient', 'value']
    """
    measured = _measured_file(type(component).__module__.partition(".")[0])
    for one in measured.get("components", {}).get(component.name, ()):
        if one["parameters"] == json.loads(json.dumps(component.parameters)):
            return {**{key: measured[key] for key in ("processor", "numpy")}, "costs": one["costs"]}
    return None


def _peer_functions(cls: type[Component], name: str) -> list[dict[str, Any]]:
    """Return the functions of other libraries that have a component's formula."""
    peers: list[dict[str, Any]] = (
        _measured_file(cls.__module__.partition(".")[0]).get("peers", {}).get(name, [])
    )
    return peers


@functools.cache
def _measured_file(package: str) -> dict[str, Any]:
    """Return the file of a package, empty where it has none."""
    try:
        file = resources.files(package) / _COSTS_FILE
        costs: dict[str, Any] = json.loads(file.read_text("utf-8"))
    except (OSError, ModuleNotFoundError, TypeError, AttributeError):
        # A local file is not a package, and a module of a notebook or a test may have no spec.
        return {}
    return costs


def cost_table(costs: dict[str, Any]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the head and the rows of a table of the costs of `measured_costs`."""
    columns = tuple(dict.fromkeys(name for one in costs["costs"].values() for name in one))
    rows = []
    for dtype, one in costs["costs"].items():
        for kind in one["naive"]:
            title = f"{dtype}, {'value and gradient' if kind == 'gradient' else kind}"
            cells = (one.get(name, {}).get(kind) for name in columns)
            rows.append((title, *("" if cell is None else f"{cell:.1f}" for cell in cells)))
    titles = {"naive": "naive NumPy"}
    return ("function", *(titles.get(name, name) for name in columns)), rows

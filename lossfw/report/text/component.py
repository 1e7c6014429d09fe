"""Describe a component in plain values, from its class, docstring and claims."""

from __future__ import annotations

from typing import Any

from lossfw.components.claims import need_claims
from lossfw.components.component import Component, yaml_value
from lossfw.components.docstrings import (
    paragraphs,
    parameter_meanings,
    related,
    sections,
    sources,
    title,
    use,
)
from lossfw.components.registry import Entry
from lossfw.components.spaces import Space
from lossfw.errors import TraceError
from lossfw.losses.loss import Loss
from lossfw.losses.wrappers.base import Wrapper
from lossfw.losses.wrappers.claim_effects import claim_effects
from lossfw.nn.activation import Activation, RowActivation
from lossfw.report.formulas.latex import latex
from lossfw.report.text.component_engine import engine_of
from lossfw.report.text.component_facts import curve_line, examples, peers_of, place
from lossfw.report.text.costs import costs_of

# The modules of the kinds, whose derivatives come from dual numbers.
_KINDS = ("lossfw.losses.kinds", "lossfw.losses.bodies", "lossfw.nn.activation")

# Bounds in a JSON schema, and as text.
_BOUNDS = {
    "exclusiveMinimum": "> {}",
    "minimum": ">= {}",
    "exclusiveMaximum": "< {}",
    "maximum": "<= {}",
}


def describe(entry: Entry, cls: type[Component], component: Component | None) -> dict[str, Any]:
    """Return a description of a component, in plain values.

    Parameters
    ----------
    entry : Entry
        Its entry in the registry.
    cls : type
        Its class.
    component : Component or None
        The component at some parameters; None leaves out properties that depend on them.

    Returns
    -------
    dict
        Without the keys that a kind of component does not have.
    """
    description: dict[str, Any] = {
        "kind": entry.kind,
        "name": entry.name,
        "aliases": list(entry.aliases),
        **_said(cls),
        "plugin": entry.label,
        "version": entry.version,
        "class": f"{cls.__module__}:{cls.__qualname__}",
        **place(cls),
        "parameters": parameters(cls, component),
    }
    if component is not None:
        text_of_formula = _latex(component)
        if text_of_formula is not None:
            description["latex"] = text_of_formula
    if isinstance(component, Loss | Activation):
        of = _of_loss(component) if isinstance(component, Loss) else _of_activation(component)
        description.update(of)
        description["curve"] = curve_line(component)
        description["engine"] = engine_of(component)
        costs = costs_of(component)
        if costs is not None:
            description["costs"] = costs
        description["peers"] = peers_of(entry.name)
    if issubclass(cls, Wrapper):
        effects = claim_effects(cls.claim_column) if cls.claim_column else ()
        description["wrapper"] = [effect._asdict() for effect in effects]
        description["peers"] = peers_of(entry.name)
    return description


def _latex(component: Component) -> str | None:
    """Return the formula as LaTeX, None where there is none."""
    if component.latex is None and not isinstance(component, Loss | Activation):
        return None
    try:
        return latex(component)
    except TraceError:
        return None


def _said(cls: type[Component]) -> dict[str, Any]:
    """Return the parts of a class's docstring."""
    text = sections(cls.__doc__)
    when, described = use(paragraphs(text[""])[1:])
    cited, described = sources(described)
    more_cited, notes = sources(paragraphs(text.get("Notes", "")))
    return {
        "title": title(cls.summary()),
        "summary": cls.summary(),
        "when": when,
        "description": described,
        "notes": notes,
        "references": cited + more_cited,
        "see_also": related(text.get("See Also", "")),
        "examples": examples(cls, text.get("Examples", "")),
    }


def parameters(cls: type[Component], component: Component | None) -> list[dict[str, Any]]:
    """Return each parameter with type, bounds, default, value and meaning."""
    schema = cls.model_json_schema()["properties"]
    meanings = parameter_meanings(cls)
    described = []
    for name, field in cls.model_fields.items():
        one: dict[str, Any] = {
            "name": name,
            "type": _type(schema[name]),
            "bounds": _bounds(schema[name]),
            "required": field.is_required(),
            "meaning": meanings.get(name, ""),
        }
        if not field.is_required():
            one["default"] = yaml_value(field.get_default(call_default_factory=True))
        if component is not None:
            one["value"] = yaml_value(getattr(component, name))
        described.append(one)
    own = [one for one in described if one["name"] in cls.__annotations__]
    return own + [one for one in described if one not in own]


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    if "anyOf" in schema:
        kinds = [_type(part) for part in schema["anyOf"]]
        return " | ".join("none" if kind == "null" else kind for kind in kinds)
    kind = schema.get("type", "any")
    return " | ".join(kind) if isinstance(kind, list) else str(kind)


def _bounds(schema: dict[str, Any]) -> str:
    # Pydantic writes a bound of 0 as 0 or as 0.0, by its release.
    bounds = {key: schema[key] for key in _BOUNDS if key in schema}
    own = [_BOUNDS[key].format(int(b) if b == int(b) else b) for key, b in bounds.items()]
    parts = [_bounds(part) for part in schema.get("anyOf", ())]
    return ", ".join([*own, *filter(None, parts)])


def _of_loss(loss: Loss) -> dict[str, Any]:
    need_claims(loss)
    return {
        "prediction": _space(loss.prediction_space),
        "target": _space(loss.target_space),
        "takes": "rows" if loss.takes_rows else "elements",
        "argument": "row" if loss.takes_rows else loss.argument,
        "form": loss.input_form,
        "link": loss.link_activation(),
        "derivative": origin(loss.body, "derivative"),
        "second_derivative": origin(loss.body, "second_derivative"),
        "claims": {name: yaml_value(value) for name, value in loss.claims().made().items()},
        "denied": list(loss.claims().denied()),
        "not_claimed": list(loss.claims().not_made()),
    }


def _of_activation(activation: Activation) -> dict[str, Any]:
    rows = isinstance(activation, RowActivation)
    return {
        "result": _space(activation.out_space),
        "takes": "rows" if activation.takes_rows else "elements",
        "argument": "row" if activation.takes_rows else "number",
        "derivative": origin(activation, "vjp" if rows else "derivative"),
        "second_derivative": "none" if rows else origin(activation, "second_derivative"),
        "claims": {name: yaml_value(value) for name, value in activation.claims().made().items()},
        "denied": list(activation.claims().denied()),
        "not_claimed": list(activation.claims().not_made()),
    }


def _space(space: Space) -> dict[str, str]:
    return {"name": space.name, "meaning": space.meaning}


def origin(component: object, function: str) -> str:
    """Return the origin of a derivative: the author, dual numbers, or the parts of a wrapper.

    Examples
    --------
    >>> import lossfw
    >>> origin(lossfw.loss("squared_error"), "derivative")
    'author'
    """
    for cls in type(component).__mro__:
        if function in cls.__dict__:
            return "dual numbers" if cls.__module__ in _KINDS else "author"
    # A wrapper has no body of its own.
    return "parts"

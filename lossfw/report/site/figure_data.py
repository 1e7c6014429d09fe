"""The data of a figure's script: functions in JavaScript, sliders, switches, and claims.

The functions come from the component's body. Each is evaluated here and compared with the component
at several slider settings before it goes into a page, so a figure never shows another function.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args, get_origin

import numpy as np

from lossfw.components.component import Component
from lossfw.errors import LossfwError, TraceError
from lossfw.losses.loss import Loss
from lossfw.nn.activation import Activation
from lossfw.nn.letters import argument_names
from lossfw.nn.sample_curve import CurveLine, SampledCurve, curve, line_of
from lossfw.numerics.arrays import NDArray
from lossfw.numerics.symbolic.written import write
from lossfw.report.formulas.javascript import javascript, javascript_function
from lossfw.report.formulas.row_items import trace_row_function
from lossfw.report.formulas.traced import Traced, Which
from lossfw.report.site.curve_svg import axis_letter

# A scale is moved by this factor in both directions; a small constant, up to `_LARGE`.
_FACTOR = 4.0
_SMALL, _LARGE = 0.01, 0.3

# A number of any sign, or one that begins at 0, is moved so far.
_REACH = 3.0

# A range keeps this fraction of its length from its bounds, which often are limits.
_INSIDE = 0.02

# Digits of a value: what a reader can take in.
_DIGITS = 3

_ORDERS: tuple[Which, ...] = ("value", "derivative", "second_derivative")

# The script and the component may differ so much, relative to 1 and to the value.
AGREEMENT = 1e-9

# A larger change over two points of a curve may be a jump.
_JUMP = 0.1

# A line crosses so many ties at most.
_TIES = 3

# A slider is tried at so many settings, and has so many steps.
_TRIED, _STEPS = 5, 60

# Combinations of switches beyond this are left out.
_MOST_SETTINGS = 16

# How losses of elements are added; the elements are the same.
_NO_SWITCH = ("per",)

# The numbers of claims that are drawn.
_DRAWN = ("bounded", "lower_bound", "lipschitz", "gradient_lipschitz", "breaks", "second_breaks")


@dataclass(frozen=True)
class SliderRange:
    """The range of a slider."""

    low: float
    high: float
    default: float
    logarithmic: bool

    def steps(self, count: int) -> list[float]:
        """Return about so many values in order, including the default."""
        shares = [step / (count - 1) for step in range(count)]
        values = {float(f"{self._value_at_fraction(share):.{_DIGITS}g}") for share in shares}
        inside = {value for value in values if self.low <= value <= self.high}
        return sorted(inside | {self.default})

    def _value_at_fraction(self, fraction: float) -> float:
        if self.logarithmic:
            return float(self.low * (self.high / self.low) ** fraction)
        return self.low + (self.high - self.low) * fraction


def slider_range(cls: type[Component], name: str, default: float) -> SliderRange:
    """Return the range of a parameter's slider.

    A field's schema extra ``slider``, a list of two numbers, has priority.

    Examples
    --------
    >>> import lossfw
    >>> slider_range(type(lossfw.loss("huber")), "delta", 1.0)
    SliderRange(low=0.25, high=4.0, default=1.0, logarithmic=True)
    """
    schema: dict[str, Any] = cls.model_json_schema()["properties"][name]
    if "slider" in schema:
        low, high = schema["slider"]
        return SliderRange(low, high, default, logarithmic=False)
    low = schema.get("exclusiveMinimum", schema.get("minimum"))
    high = schema.get("exclusiveMaximum", schema.get("maximum"))
    if low is not None and high is not None:
        inset = _INSIDE * (high - low)
        if 0 < default - low < inset:
            return SliderRange(default, _LARGE * (high - low), default, logarithmic=True)
        ends = min(low + inset, default), max(high - inset, default)
        return SliderRange(*ends, default, logarithmic=False)
    if low is not None and low >= 0 and default > 0:
        top = _LARGE if default < _SMALL else default * _FACTOR
        bottom = default if default < _SMALL else default / _FACTOR
        return SliderRange(max(bottom, low), top, default, logarithmic=True)
    bottom = default - _REACH if low is None else max(low, default - _REACH)
    if low is None and default > 0:
        # The sign is free, and yet hardly anyone means numbers below 0.
        bottom = 0.0
    return SliderRange(bottom, default + _REACH, default, logarithmic=False)


@dataclass(frozen=True)
class ScriptedBody:
    """The functions of a component at one setting of its switches: value and derivatives.

    `places` has each argument of the functions as start + slope * x along the line.
    """

    component: Loss | Activation
    line: CurveLine
    traced: Sequence[Traced]
    places: Sequence[tuple[float, float]]

    def compute(self, order: int, x: Any, values: Mapping[str, float]) -> Any:
        """Return a function of the script along the line, computed in Python."""
        found = self.traced[order]
        given = {
            name: start + slope * x
            for name, (start, slope) in zip(found.arguments, self.places, strict=True)
        }
        (result,) = write(found.graph)(**given, **{**found.parameters, **values})
        return result

    @property
    def letter(self) -> str:
        """The letter of the line's axis."""
        return axis_letter(self.line.label)

    @property
    def scales_with_parameters(self) -> bool:
        """Whether the ends of the line scale with the parameters."""
        return not self.line.rows and self.letter in ("r", "m", "x")

    @property
    def free_parameters(self) -> set[str]:
        """The parameters that the script takes."""
        named = {name for one in self.traced for name in one.parameters}
        return named - {name for one in self.traced for name in one.fixed}


@dataclass(frozen=True)
class FigureParameter:
    """A parameter with a slider."""

    name: str
    default: float
    steps: Sequence[float]
    claims: Sequence[Mapping[str, Any]] = field(default_factory=tuple)


@dataclass(frozen=True)
class FigureData:
    """The data of a figure.

    `switches` are names of parameters with their choices, the default first; `settings` has the
    indices of the choices of each body, and `claims` the numbers claimed at the defaults.
    """

    parameters: Sequence[FigureParameter]
    switches: Sequence[tuple[str, Sequence[Any]]]
    settings: Sequence[tuple[int, ...]]
    bodies: Sequence[ScriptedBody]
    claims: Mapping[str, Any]


def figure_data(component: Loss | Activation) -> FigureData | None:
    """Return the data of a component's figure; None if its body cannot be traced."""
    body = script_component(component)
    if body is None:
        return None
    switches = [one for one in _switches(component) if len(one[1]) > 1]
    settings, bodies = [tuple(0 for _ in switches)], [body]
    for places in itertools.product(*(range(len(options)) for _, options in switches)):
        if any(places):
            chosen = {name: options[p] for (name, options), p in zip(switches, places, strict=True)}
            other = _replace_parameter(component, chosen)
            made = None if other is None else script_component(other)
            if made is not None:
                settings.append(places)
                bodies.append(made)
    parameters = list(_slider_parameters(body))
    if len(bodies) > _MOST_SETTINGS or len(bodies) < math.prod(len(o) for _, o in switches):
        # Not every choice can be drawn: then none is offered.
        return FigureData(parameters, (), ((),), (body,), _claimed_numbers(component))
    return FigureData(parameters, switches, settings, bodies, _claimed_numbers(component))


def script_component(component: Loss | Activation) -> ScriptedBody | None:
    """Return the functions of a component; None if they cannot be traced, or differ from it."""
    try:
        line = line_of(component)
        traced = [_trace(component, order) for order in range(len(_ORDERS))]
        body = ScriptedBody(component, line, traced, _line_arguments(component, line))
    except LossfwError:
        return None
    return body if agrees_with_component(body, component, {}) else None


def _trace(component: Loss | Activation, order: int) -> Traced:
    if component.takes_rows or (
        isinstance(component, Loss) and (component.has_columns or component.takes_groups)
    ):
        found = trace_row_function(component, order)
    else:
        found = javascript(component, _ORDERS[order]).traced
    # Raises where JavaScript lacks a function.
    javascript_function(found.graph, "f", ())
    return found


def _line_arguments(component: Loss | Activation, line: CurveLine) -> list[tuple[float, float]]:
    """Return the arguments of the functions along a line, as start and slope."""
    ends = np.array([line.low, line.high])
    y, *target = line.arguments_at(ends)
    columns = _split_columns(y)
    if isinstance(component, Loss):
        (t,) = target
        if component.takes_classes and t.ndim == 1:
            t = np.eye(y.shape[-1])[t]
        if len(argument_names(component)) > 1:
            columns += _split_columns(t)
    found = []
    for first, last in columns:
        # Rounding would change 1 - x of a probability.
        slope = round(float(last - first) / (line.high - line.low), 9)
        found.append((round(float(first) - slope * line.low, 9), slope))
    return found


def _split_columns(x: NDArray) -> list[NDArray]:
    return list(x.reshape(len(x), -1).T)


def agrees_with_component(
    body: ScriptedBody, component: Loss | Activation, values: Mapping[str, float]
) -> bool:
    """Tell whether the functions of a script agree with a component along the line."""
    try:
        drawn = curve(component, span=(body.line.low, body.line.high))
    except LossfwError:
        return False
    for order, truth in enumerate(drawn.parts):
        try:
            found = body.compute(order, drawn.x, values)
        except (AttributeError, KeyError, TypeError, TraceError):
            return False
        same = _is_close(found, truth) | ~_is_off_jumps(drawn, truth)
        # At a tie of a maximum, too, there are several derivatives.
        alone = ~same[1:-1] & same[2:] & same[:-2]
        if np.sum(~same) > np.sum(alone) or np.sum(alone) > _TIES:
            return False
    return True


def _is_close(found: NDArray, truth: NDArray) -> NDArray:
    with np.errstate(invalid="ignore"):
        near = np.abs(found - truth) <= AGREEMENT * np.maximum(1.0, np.abs(truth))
    both: NDArray = near | (found == truth) | (np.isnan(found) & np.isnan(truth))
    return both


def _is_off_jumps(drawn: SampledCurve, y: NDArray) -> NDArray:
    """Tell which points lie at no jump: there a derivative may have any value in between."""
    ordinary: NDArray = np.ones(y.shape, bool)
    for arguments_at in (*drawn.breaks, *drawn.second_breaks):
        ordinary &= np.abs(drawn.x - arguments_at) > AGREEMENT
    with np.errstate(invalid="ignore"):
        jump = np.abs(y[2:] - y[:-2]) > _JUMP
    ordinary[1:-1] &= ~jump
    return ordinary


def _switches(component: Component) -> Iterator[tuple[str, Sequence[Any]]]:
    """Yield the parameters that are choices, with the choice of the component first."""
    for name, info in type(component).model_fields.items():
        options: tuple[Any, ...] = ()
        if get_origin(info.annotation) is Literal:
            options = get_args(info.annotation)
        elif info.annotation is bool:
            options = (False, True)
        own = getattr(component, name)
        if name not in _NO_SWITCH and own in options:
            yield name, (own, *(option for option in options if option != own))


def _slider_parameters(body: ScriptedBody) -> Iterator[FigureParameter]:
    component = body.component
    for name, value in component.parameters.items():
        if name not in body.free_parameters:
            continue
        steps = _slider_steps(body, name, slider_range(type(component), name, value))
        if len(steps) > 1:
            variants = [_replace_parameter(component, {name: step}) for step in steps]
            claims = [_claimed_numbers(one) for one in variants if one is not None]
            yield FigureParameter(name, value, steps, claims)


def _slider_steps(body: ScriptedBody, name: str, found: SliderRange) -> list[float]:
    """Return the values of a slider, between those at which the script was right."""
    tried = found.steps(_TRIED)
    right = []
    for value in tried:
        other = _replace_parameter(body.component, {name: value})
        right.append(other is not None and agrees_with_component(body, other, {name: value}))
    middle = tried.index(found.default)
    first = middle - len(list(itertools.takewhile(bool, reversed(right[:middle]))))
    last = middle + len(list(itertools.takewhile(bool, right[middle + 1 :])))
    narrowed = replace(found, low=tried[first], high=tried[last])
    return [
        v
        for v in narrowed.steps(_STEPS)
        if _replace_parameter(body.component, {name: v}) is not None
    ]


def _replace_parameter(component: Any, changed: Mapping[str, Any]) -> Any:
    try:
        return component.replace(**changed)
    except LossfwError:
        return None


def _claimed_numbers(component: Loss | Activation) -> dict[str, Any]:
    """Return the numbers that a component claims and that a picture can show."""
    made = component.claims().to_dict()
    found = {name: made[name] for name in _DRAWN if name in made}
    if component.takes_rows or (isinstance(component, Loss) and component.takes_groups):
        # The others are about whole rows.
        found = {name: found[name] for name in ("bounded", "lower_bound") if name in found}
    low, high = made.get("range", (-math.inf, math.inf))
    found |= {"low": low, "high": high}
    return {
        name: [round(x, 9) for x in value] if isinstance(value, tuple) else round(value, 9)
        for name, value in found.items()
        # The axis exists already, and infinity is not a line.
        if isinstance(value, tuple) or (math.isfinite(value) and value != 0)
    }

"""The checks of bridges, and the laws of bridges to libraries that differentiate."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TypeAlias

import numpy as np

from lossfw.check.bridges import boosting
from lossfw.check.core.search import Check, Counterexample, NotApplicable, Search, ordinary_points
from lossfw.check.core.subject import Subject, subject_of_component
from lossfw.components.registry import registry
from lossfw.components.spaces import SIMPLEX
from lossfw.errors import ArgumentError, LossfwError
from lossfw.learning.bridge import AutogradBridge, BoostingBridge, Bridge
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

# A law of bridges: a function of the bridge, the loss and the search.
BridgeLaw: TypeAlias = Callable[..., None]

# Libraries that compute in float32 by default, such as JAX.
_FLOAT32 = 1e-5

# A step of differences: its square and the rounding of float64 over it are alike small.
_STEP = 1e-6
_DIFFERENCES = 1e-4

# Roundings of a result by which two ways to compute it may differ.
_ROUNDINGS = 64

_DTYPES = ("float64", "float32", "float16")


def bridge_checks(loss: Loss, bridges: Iterable[Bridge] | None = None) -> dict[str, Check]:
    """Return the checks of bridges, all installed ones unless given, by name.

    A name is as ``bridge:xgboost:gradients``.
    """
    checks = {}
    for bridge in installed_bridges() if bridges is None else bridges:
        for name, law in laws_of(bridge).items():
            full = f"bridge:{bridge.name}:{name}"
            checks[full] = Check(full, partial(_run_law, law, bridge, loss))
    return checks


def installed_bridges() -> list[Bridge]:
    """Return the bridges whose library is installed.

    Raises
    ------
    ArgumentError
        If there is none.
    """
    classes = map(registry().class_of, registry().entries("bridge"))
    bridges = [cls() for cls in classes if issubclass(cls, Bridge) and cls.version() is not None]
    if not bridges:
        raise ArgumentError(
            "no library of a bridge is installed, so that there is nothing to check: "
            "`lossfw list bridges` shows how to install one."
        )
    return bridges


def laws_of(bridge: Bridge) -> dict[str, BridgeLaw]:
    """Return the laws that a bridge is held to: those of its kind."""
    laws = next(laws for kind, laws in LAWS.items() if isinstance(bridge, kind))
    return {"refusal": _check_refusal, **laws}


def _run_law(law: BridgeLaw, bridge: Bridge, loss: Loss, subject: Subject, search: Search) -> None:
    try:
        bridge.imported()
    except (ImportError, LossfwError) as error:
        # As Keras without the library that it computes with.
        raise NotApplicable(f"{bridge.library} cannot be imported: {error}") from error
    why = None if law is _check_refusal else bridge.refusal(loss)
    if why is not None:
        raise NotApplicable(f"{bridge.name} refuses: {why}")
    with warnings.catch_warnings():
        # A bridge warns of a loss that ends at 0, which refutes nothing.
        warnings.simplefilter("ignore")
        law(bridge, loss, search)


def _check_refusal(bridge: Bridge, loss: Loss, search: Search) -> None:
    """A loss that a bridge refuses is an error of lossfw when its objective is made."""
    search.count(1)
    why, code = bridge.refusal(loss), f"bridge.build({loss!r})"
    try:
        bridge.build(loss)
    except LossfwError as error:
        if why is None:
            text = f"{bridge.name} does not refuse the loss, and raises an error: {error}"
            raise Counterexample(text, code) from error
        raise NotApplicable(f"{bridge.name} refuses: {why}") from error
    if why is not None:
        text = f"{bridge.name} refuses the loss ({why}), and makes an objective of it all the same"
        raise Counterexample(text, code)


# The laws of automatic differentiation


def _points(loss: Loss, search: Search, name: str, count: int = 12) -> tuple[NDArray, NDArray]:
    points = ordinary_points(subject_of_component(loss), search, f"bridge {name}", count)
    return points.y, points.t


def _check_values(bridge: Bridge, loss: Loss, search: Search) -> None:
    """The library gets the unreduced losses and their published gradients."""
    _compare(bridge, loss, *_points(loss, search, "values", 40), search)


def _check_hard_points(bridge: Bridge, loss: Loss, search: Search) -> None:
    """At ties and kinks, where differentiation of the code goes wrong, it gets them too."""
    for y, t in _hard_points(loss, search):
        _compare(bridge, loss, y, t, search)


def _hard_points(loss: Loss, search: Search) -> Iterator[tuple[NDArray, NDArray]]:
    ordinary_y, t = _points(loss, search, "ties" if loss.takes_rows else "kinks", 8)
    if loss.takes_rows:
        yield np.full_like(ordinary_y, 1.0 / ordinary_y.shape[-1]), t
        return
    for kink in subject_of_component(loss).kinks():
        y = t + kink if loss._argument == "residual" else np.full_like(ordinary_y, kink)
        outside = loss.prediction_space.outside_or_none(y)
        inside = np.flatnonzero(np.ones(y.shape, bool) if outside is None else ~outside)
        if inside.size:
            yield y[inside], t[inside]


def _compare(bridge: Bridge, loss: Loss, y: NDArray, t: NDArray, search: Search) -> None:
    results = bridge.value_and_gradient(loss, y, t)
    if results is None:
        raise NotApplicable(f"{bridge.name} shows no values and gradients")
    search.count(len(y))
    expected = loss(y, t, reduction="none"), loss.gradient(y, t, reduction="none")
    for name, actual, true in zip(("values", "gradients"), results, expected, strict=True):
        actual = np.asarray(actual, np.float64)
        if not boosting.is_close(actual, true, _FLOAT32, 1.0):
            raise Counterexample(
                f"{bridge.name} gets {name} that are not those of the loss: {actual[:3]} ...; "
                f"expected {true[:3]} ...",
                "(y, t)",
                y=y,
                t=t,
            )


def _code(bridge: Bridge, loss: Loss, extra_arguments: str = "") -> str:
    return f"{type(bridge).__name__}().value_and_gradient({loss!r}, y, t{extra_arguments})"


def _check_differences(bridge: AutogradBridge, loss: Loss, search: Search) -> None:
    """The gradients are those of the library's own values, by differences away from kinks."""
    y, t = _points(loss, search, "differences")
    direction = search.rng("bridge direction").normal(size=y.shape)
    if loss.prediction_space is SIMPLEX:
        direction -= np.mean(direction, axis=-1, keepdims=True)
    steps = (y + side * _STEP * direction for side in (-1, 0, 1))
    left, middle, right = (bridge.value_and_gradient(loss, shifted, t) for shifted in steps)
    search.count(len(y))
    along = middle[1] * direction
    expected = along.sum(axis=-1) if loss.takes_rows else along
    actual = (right[0] - left[0]) / (2 * _STEP)
    tolerance = _DIFFERENCES * (1.0 + np.abs(expected) + np.abs(middle[0]))
    # Both sides have other gradients where a kink is near.
    kinked = np.abs((right[0] - 2 * middle[0] + left[0]) / _STEP) > tolerance
    is_wrong = (np.abs(actual - expected) > tolerance) & ~kinked
    if is_wrong.any():
        row = int(np.argmax(is_wrong))
        raise Counterexample(
            f"{bridge.name} gets the gradient {expected[row]:.9g} along a direction, and its "
            f"values change by {actual[row]:.9g} per unit.",
            _code(bridge, loss),
            y=y[row : row + 1],
            t=t[row : row + 1],
        )


def _check_compiled(bridge: AutogradBridge, loss: Loss, search: Search) -> None:
    """Compiled by the library, a loss has the same values and gradients."""
    y, t = _points(loss, search, "compiled")
    search.count(len(y))
    plain = bridge.value_and_gradient(loss, y, t)
    compiled = bridge.value_and_gradient(loss, y, t, compiled=True)
    for name, actual, expected in zip(("values", "gradients"), compiled, plain, strict=True):
        if not boosting.is_close(
            actual, expected, _ROUNDINGS * float(np.finfo(expected.dtype).eps)
        ):
            text = (
                f"compiled by {bridge.name}, the {name} are {actual[:3]} ..., and otherwise "
                f"{expected[:3]} ..."
            )
            raise Counterexample(text, _code(bridge, loss, ", compiled=True"), y=y, t=t)


def _check_dtypes(bridge: AutogradBridge, loss: Loss, search: Search) -> None:
    """Values and gradients have the dtype of the prediction."""
    y, t = _points(loss, search, "dtypes")
    for dtype in _DTYPES:
        search.count(len(y))
        prediction, target = y.astype(dtype), t.astype(dtype) if t.dtype.kind == "f" else t
        results = bridge.value_and_gradient(loss, prediction, target)
        for name, actual in zip(("values", "gradients"), results, strict=True):
            if actual.dtype != dtype:
                text = f"{bridge.name} gets {name} of {actual.dtype} for predictions of {dtype}."
                raise Counterexample(text, _code(bridge, loss), y=prediction, t=target)


# What each kind of bridge is held to, by name, in the order in which it is tried.
_PLAIN: dict[str, BridgeLaw] = {"values": _check_values, "hard points": _check_hard_points}
LAWS: dict[type[Bridge], dict[str, BridgeLaw]] = {
    BoostingBridge: boosting.LAWS,
    AutogradBridge: {
        **_PLAIN,
        "differences": _check_differences,
        "compiled": _check_compiled,
        "dtypes": _check_dtypes,
    },
    Bridge: _PLAIN,
}

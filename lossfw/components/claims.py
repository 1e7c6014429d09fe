"""Claims: the properties that a component claims, and the implications between them.

A claim is a statement that a machine can try to refute. A property that is None is not claimed. A
property that is False is denied, which is also a claim: the harness finds a witness, or refutes the
denial. A new record adds the claims that follow from the given ones. Claims are a method of the
*instance*, because they depend on its parameters: Huber's loss with ``delta=0.25`` is Lipschitz
with constant 0.25.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from numbers import Real
from typing import Any, Self

import numpy as np

from lossfw.components.naming import did_you_mean
from lossfw.errors import BrokenPluginError, ParameterError


@dataclass(frozen=True, kw_only=True)
class _ClaimRecord:
    """A record with a field for each property, None where nothing is said of it."""

    def __new__(cls, *arguments: Any, **claims: Any) -> Self:
        """Refuse an unknown claim in words, before the generated ``__init__`` would."""
        known = [field.name for field in fields(cls)]
        for name in claims:
            if name not in known:
                told = f"{cls.__name__} has no claim {name!r}. {did_you_mean(name, known)}"
                raise ParameterError(f"{told.strip()} It has: {', '.join(known)}.")
        return super().__new__(cls)

    def to_dict(self) -> dict[str, Any]:
        """Return the claims that are made, by name."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value for name, value in values.items() if _is_claimed(value)}

    def denied_names(self) -> tuple[str, ...]:
        """Return the names of the properties that are denied."""
        return tuple(f.name for f in fields(self) if getattr(self, f.name) is False)

    def unclaimed_names(self) -> tuple[str, ...]:
        """Return the names of the properties that are neither claimed nor denied."""
        said = {*self.to_dict(), *self.denied_names()}
        return tuple(f.name for f in fields(self) if f.name not in said)


def require_claims(component: Any) -> None:
    """Check that an author's `claims` is a method that returns claims."""
    method = component.claims
    found = method() if callable(method) else method
    if not callable(method) or not isinstance(found, _ClaimRecord):
        what = f"returns {found!r}" if callable(method) else "is not a method"
        raise BrokenPluginError(
            f"{type(component).__name__}.claims {what}; expected a method that returns the claims, "
            "as in `return Claims(convex=True)`."
        )


@dataclass(frozen=True, kw_only=True)
class Claims(_ClaimRecord):
    """The claims of a loss, for all predictions and targets in its spaces.

    ``r = y - t`` is the residual, ``m = t y`` the margin. True claims a property, False claims that
    it does not hold (`lossfw check` then looks for an example), and None makes no statement.

    Attributes
    ----------
    nonnegative : bool or None
        The value is at least 0, exactly and not only up to rounding.
    lower_bound : float or None
        A lower bound of the value; not necessarily the largest one.
    bounded : float or None
        An upper bound of the value; not necessarily the smallest one.
    zero_at_target : bool or None
        The value is exactly 0 if the prediction equals the target, and so is the derivative where
        the formula's is 0 and has no kink.
    convex : bool or None
        The loss is convex in the prediction; a loss of rows, in the whole row, and of groups, in
        all predictions of a group together.
    strictly_convex : bool or None
        The loss is strictly convex in the prediction; a loss of rows, in the whole row.
    strongly_convex : float or None
        The largest constant mu for which the loss minus mu/2 times the squared
        norm of the prediction is convex.
    lipschitz : float or None
        The smallest Lipschitz constant of the value; it may be a limit that no point reaches.
    gradient_lipschitz : float or None
        The smallest Lipschitz constant of the derivative; it may be a limit that no point reaches.
    symmetric : bool or None
        The value is the same for r and for -r.
    exchangeable : bool or None
        The value is the same with prediction and target exchanged. Then PyTorch and JAX
        differentiate it with respect to the target too.
    smooth : bool or None
        The loss is differentiable at every inner point.
    twice_smooth : bool or None
        The loss is twice differentiable at every inner point.
    breaks : tuple of float or None
        All residuals, margins or predictions at which the derivative jumps. The empty
        tuple claims that there are none.
    second_breaks : tuple of float or None
        All residuals, margins or predictions at which the second derivative jumps. The
        empty tuple claims that there are none.
    monotone : bool or None
        The value does not increase with the margin.
    proper : bool or None
        For every distribution of the label, the true probabilities minimise the expected loss. For
        a `DistributionLoss`: if the target follows the distribution that a prediction describes,
        this prediction minimises the expected loss.
    strictly_proper : bool or None
        As `proper`; in addition, no other prediction reaches the minimum.
    calibrated : bool or None
        For every distribution with a unique most probable class, no prediction of another class has
        the minimal expected loss.
    shift_invariant : bool or None
        Adding a constant to a row of predictions, or to all predictions of a group, does not
        change the value.
    row_order : bool or None
        For a loss of groups: the order of the rows of a group changes neither the value nor the
        derivative of a row.
    zero_alone : bool or None
        For a loss of groups: a group of one row has the value 0 and the derivative 0, exactly.
    permutation_equivariant : bool or None
        Renaming the classes in prediction and target does not change the value.
    finite_at_boundary : bool or None
        The value is finite also for predictions with exact zeros and ones.
    elicits : str or None
        The property of the target's distribution that minimises the expected loss:
        ``"mean"``, ``"median"``, ``"mode"``, ``"quantile(q)"`` or
        ``"expectile(q)"``.
    gradient_zero_almost_everywhere : bool or None
        The derivative is 0 wherever it exists, so no model can be trained on the loss.
    linear_in_target : bool or None
        The loss of a soft target is the mean of the losses of its classes,
        weighted by the target. Class weights need this.

    Examples
    --------
    >>> Claims(strongly_convex=2.0).convex
    True
    """

    nonnegative: bool | None = None
    lower_bound: float | None = None
    bounded: float | None = None
    zero_at_target: bool | None = None
    convex: bool | None = None
    strictly_convex: bool | None = None
    strongly_convex: float | None = None
    lipschitz: float | None = None
    gradient_lipschitz: float | None = None
    symmetric: bool | None = None
    exchangeable: bool | None = None
    smooth: bool | None = None
    twice_smooth: bool | None = None
    breaks: tuple[float, ...] | None = None
    second_breaks: tuple[float, ...] | None = None
    monotone: bool | None = None
    proper: bool | None = None
    strictly_proper: bool | None = None
    calibrated: bool | None = None
    shift_invariant: bool | None = None
    row_order: bool | None = None
    zero_alone: bool | None = None
    permutation_equivariant: bool | None = None
    finite_at_boundary: bool | None = None
    elicits: str | None = None
    gradient_zero_almost_everywhere: bool | None = None
    linear_in_target: bool | None = None

    def __post_init__(self) -> None:
        """Check the values, and add the claims that follow from the given ones."""
        check_values(vars(self))
        added = True
        while added:
            added = False
            for holds, name, value in _RULES:
                if holds(self) and getattr(self, name) is False:
                    raise ParameterError(
                        f"{name} is denied, but follows from other claims: {self}."
                    )
                if holds(self) and not _is_claimed(getattr(self, name)):
                    object.__setattr__(self, name, value)
                    added = True


@dataclass(frozen=True, kw_only=True)
class ActivationClaims(_ClaimRecord):
    """The claims of an activation, for all real arguments.

    Attributes
    ----------
    monotone : bool or None
        The value does not decrease with the argument.
    odd : bool or None
        ``f(-x) = -f(x)``.
    range : tuple of float or None
        The infimum and the supremum of the values.
    lipschitz : float or None
        The smallest Lipschitz constant; for activations of rows in the Euclidean norm.
    breaks : tuple of float or None
        All arguments at which the derivative jumps.
    gradient_zero_almost_everywhere : bool or None
        The derivative is 0 wherever it exists.
    rows_sum_to_one : bool or None
        Each row of results is a distribution.
    shift_invariant : bool or None
        Adding a constant to a whole row does not change the result.
    """

    monotone: bool | None = None
    odd: bool | None = None
    range: tuple[float, float] | None = None
    lipschitz: float | None = None
    breaks: tuple[float, ...] | None = None
    gradient_zero_almost_everywhere: bool | None = None
    rows_sum_to_one: bool | None = None
    shift_invariant: bool | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        check_values(vars(self))


def check_values(claims: Mapping[str, Any]) -> None:
    """Check that claims by name have values of their kinds; None says nothing, False denies.

    Examples
    --------
    >>> check_values({"convex": True, "lipschitz": 1.0, "breaks": (0.0,), "smooth": False})
    """
    for name, value in claims.items():
        fits, expected = _KINDS[_TYPES[name]]
        if value is not None and value is not False and not fits(value):
            raise ParameterError(f"the claim {name}={value!r}: expected {expected.format(name)}.")


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _are_numbers(value: Any) -> bool:
    return isinstance(value, tuple | list) and all(map(_is_number, value))


_TYPES = {
    field.name: str(field.type).removesuffix(" | None")
    for record in (Claims, ActivationClaims)
    for field in fields(record)
}
# By the type of a claim: which values fit, and what is said of another one.
_KINDS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "bool": (lambda value: isinstance(value, bool | np.bool_), "True, False or None"),
    "float": (_is_number, "a number, as in {0}=1.0"),
    "tuple[float, ...]": (_are_numbers, "a tuple of numbers, as in {0}=(0.0,)"),
    "tuple[float, float]": (
        lambda value: _are_numbers(value) and len(value) == 2,
        "two numbers, as in {0}=(0.0, 1.0)",
    ),
    "str": (lambda value: isinstance(value, str), "a string, as in {0}='mean'"),
}


def _is_claimed(value: Any) -> bool:
    """Tell a claim from an absent one; an empty tuple and 0.0 are claims."""
    return value is not None and value is not False


# Each line: if the first holds, then the claim named next has the value that follows.
_RULES: tuple[tuple[Any, str, Any], ...] = (
    (lambda c: c.strongly_convex is not None and c.strongly_convex > 0, "strictly_convex", True),
    (lambda c: c.strictly_convex, "convex", True),
    (lambda c: c.nonnegative, "lower_bound", 0.0),
    (lambda c: c.lower_bound is not None and c.lower_bound >= 0, "nonnegative", True),
    (lambda c: c.strictly_proper, "proper", True),
    (lambda c: c.twice_smooth, "smooth", True),
    (lambda c: c.gradient_lipschitz is not None, "smooth", True),
    (lambda c: c.smooth, "breaks", ()),
    (lambda c: c.twice_smooth, "second_breaks", ()),
)

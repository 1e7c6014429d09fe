"""Claims: promises of a component about itself, and the implications between them.

A claim is something that a machine can try to refute. What is absent is not
claimed; what follows from a claim that was given is added when the record is
made. Claims are returned by an *instance*, since they depend on its parameters:
Huber's loss with ``delta=0.25`` is Lipschitz with constant 0.25.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Claims:
    """What a loss promises, for all predictions and targets in its spaces.

    ``r = y - t`` is the residual, ``m = t y`` the margin.

    Attributes
    ----------
    nonnegative : bool
        The value is at least 0, exactly and not up to rounding.
    lower_bound, bounded : float or None
        The value is at least, at most this number. Bounds need not be tight.
    zero_at_target : bool
        The value is exactly 0 where the prediction is the target.
    convex, strictly_convex : bool
        In the prediction; in the whole row where the loss takes rows.
    strongly_convex : float or None
        The largest constant mu for which the loss minus mu/2 times the squared
        norm of the prediction is still convex.
    lipschitz, gradient_lipschitz : float or None
        The least Lipschitz constant of the value and of the derivative (tight,
        though it may be reached in the limit only).
    symmetric : bool
        The value is the same for r and for -r.
    smooth, twice_smooth : bool
        Once, twice differentiable at every inner point.
    breaks, second_breaks : tuple of float or None
        Exactly the residuals, margins or predictions at which the first, the
        second derivative jumps; an empty tuple says that there are none.
    monotone : bool
        Non-increasing in the margin.
    proper, strictly_proper : bool
        For every distribution of the label the true probabilities minimise the
        expected loss; nothing else does.
    calibrated : bool
        For every distribution with one most probable class, predictions that
        name another class cannot reach the least expected loss.
    shift_invariant : bool
        Adding one constant to a whole row of predictions changes nothing.
    permutation_equivariant : bool
        Renaming the classes in prediction and target changes nothing.
    finite_at_boundary : bool
        The value is finite for predictions with exact zeros and ones.
    elicits : str or None
        What of the target's distribution minimises the expected loss:
        ``"mean"``, ``"median"``, ``"mode"``, ``"quantile(q)"`` or
        ``"expectile(q)"``.
    gradient_zero_almost_everywhere : bool
        The derivative is 0 wherever it exists, so nothing can be learnt.
    linear_in_target : bool
        The loss of a soft target is the mean of the losses of its classes,
        weighted by the target: then classes can have weights.

    Examples
    --------
    >>> Claims(strongly_convex=2.0).convex
    True
    """

    nonnegative: bool = False
    lower_bound: float | None = None
    bounded: float | None = None
    zero_at_target: bool = False
    convex: bool = False
    strictly_convex: bool = False
    strongly_convex: float | None = None
    lipschitz: float | None = None
    gradient_lipschitz: float | None = None
    symmetric: bool = False
    smooth: bool = False
    twice_smooth: bool = False
    breaks: tuple[float, ...] | None = None
    second_breaks: tuple[float, ...] | None = None
    monotone: bool = False
    proper: bool = False
    strictly_proper: bool = False
    calibrated: bool = False
    shift_invariant: bool = False
    permutation_equivariant: bool = False
    finite_at_boundary: bool = False
    elicits: str | None = None
    gradient_zero_almost_everywhere: bool = False
    linear_in_target: bool = False

    def __post_init__(self) -> None:
        """Add the claims that follow from the given ones."""
        added = True
        while added:
            added = False
            for holds, name, value in _RULES:
                if holds(self) and not _is_made(getattr(self, name)):
                    object.__setattr__(self, name, value)
                    added = True

    def made(self) -> dict[str, Any]:
        """Return the claims that are made, by name."""
        return _made(self)

    def not_made(self) -> tuple[str, ...]:
        """Return the names of the claims that are not made."""
        return tuple(f.name for f in fields(self) if f.name not in self.made())


@dataclass(frozen=True, kw_only=True)
class ActivationClaims:
    """What an activation promises, for all real arguments.

    Attributes
    ----------
    monotone : bool
        Non-decreasing.
    odd : bool
        ``f(-x) = -f(x)``.
    range : tuple of float or None
        The infimum and the supremum of the values, both tight.
    lipschitz : float or None
        The least Lipschitz constant; in the Euclidean norm for rows.
    breaks : tuple of float or None
        Exactly the arguments at which the derivative jumps.
    gradient_zero_almost_everywhere : bool
        The derivative is 0 wherever it exists.
    rows_sum_to_one : bool
        Each row of results is a distribution.
    shift_invariant : bool
        Adding one constant to a whole row changes nothing.
    """

    monotone: bool = False
    odd: bool = False
    range: tuple[float, float] | None = None
    lipschitz: float | None = None
    breaks: tuple[float, ...] | None = None
    gradient_zero_almost_everywhere: bool = False
    rows_sum_to_one: bool = False
    shift_invariant: bool = False

    def made(self) -> dict[str, Any]:
        """Return the claims that are made, by name."""
        return _made(self)

    def not_made(self) -> tuple[str, ...]:
        """Return the names of the claims that are not made."""
        return tuple(f.name for f in fields(self) if f.name not in self.made())


def _made(claims: Claims | ActivationClaims) -> dict[str, Any]:
    values = {f.name: getattr(claims, f.name) for f in fields(claims)}
    return {name: value for name, value in values.items() if _is_made(value)}


def _is_made(value: Any) -> bool:
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

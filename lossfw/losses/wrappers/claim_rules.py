"""Rules: how one claim of a wrapper follows from the claims of its parts.

A rule gets the claim's name, the claims of the parts (one, except for a sum) and a fact about the
wrapper. It returns the claim, or None if nothing can be promised.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from lossfw.components.claims import Claims

ClaimRule: TypeAlias = Callable[[str, Sequence[Claims], Any], Any]


def keep(name: str, parts: Sequence[Claims], fact: Any) -> Any:
    """Return the part's claim as it is."""
    return getattr(parts[0], name)


def drop(name: str, parts: Sequence[Claims], fact: Any) -> None:
    """Return nothing."""


def keep_if_empty(name: str, parts: Sequence[Claims], fact: Any) -> tuple[float, ...] | None:
    """Return that there are no breaks, if the part has none; positions of breaks are lost."""
    return () if getattr(parts[0], name) == () else None


def scale_constant(factor: float, constant: float | None) -> float | None:
    """Multiply a claimed number; None if there is none or the product is not a usual number."""
    if constant is None:
        return None
    result = factor * constant
    vanished = result == 0 and factor != 0 and constant != 0
    # + 0.0, so that -2 * 0 is not -0.0.
    return None if vanished or not math.isfinite(result) else result + 0.0


def has_constant_curvature(claims: Claims) -> bool:
    """Tell whether the second derivative is constant, so that its bounds are equal."""
    return (
        claims.gradient_lipschitz is not None
        and claims.strongly_convex == claims.gradient_lipschitz
    )


# Of a loss times a number that is not 0 ------------------------------------


def keep_if_positive_scale(name: str, parts: Sequence[Claims], scale: float) -> Any:
    """Keep claims about minima for a scale above 0; a negative scale makes them maxima."""
    return keep(name, parts, scale) if scale > 0 else None


def scale_lower_bound(name: str, parts: Sequence[Claims], scale: float) -> float | None:
    """Scale the lower bound; a negative scale computes it from the upper bound."""
    return scale_constant(scale, parts[0].lower_bound if scale > 0 else parts[0].bounded)


def scale_upper_bound(name: str, parts: Sequence[Claims], scale: float) -> float | None:
    """Scale the upper bound; a negative scale computes it from the lower bound."""
    return scale_constant(scale, parts[0].bounded if scale > 0 else parts[0].lower_bound)


def scale_derivative_bound(name: str, parts: Sequence[Claims], scale: float) -> float | None:
    """Scale a bound of the size of a derivative by the absolute scale."""
    return scale_constant(abs(scale), getattr(parts[0], name))


def scale_convexity(name: str, parts: Sequence[Claims], scale: float) -> float | None:
    """Scale the constant of convexity, which needs a scale above 0."""
    return scale_constant(scale, parts[0].strongly_convex) if scale > 0 else None


# Of a sum -------------------------------------------------------------------


def require_all(name: str, parts: Sequence[Claims], rows: bool) -> bool:
    """Keep a claim if every part makes it."""
    return all(getattr(part, name) for part in parts)


def add_bounds(name: str, parts: Sequence[Claims], rows: bool) -> float | None:
    """Add the bounds, if every part has one.

    The sum need not be tight, because bounds need not be.
    """
    bounds = [getattr(part, name) for part in parts]
    total = None if None in bounds else sum(bounds)
    return total if total is not None and math.isfinite(total) else None


def require_all_and_one_strict(weak: str) -> ClaimRule:
    """Return a rule for the strict form of a property."""

    def rule(name: str, parts: Sequence[Claims], rows: bool) -> bool:
        """Keep it where all parts have the weaker property, and one the strict one."""
        return require_all(weak, parts, rows) and any(getattr(part, name) for part in parts)

    return rule


def require_same(name: str, parts: Sequence[Claims], rows: bool) -> Any:
    """Keep a claim if every part makes it with the same value."""
    claims = {getattr(part, name) for part in parts}
    return claims.pop() if len(claims) == 1 else None


def add_curvature(name: str, parts: Sequence[Claims], rows: bool) -> float | None:
    """Add constants of curvature if their sum is tight.

    The smallest curvatures of two losses may be at different points. A loss with constant
    curvature shifts that of another by exactly this constant, including the largest if all are
    convex.
    """
    varying = [part for part in parts if not has_constant_curvature(part)]
    tight = len(varying) <= 1 and require_all("convex", parts, rows)
    return add_bounds(name, parts, rows) if tight else None


def add_lipschitz(name: str, parts: Sequence[Claims], rows: bool) -> float | None:
    """Add Lipschitz constants where their sum is tight.

    Usually the sum is not attained. But the derivative of a convex loss is largest at the ends: at
    both for a symmetric loss, and at the same end for all losses that are monotone in the margin. A
    constant loss changes nothing.
    """
    at_the_ends = not rows and (
        require_all("convex", parts, rows)
        and (require_all("symmetric", parts, rows) or require_all("monotone", parts, rows))
    )
    moving = [part for part in parts if part.lipschitz != 0]
    return add_bounds(name, parts, rows) if at_the_ends or len(moving) <= 1 else None


def unite_breaks(name: str, parts: Sequence[Claims], rows: bool) -> tuple[float, ...] | None:
    """Unite the breaks if no two of them can cancel.

    The derivative of a convex loss jumps upward only. Others may cancel where
    they share a break, and so may second derivatives.
    """
    claimed = [getattr(part, name) for part in parts]
    if None in claimed:
        return None
    union = {x for breaks in claimed for x in breaks}
    broken = [part for part, breaks in zip(parts, claimed, strict=True) if breaks]
    upward_only = name == "breaks" and require_all("convex", broken, rows)
    disjoint = len(union) == sum(len(breaks) for breaks in claimed)
    return tuple(sorted(union)) if upward_only or disjoint else None


def keep_calibration_of_margins(name: str, parts: Sequence[Claims], rows: bool) -> bool:
    """Claim calibration only for convex margin losses.

    A convex one is calibrated if and only if its derivative at 0 exists and is
    negative (Bartlett, Jordan, McAuliffe, 2006), which sums keep. For others a
    sum of calibrated losses need not be.
    """
    return all(part.calibrated and part.convex and part.monotone for part in parts) and not rows


# Of weighted classes; the last argument is the least and the largest weight ---


def weight_lower_bound(
    name: str, parts: Sequence[Claims], weight_range: tuple[float, float]
) -> float | None:
    """Use the weight that gives the smallest lower bound."""
    bound = parts[0].lower_bound
    return scale_constant(
        weight_range[0] if bound is not None and bound > 0 else weight_range[1], bound
    )


def weight_upper_bound(
    name: str, parts: Sequence[Claims], weight_range: tuple[float, float]
) -> float | None:
    """Use the weight that gives the largest upper bound."""
    bound = parts[0].bounded
    return scale_constant(
        weight_range[0] if bound is not None and bound < 0 else weight_range[1], bound
    )


def keep_if_positive_weights(
    name: str, parts: Sequence[Claims], weight_range: tuple[float, float]
) -> Any:
    """Keep the claim unless a class has weight 0, whose loss is constant."""
    return keep(name, parts, weight_range) if weight_range[0] > 0 else None


def scale_by_largest_weight(
    name: str, parts: Sequence[Claims], weight_range: tuple[float, float]
) -> float | None:
    """Scale a constant by the largest weight.

    A mixture of classes is never steeper or more curved than the worst of them. If renaming classes
    changes nothing, all have the same constant.
    """
    return (
        scale_constant(weight_range[1], getattr(parts[0], name))
        if parts[0].permutation_equivariant
        else None
    )


def scale_by_least_weight(
    name: str, parts: Sequence[Claims], weight_range: tuple[float, float]
) -> float | None:
    """Scale the constant of convexity by the least weight, for the same reason."""
    return (
        scale_constant(weight_range[0], getattr(parts[0], name))
        if parts[0].permutation_equivariant
        else None
    )


# Of smoothed labels, modulation and masks ---------------------------------------


def keep_if_constant_curvature(name: str, parts: Sequence[Claims], fact: Any) -> float | None:
    """Keep a constant that every target attains; another may need a target that is gone."""
    return keep(name, parts, fact) if has_constant_curvature(parts[0]) else None


def keep_if_linear(name: str, parts: Sequence[Claims], fact: Any) -> Any:
    """Keep the claim if smoothing the label's distribution smooths its expected loss.

    The most probable class of (1 - s) p + s / K is that of p.
    """
    return keep(name, parts, fact) if parts[0].linear_in_target else None


def lower_bound_to_zero(name: str, parts: Sequence[Claims], fact: Any) -> float | None:
    """Return the lower bound of a loss times a factor from 0 to 1."""
    bound = parts[0].lower_bound
    return None if bound is None else min(bound, 0.0)


def upper_bound_to_zero(name: str, parts: Sequence[Claims], fact: Any) -> float | None:
    """Return the upper bound of a loss times a factor from 0 to 1."""
    bound = parts[0].bounded
    return None if bound is None else max(bound, 0.0)


def keep_if_unbroken(name: str, parts: Sequence[Claims], fact: Any) -> tuple[float, ...] | None:
    """Keep second breaks if the first derivative, which the product rule adds, has no breaks."""
    return parts[0].second_breaks if parts[0].breaks == () else None


def keep_if_one_variable(name: str, parts: Sequence[Claims], argument: str) -> float | None:
    """Keep a constant that other targets also attain: for residuals and margins."""
    return keep(name, parts, argument) if argument in ("residual", "margin") else None

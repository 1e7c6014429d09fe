"""The claims of wrappers: one table, with a rule for each claim and each wrapper.

========== ========================================== =========================
column     loss                                       last argument of a rule
========== ========================================== =========================
scaled     scale * l, with a scale that is not 0      the scale
summed     the sum of losses                          whether they are of rows
weighted   classes weighted, of an l linear in t      least and largest weight
smoothed   l(y, (1 - s) t + s / K)                    None
modulated  (1 - p_t)^gamma * l                        None
masked     l, but 0 for one value of the target       the argument of l
========== ========================================== =========================

A claim must hold for all parts. Equal weights are a scale. Smoothing by 0, modulation by 0, and a
mask for a value that cannot be a target do not change claims.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

from lossfw.components.claims import Claims
from lossfw.losses.wrappers.claim_rules import (
    ClaimRule,
    add_bounds,
    add_curvature,
    add_lipschitz,
    drop,
    keep,
    keep_calibration_of_margins,
    keep_if_constant_curvature,
    keep_if_empty,
    keep_if_linear,
    keep_if_one_variable,
    keep_if_positive_scale,
    keep_if_positive_weights,
    keep_if_unbroken,
    lower_bound_to_zero,
    require_all,
    require_all_and_one_strict,
    require_same,
    scale_by_largest_weight,
    scale_by_least_weight,
    scale_convexity,
    scale_derivative_bound,
    scale_lower_bound,
    scale_upper_bound,
    unite_breaks,
    upper_bound_to_zero,
    weight_lower_bound,
    weight_upper_bound,
)

WrapperKind: TypeAlias = Literal["scaled", "summed", "weighted", "smoothed", "modulated", "masked"]


class ClaimRules(NamedTuple):
    """The rules for one claim."""

    scaled: ClaimRule
    summed: ClaimRule
    weighted: ClaimRule
    smoothed: ClaimRule
    modulated: ClaimRule
    masked: ClaimRule


RULES: Mapping[str, ClaimRules] = {
    # Factors at or above 0 keep the sign. For a negative scale it follows from
    # the bounds, if anything does.
    "nonnegative": ClaimRules(keep_if_positive_scale, require_all, keep, keep, keep, keep),
    "lower_bound": ClaimRules(
        scale_lower_bound,
        add_bounds,
        weight_lower_bound,
        keep,
        lower_bound_to_zero,
        lower_bound_to_zero,
    ),
    "bounded": ClaimRules(
        scale_upper_bound,
        add_bounds,
        weight_upper_bound,
        keep,
        upper_bound_to_zero,
        upper_bound_to_zero,
    ),
    # Smoothed, and for soft targets weighted, the loss is asked for another
    # target than the one that is met.
    "zero_at_target": ClaimRules(keep, require_all, drop, drop, keep, keep),
    # Mixtures and sums with weights at or above 0 stay convex; a product does
    # not. Something constant is convex, but not strictly.
    "convex": ClaimRules(keep_if_positive_scale, require_all, keep, keep, drop, keep),
    "strictly_convex": ClaimRules(
        keep_if_positive_scale,
        require_all_and_one_strict("convex"),
        keep_if_positive_weights,
        keep,
        drop,
        drop,
    ),
    # These are claimed as tight, which sums and fewer targets spoil.
    "strongly_convex": ClaimRules(
        scale_convexity,
        add_curvature,
        scale_by_least_weight,
        keep_if_constant_curvature,
        drop,
        drop,
    ),
    "lipschitz": ClaimRules(
        scale_derivative_bound,
        add_lipschitz,
        scale_by_largest_weight,
        drop,
        drop,
        keep_if_one_variable,
    ),
    "gradient_lipschitz": ClaimRules(
        scale_derivative_bound,
        add_curvature,
        scale_by_largest_weight,
        keep_if_constant_curvature,
        drop,
        keep_if_one_variable,
    ),
    # Of the residual, which losses of classes are not.
    "symmetric": ClaimRules(keep, require_all, drop, drop, drop, keep),
    # Weights and masks know the target from the prediction.
    "exchangeable": ClaimRules(keep, require_all, drop, drop, drop, drop),
    # (1 - p_t)^gamma is smooth at every inner point, where p_t < 1.
    "smooth": ClaimRules(keep, require_all, keep, keep, keep, keep),
    "twice_smooth": ClaimRules(keep, require_all, keep, keep, keep, keep),
    # A jump times something above 0 is a jump. A mask has no jump at the value
    # that it leaves out.
    "breaks": ClaimRules(keep, unite_breaks, keep_if_empty, keep_if_empty, keep, keep_if_empty),
    "second_breaks": ClaimRules(
        keep, unite_breaks, keep_if_empty, keep_if_empty, keep_if_unbroken, keep_if_empty
    ),
    "monotone": ClaimRules(keep_if_positive_scale, require_all, drop, drop, drop, keep),
    # What minimises every part minimises their sum. Weights, smoothing and
    # modulation move the minimum; a class that is left out has none.
    "proper": ClaimRules(keep_if_positive_scale, require_all, drop, drop, drop, drop),
    "strictly_proper": ClaimRules(
        keep_if_positive_scale, require_all_and_one_strict("proper"), drop, drop, drop, drop
    ),
    "calibrated": ClaimRules(
        keep_if_positive_scale, keep_calibration_of_margins, drop, keep_if_linear, drop, drop
    ),
    "shift_invariant": ClaimRules(keep, require_all, keep, keep, keep, keep),
    # Losses of groups have no other wrappers than factors and sums.
    "row_order": ClaimRules(keep, require_all, drop, drop, drop, drop),
    "zero_alone": ClaimRules(keep, require_all, drop, drop, drop, drop),
    # Weights and masks tell classes apart.
    "permutation_equivariant": ClaimRules(keep, require_all, drop, keep, keep, drop),
    "finite_at_boundary": ClaimRules(keep, require_all, keep, keep, keep, keep),
    "elicits": ClaimRules(keep_if_positive_scale, require_same, drop, drop, drop, drop),
    # The factor of a modulation has a derivative of its own.
    "gradient_zero_almost_everywhere": ClaimRules(keep, require_all, keep, keep, drop, keep),
    # Smoothing maps the mixture of targets to the mixture of smoothed ones. The
    # factor of a modulation depends on the target as well.
    "linear_in_target": ClaimRules(keep, require_all, keep, keep, drop, drop),
}


def wrapper_claims(column: WrapperKind, parts: Sequence[Claims], fact: Any = None) -> Claims:
    """Return the claims of a wrapper, from those of its parts and its column in the table.

    Examples
    --------
    >>> wrapper_claims("scaled", [Claims(convex=True, lipschitz=1.0)], -2.0).to_dict()
    {'lipschitz': 2.0}
    """
    ruled = {name: getattr(row, column)(name, parts, fact) for name, row in RULES.items()}
    # A denial of a part need not hold of the whole.
    return Claims(**{name: None if value is False else value for name, value in ruled.items()})


# The claims of a constant 0.
_ZERO: Mapping[str, Any] = {
    "nonnegative": True,
    "bounded": 0.0,
    "convex": True,
    "strongly_convex": 0.0,
    "lipschitz": 0.0,
    "gradient_lipschitz": 0.0,
    "twice_smooth": True,
    "gradient_zero_almost_everywhere": True,
}
# The claims of the loss that was scaled to 0 that it keeps: those about its arguments.
_KEPT_BY_ZERO = (
    "zero_at_target",
    "symmetric",
    "exchangeable",
    "monotone",
    "proper",
    "shift_invariant",
    "row_order",
    "zero_alone",
    "permutation_equivariant",
    "finite_at_boundary",
    "linear_in_target",
)


def scaled_claims(part: Claims, scale: float) -> Claims:
    """Return the claims of a loss times a number.

    Examples
    --------
    >>> sorted(scaled_claims(Claims(strictly_proper=True), 0.0).to_dict())[:3]
    ['bounded', 'breaks', 'convex']
    """
    if scale:
        return wrapper_claims("scaled", [part], scale)
    kept_claims = {name: getattr(part, name) or None for name in _KEPT_BY_ZERO}
    return Claims(**_ZERO, **kept_claims)


def weighted_claims(part: Claims, weights: Sequence[float]) -> Claims:
    """Return the claims of a loss with weighted classes."""
    least, most = min(weights), max(weights)
    if least == most:
        return scaled_claims(part, most)
    return wrapper_claims("weighted", [part], (least, most))


# The effects of wrappers, in words --------------------------------------------

Effect: TypeAlias = Literal["kept", "lost", "changed", "depends"]

_CHANGING = (
    *(add_bounds, lower_bound_to_zero, upper_bound_to_zero, unite_breaks),
    *(scale_lower_bound, scale_derivative_bound, scale_upper_bound),
    *(weight_lower_bound, weight_upper_bound),
)

# Of the rules that need no condition; all others depend on one, which their docstring says.
_ALWAYS: dict[ClaimRule, Effect] = {
    keep: "kept",
    require_all: "kept",
    drop: "lost",
    **dict.fromkeys(_CHANGING, "changed"),
}


class ClaimEffect(NamedTuple):
    """The effect on one claim, and its rule in words."""

    claim: str
    effect: Effect
    rule: str


def claim_effects(kind: WrapperKind) -> Iterator[ClaimEffect]:
    """Yield the effect of a kind of wrapper on each claim, in the order of the table.

    Examples
    --------
    >>> next(effect for effect in claim_effects("weighted") if effect.claim == "proper")
    ClaimEffect(claim='proper', effect='lost', rule='Return nothing.')
    """
    for claim, claim_rules in RULES.items():
        rule = getattr(claim_rules, kind)
        words = (rule.__doc__ or "").partition("\n")[0]
        yield ClaimEffect(claim, _ALWAYS.get(rule, "depends"), words)

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

Nothing is claimed that holds for some parts only. Weights that are all the
same are a scale. No smoothing, no modulation, and a mask for a value that is
no target anyway change no claim.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

from lossfw.components.claims import Claims
from lossfw.losses.wrappers.claim_rules import (
    ClaimRule,
    added,
    added_curvature,
    added_slope,
    down_to_zero,
    dropped,
    every,
    heaviest,
    if_constant_curvature,
    if_linear,
    if_one_variable,
    if_unbroken,
    kept,
    lightest,
    margins_calibrated,
    none_weightless,
    one_strictly,
    only_empty,
    scaled_lower,
    scaled_size,
    scaled_upper,
    scaled_upward,
    shared,
    united_breaks,
    up_to_zero,
    upward,
    weighted_lower,
    weighted_upper,
)

WrapperKind: TypeAlias = Literal["scaled", "summed", "weighted", "smoothed", "modulated", "masked"]


class Row(NamedTuple):
    """The rules for one claim."""

    scaled: ClaimRule
    summed: ClaimRule
    weighted: ClaimRule
    smoothed: ClaimRule
    modulated: ClaimRule
    masked: ClaimRule


RULES: Mapping[str, Row] = {
    # Factors at or above 0 keep the sign. For a negative scale it follows from
    # the bounds, if anything does.
    "nonnegative": Row(upward, every, kept, kept, kept, kept),
    "lower_bound": Row(scaled_lower, added, weighted_lower, kept, down_to_zero, down_to_zero),
    "bounded": Row(scaled_upper, added, weighted_upper, kept, up_to_zero, up_to_zero),
    # Smoothed, and for soft targets weighted, the loss is asked for another
    # target than the one that is met.
    "zero_at_target": Row(kept, every, dropped, dropped, kept, kept),
    # Mixtures and sums with weights at or above 0 stay convex; a product does
    # not. Something constant is convex, but not strictly.
    "convex": Row(upward, every, kept, kept, dropped, kept),
    "strictly_convex": Row(upward, one_strictly("convex"), none_weightless, kept, dropped, dropped),
    # These are claimed as tight, which sums and fewer targets spoil.
    "strongly_convex": Row(
        scaled_upward, added_curvature, lightest, if_constant_curvature, dropped, dropped
    ),
    "lipschitz": Row(scaled_size, added_slope, heaviest, dropped, dropped, if_one_variable),
    "gradient_lipschitz": Row(
        scaled_size, added_curvature, heaviest, if_constant_curvature, dropped, if_one_variable
    ),
    # Of the residual, which losses of classes are not.
    "symmetric": Row(kept, every, dropped, dropped, dropped, kept),
    # Weights and masks know the target from the prediction.
    "exchangeable": Row(kept, every, dropped, dropped, dropped, dropped),
    # (1 - p_t)^gamma is smooth at every inner point, where p_t < 1.
    "smooth": Row(kept, every, kept, kept, kept, kept),
    "twice_smooth": Row(kept, every, kept, kept, kept, kept),
    # A jump times something above 0 is a jump. A mask has no jump at the value
    # that it leaves out.
    "breaks": Row(kept, united_breaks, only_empty, only_empty, kept, only_empty),
    "second_breaks": Row(kept, united_breaks, only_empty, only_empty, if_unbroken, only_empty),
    "monotone": Row(upward, every, dropped, dropped, dropped, kept),
    # What minimises every part minimises their sum. Weights, smoothing and
    # modulation move the minimum; a class that is left out has none.
    "proper": Row(upward, every, dropped, dropped, dropped, dropped),
    "strictly_proper": Row(upward, one_strictly("proper"), dropped, dropped, dropped, dropped),
    "calibrated": Row(upward, margins_calibrated, dropped, if_linear, dropped, dropped),
    "shift_invariant": Row(kept, every, kept, kept, kept, kept),
    # Weights and masks tell classes apart.
    "permutation_equivariant": Row(kept, every, dropped, kept, kept, dropped),
    "finite_at_boundary": Row(kept, every, kept, kept, kept, kept),
    "elicits": Row(upward, shared, dropped, dropped, dropped, dropped),
    # The factor of a modulation has a derivative of its own.
    "gradient_zero_almost_everywhere": Row(kept, every, kept, kept, dropped, kept),
    # Smoothing maps the mixture of targets to the mixture of smoothed ones. The
    # factor of a modulation depends on the target as well.
    "linear_in_target": Row(kept, every, kept, kept, dropped, dropped),
}


def wrapper_claims(column: WrapperKind, parts: Sequence[Claims], by: Any = None) -> Claims:
    """Return the claims of a wrapper, from the claims of its parts.

    Parameters
    ----------
    column : str
        Of the table.
    parts : sequence of Claims
        Those of the parts.
    by : object
        The last argument of the column's rules.

    Examples
    --------
    >>> wrapper_claims("scaled", [Claims(convex=True, lipschitz=1.0)], -2.0).made()
    {'lipschitz': 2.0}
    """
    ruled = {name: getattr(row, column)(name, parts, by) for name, row in RULES.items()}
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
    "permutation_equivariant",
    "finite_at_boundary",
    "linear_in_target",
)


def scaled_claims(part: Claims, scale: float) -> Claims:
    """Return the claims of a loss times a number.

    Examples
    --------
    >>> sorted(scaled_claims(Claims(strictly_proper=True), 0.0).made())[:3]
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

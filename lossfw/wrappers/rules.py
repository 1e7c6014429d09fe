"""What wrappers claim: one table, a rule for each claim and each wrapper.

========== ========================================== =========================
column     loss                                       last argument of a rule
========== ========================================== =========================
scaled     scale * l, with a scale that is not 0      the scale
summed     the sum of losses                          whether they are of rows
weighted   classes weighted, of an l linear in t      least and largest weight
smoothed   l(y, (1 - s) t + s / K)                    None
modulated  (1 - p_t)^gamma * l                        None
masked     l, but 0 for one value of the target       what l is a function of
========== ========================================== =========================

Nothing is claimed that holds for some parts only. Weights that are all the
same are a scale. No smoothing, no modulation, and a mask for a value that is
no target anyway change no claim.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from lossfw.claims import Claims
from lossfw.loss import Loss
from lossfw.parts import argument_of
from lossfw.spaces import ClassIndex, Simplex
from lossfw.wrappers.fitting import ROLES, contains, space_of
from lossfw.wrappers.rule import (
    Rule,
    added,
    added_curvature,
    added_slope,
    constant_curvature,
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

if TYPE_CHECKING:
    from lossfw.wrappers.sum import Sum

Column: TypeAlias = Literal["scaled", "summed", "weighted", "smoothed", "modulated", "masked"]


class Row(NamedTuple):
    """The rules for one claim."""

    scaled: Rule
    summed: Rule
    weighted: Rule
    smoothed: Rule
    modulated: Rule
    masked: Rule


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


def wrapper_claims(column: Column, parts: Sequence[Claims], by: Any = None) -> Claims:
    """Return what a wrapper claims, from what its parts claim.

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
    absent = {name: getattr(Claims(), name) for name in RULES}
    made = {name: absent[name] if value is None else value for name, value in ruled.items()}
    return Claims(**made)


# What a constant 0 claims, whatever it came from.
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
# What it keeps of the loss that was scaled to 0: what speaks of its arguments.
_KEPT_BY_ZERO = (
    "zero_at_target",
    "symmetric",
    "monotone",
    "proper",
    "shift_invariant",
    "permutation_equivariant",
    "finite_at_boundary",
    "linear_in_target",
)


def scaled_claims(part: Claims, scale: float) -> Claims:
    """Return what a loss times a number claims.

    Examples
    --------
    >>> sorted(scaled_claims(Claims(strictly_proper=True), 0.0).made())[:3]
    ['bounded', 'breaks', 'convex']
    """
    if scale:
        return wrapper_claims("scaled", [part], scale)
    return Claims(**_ZERO, **{name: getattr(part, name) for name in _KEPT_BY_ZERO})


def weighted_claims(part: Claims, weights: Sequence[float]) -> Claims:
    """Return what a loss with weighted classes claims."""
    least, most = min(weights), max(weights)
    if least == most:
        return scaled_claims(part, most)
    return wrapper_claims("weighted", [part], (least, most))


def sum_claims(total: Sum) -> Claims:
    """Return what a sum of losses claims."""
    if len(total.of) == 1:
        return total.of[0].claims()
    parts = [_within_sum(total, part) for part in total.of]
    return wrapper_claims("summed", parts, total.takes_rows)


def _within_sum(total: Sum, part: Loss) -> Claims:
    """Return what a part still claims where it stands: on less, or for whole rows."""
    claims = part.claims()
    if total.takes_rows and not part.takes_rows:
        claims = _of_rows(claims)
    narrowed = not all(contains(space_of(total, role), space_of(part, role)) for role in ROLES)
    if narrowed:
        claims = _on_less(claims)
    if narrowed or total.takes_rows or len({argument_of(other) for other in total.of}) > 1:
        # Then their places are places of something else, or cannot be reached.
        claims = replace(claims, breaks=_no(claims.breaks), second_breaks=_no(claims.second_breaks))
    if isinstance(part.target_space, ClassIndex) and isinstance(total.target_space, Simplex):
        # Nothing is lost at a class that is certain; at a soft target something may be.
        claims = replace(claims, zero_at_target=False)
    if total.input_form == "logits" and total.link is None:
        # Different links give the same logits different meanings.
        claims = replace(
            claims, proper=False, strictly_proper=False, calibrated=False, elicits=None
        )
    return claims


def _no(places: tuple[float, ...] | None) -> tuple[float, ...] | None:
    return () if places == () else None


def _of_rows(claims: Claims) -> Claims:
    """Return what the sum over a row's elements claims, whatever their number."""
    low, high = claims.lower_bound, claims.bounded
    return replace(
        claims,
        lower_bound=low if low is not None and low >= 0 else None,
        bounded=high if high is not None and high <= 0 else None,
        # Grows with the square root of the number of elements, unless it is 0.
        lipschitz=0.0 if claims.lipschitz == 0 else None,
        # Claims about one number.
        symmetric=False,
        monotone=False,
        calibrated=False,
        elicits=claims.elicits if claims.elicits == "mean" else None,
        # Every element is treated alike, and none is compared with another.
        permutation_equivariant=True,
        shift_invariant=False,
    )


def _on_less(claims: Claims) -> Claims:
    """Return what still holds on a smaller space: bounds do, tight constants need not."""
    tight = constant_curvature(claims)
    return replace(
        claims,
        lipschitz=0.0 if claims.lipschitz == 0 else None,
        strongly_convex=claims.strongly_convex if tight else None,
        gradient_lipschitz=claims.gradient_lipschitz if tight else None,
        calibrated=False,
    )

"""The curvature of a row: the second derivative, or its replacement in a Newton step.

A boosting library moves a leaf by -sum(w g) / sum(w h). With the second derivative for h this
is Newton's step, which explodes where h is 0 or negative, as for robust losses far from the
target. The other rules bound the step.
"""

from __future__ import annotations

import functools
from typing import Final, Literal, TypeAlias

import numpy as np

from lossfw.components.claims import Claims
from lossfw.components.spaces import REAL
from lossfw.errors import ArgumentError
from lossfw.learning.raw_form import Rows
from lossfw.learning.secant import NEAR, secant, typical_distance
from lossfw.learning.softmax_form import softmax_form
from lossfw.losses.base import LossDefinition
from lossfw.losses.capabilities import DistributionLoss
from lossfw.losses.engine.groups import STACK_ELEMENTS
from lossfw.losses.engine.threads import run
from lossfw.losses.inputs import one_hot
from lossfw.losses.loss import Loss
from lossfw.losses.row_groups import Groups
from lossfw.numerics.arrays import NDArray

# What "auto" makes of a loss: one of the others, or the library's own for softmax.
Rule: TypeAlias = Literal["exact", "bound", "gradient", "one", "softmax", "twice", "expected"]

CURVATURES: Final = ("auto", "exact", "bound", "gradient", "one", "twice", "expected")

# The least curvature of a row of weight 1, as XGBoost has it.
LEAST: Final = 1e-16
# Residuals of any scale that a loss may have.
_RESIDUALS: Final = 10.0 ** np.arange(-6, 7)
# So many rows of a few classes stay in the second-level cache through some operations.
_IN_CACHE: Final = 4096


# Called for every part of the rows, where they would take half of the time.
@functools.lru_cache(maxsize=64)
def _claims(loss: Loss) -> Claims:
    return loss.claims()


def rule_for(loss: Loss, curvature: str) -> Rule:
    """Return the rule for the curvature of a loss; refuse a rule that does not apply to it."""
    if curvature not in CURVATURES:
        raise ArgumentError(
            f"curvature={curvature!r} is unknown: choose one of {', '.join(CURVATURES)}."
        )
    if curvature == "auto":
        return _automatic_rule(loss)
    if curvature == "exact" and has_two_sides(loss) and may_have_kinks(loss):
        raise ArgumentError(
            f'curvature="exact" cannot train {loss.name}: its second derivative is 0 almost '
            'everywhere, except for its kinks. Choose "bound", "gradient" or "one".'
        )
    if curvature == "expected" and not has_expected_curvature(loss):
        raise ArgumentError(
            f'curvature="expected" needs expected_second_derivative, which {loss.name} does not '
            'have: choose "gradient", or write it (lossfw.DistributionLoss).'
        )
    if curvature == "bound" and not _has_bound(loss):
        raise ArgumentError(
            'curvature="bound" needs curvature_bound or the claim gradient_lipschitz, but '
            f'{loss.name} has neither: choose "gradient", or write curvature_bound.'
        )
    return curvature  # type: ignore[return-value]  # one of the literals


def _automatic_rule(loss: Loss) -> Rule:
    claims = _claims(loss)
    if loss.has_columns and has_expected_curvature(loss):
        return "expected"
    if loss.takes_groups:
        # The Hessian of such a loss is at most twice its diagonal, where no score alone counts.
        if claims.convex and claims.twice_smooth and claims.shift_invariant:
            return "twice"
        return "bound" if _has_bound(loss) else "gradient"
    if loss.takes_rows:
        return "softmax" if softmax_form(loss, loss.fixed_classes or 3) is not None else "gradient"
    if has_two_sides(loss):
        return "exact" if claims.strongly_convex and not may_have_kinks(loss) else "bound"
    smooth = claims.convex and claims.twice_smooth
    return "exact" if smooth and claims.gradient_lipschitz is not None else "gradient"


def has_two_sides(loss: Loss) -> bool:
    """Tell whether a loss is 0 at the target in its own units, with two sides there."""
    if loss.takes_rows or loss.takes_groups or loss.has_columns:
        return False
    if loss._argument == "residual":
        return True
    at_target = _claims(loss).zero_at_target and loss.prediction_space is REAL
    return bool(at_target and loss._argument == "prediction")


def may_have_kinks(loss: Loss) -> bool:
    """Tell whether the gradient of a loss may jump; it may unless the loss claims otherwise."""
    return _claims(loss).breaks != ()


def has_expected_curvature(loss: Loss) -> bool:
    """Tell whether a loss knows its expected second derivative."""
    if not isinstance(loss, DistributionLoss):
        return False
    return type(loss).expected_second_derivative is not DistributionLoss.expected_second_derivative


def _has_bound(loss: Loss) -> bool:
    if has_two_sides(loss):
        return True
    if loss.takes_groups or loss.has_columns:
        return type(loss).curvature_bound is not LossDefinition.curvature_bound
    # Both in every space of targets.
    one = np.eye(loss.fixed_classes or 3) if loss.takes_rows else np.ones(1)
    return loss._unreduced_curvature_bound(np, one, one) is not None


def curvature_of(
    loss: Loss, rule: Rule, rows: Rows, gradients: NDArray, softmax_factor: float = 1.0
) -> NDArray:
    """Return the weighted curvature of each raw prediction, from the weighted gradients there.

    The rule ``softmax`` multiplies the second derivative by `softmax_factor`.
    """
    if rows.h is not None:
        return rows.h
    weights = rows.broadcast_weights()
    constant = constant_curvature(loss, rule)
    if constant is not None:
        return np.full_like(gradients, constant) * weights
    if rule in ("softmax", "exact"):
        by_gradients = _softmax_curvature(
            loss, rows, gradients, softmax_factor if rule == "softmax" else 1.0
        )
        if by_gradients is not None:
            return by_gradients
    is_wide = loss.takes_groups or loss.has_columns
    own = (
        _author_bound(loss, rows)
        if rule == "bound" and (is_wide or not may_have_kinks(loss))
        else None
    )
    if own is not None:
        return np.maximum(own * weights, LEAST * weights)
    if rule == "expected":
        return np.maximum(_expected_curvature(loss, rows) * weights, LEAST * weights)
    second = rows.compute(loss, "hessian")
    if rule in ("softmax", "twice"):
        found = np.multiply(second, softmax_factor if rule == "softmax" else 2.0, out=second)
    elif rule == "gradient":
        # So no row asks for a step above 1, or above Newton's.
        found = np.maximum(second, np.abs(gradients), out=second)
        if loss._argument == "margin" and _claims(loss).breaks:
            found = np.maximum(found, _kink_curvature(loss, rows) * weights)
    elif rule == "bound":
        # Where a loss grows faster than a square, its own curvature is the larger one.
        traits = {"symmetric": bool(_claims(loss).symmetric), "has_kinks": may_have_kinks(loss)}
        found = np.maximum(secant(loss, rows, gradients, **traits), second, out=second)
    else:
        found = second
    result: NDArray = np.maximum(found, LEAST * weights, out=found)
    return result


def _expected_curvature(loss: Loss, rows: Rows) -> NDArray:
    """Return the expected second derivatives of flat rows."""
    assert isinstance(loss, DistributionLoss)
    space = loss.prediction_space
    found = loss.expected_second_derivative(np, space.to_record(rows.y))
    return np.asarray(space.from_record(np, found) if space.axes else found)


def constant_curvature(loss: Loss, rule: Rule) -> float | None:
    """Return the curvature if it is the same for every row, as for the squared error; else None."""
    if rule == "one":
        return 1.0
    claims = _claims(loss)
    least, most = claims.strongly_convex, claims.gradient_lipschitz
    return max(least, LEAST) if rule == "exact" and least is not None and least == most else None


def _softmax_curvature(loss: Loss, rows: Rows, gradients: NDArray, factor: float) -> NDArray | None:
    """Return a multiple of the second derivative of a softmax cross-entropy, by its gradients.

    For classes the gradients are c p, and for the target c (p - 1), so that c p (1 - p) needs no
    other softmax. The error is that of 1 - p, less than `LEAST`. None for other losses and
    targets.
    """
    if not loss.takes_rows or rows.t.ndim == 2:
        return None
    form = softmax_form(loss, rows.y.shape[1])
    if form is None or not form.is_plain:
        return None
    c = None if rows.w is None and (form.weight == 1.0).all() else form.weight[rows.t, np.newaxis]
    if c is not None and rows.w is not None:
        c = c * rows.w[:, np.newaxis]
        # A row of weight 0 has no gradient either.
        c[c == 0.0] = 1.0
    found = np.empty_like(gradients)

    def put_curvatures(part: slice) -> None:
        size = np.abs(gradients[part])
        curvature = np.multiply(
            size, 1.0 - (size if c is None else size / c[part]), out=found[part]
        )
        curvature *= factor
        np.maximum(
            curvature, LEAST * (1.0 if rows.w is None else rows.w[part, np.newaxis]), out=curvature
        )

    run(put_curvatures, [slice(i, i + _IN_CACHE) for i in range(0, len(gradients), _IN_CACHE)])
    return found


def _author_bound(loss: Loss, rows: Rows) -> NDArray | None:
    """Return the bound that the author gives: of a parabola that touches the loss from above.

    None where there is none, and for a mirrored loss where it is the mere constant.
    """
    if loss.takes_groups:
        return _group_bound(loss, rows)
    if loss.has_columns:
        return loss._unreduced_curvature_bound(np, rows.y, rows.t)
    if not has_two_sides(loss):
        t = one_hot(rows.t, rows.y.shape[-1], rows.y.dtype) if rows.t.ndim < rows.y.ndim else rows.t
        return loss._unreduced_curvature_bound(np, rows.y, t)
    return None if _bound_is_constant(loss) else loss._unreduced_curvature_bound(np, rows.y, rows.t)


def _group_bound(loss: Loss, rows: Rows) -> NDArray:
    """Return the author's bound of all groups, a stack of those of one size at a time."""
    number = np.zeros(len(rows.y), np.int64) if rows.group is None else rows.group
    groups = Groups(np.arange(len(rows.y)), np.bincount(number))
    y_space, t_space = loss.prediction_space, loss.target_space
    found = np.empty_like(rows.y)
    for _, index in groups.stacks(STACK_ELEMENTS):
        y, t = y_space.to_record(rows.y[index]), t_space.to_record(rows.t[index])
        bound = loss.curvature_bound(np, y, t)
        found[index] = y_space.from_record(np, bound)
    return found


@functools.lru_cache(maxsize=64)
def _bound_is_constant(loss: Loss) -> bool:
    """Tell whether the bound of a mirrored loss is the same near its target and far from it."""
    t = np.ones(1)
    bounds = [loss._unreduced_curvature_bound(np, t + r, t) for r in _RESIDUALS]
    return None in bounds or bool((np.asarray(bounds) == bounds[0]).all())


def _kink_curvature(loss: Loss, rows: Rows) -> NDArray:
    """Return the curvature of a square around each kink of a loss of the margin.

    A row on the flat side of hinge has neither gradient nor curvature, and would not resist to
    being moved across the kink: from the best constant, no split would have a gain.
    """
    margin = rows.y * rows.t
    found: NDArray = np.zeros_like(margin)
    for kink in _claims(loss).breaks or ():
        beside = np.array([kink - NEAR, kink + NEAR])
        before, after = loss.gradient(beside, np.ones(2), reduction="none")
        a = np.maximum(np.abs(margin - kink), NEAR)
        typical = typical_distance(a, np.ones_like(a) * rows.broadcast_weights())
        found = found + 0.5 * max(float(after - before), 0.0) / np.hypot(a, typical)
    return found

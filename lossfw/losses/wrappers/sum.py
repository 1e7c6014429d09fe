"""The sum of losses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar

from pydantic import field_validator

from lossfw.components.claims import Claims
from lossfw.components.ranges import PromisedRange
from lossfw.components.spaces import ClassIndex, Simplex, Space
from lossfw.losses.base import Form, ResultForm
from lossfw.losses.bodies import one_hot_rows
from lossfw.losses.loss import Loss
from lossfw.losses.nested import NestedLoss
from lossfw.losses.wrappers.base import Wrapper, add_arrays, parts_property, refuse_own_weights
from lossfw.losses.wrappers.claim_rules import has_constant_curvature
from lossfw.losses.wrappers.claim_table import WrapperKind, wrapper_claims
from lossfw.losses.wrappers.compatibility import (
    ROLES,
    check_forms,
    check_groups,
    check_shapes,
    contains,
    narrowest_space,
    space_of,
)
from lossfw.numerics.arrays import Array, Namespace, NDArray


def _common_value(values: Iterable[Any]) -> Any:
    """Return the value of all parts; None if they differ."""
    first, *others = values
    return first if all(repr(other) == repr(first) for other in others) else None


def _first_known(values: Iterable[Any]) -> Any:
    return next((value for value in values if value is not None), None)


class Sum(Wrapper):
    """The sum of losses of one prediction and one target; ``a + b`` makes it.

    Use it when one prediction has several losses.

    Parameters
    ----------
    of : sequence of Loss
        The parts. A sum among them is replaced by its own parts.

    Notes ----- Predictions and targets must be in the spaces of all parts, one of which must be
    contained in the others. Either all parts take logits or none.

    If some parts give one loss per row and others one per element, the latter are summed over the
    last axis, so the sum gives one loss per row. Targets may then be class indices, which mean
    one-hot rows, if the parts of rows accept class indices.

    Examples
    --------
    >>> import lossfw
    >>> loss = lossfw.loss("sum", of=[{"name": "squared_error", "scale": 0.5}, "cross_entropy"])
    >>> round(loss([[0.5, 0.5]], [0]), 6)  # 0.5 (0.25 + 0.25) + log 2
    0.943147
    """

    claim_column: ClassVar[WrapperKind | None] = "summed"
    latex_of_parts: ClassVar[str] = r"\sum_{i} \ell_{i}(y, t)"

    of: tuple[NestedLoss, ...]

    @field_validator("of")
    @classmethod
    def _require_compatible(cls, losses: tuple[Loss, ...]) -> tuple[Loss, ...]:
        if not losses:
            raise ValueError("a non-empty list")
        flat = tuple(
            inner for part in losses for inner in (part.of if type(part) is cls else (part,))
        )
        for part in flat:
            refuse_own_weights(part, "sum", "since a mean has one divisor")
        check_groups(flat)
        check_shapes(flat)
        check_forms(flat)
        narrowest_space(flat, "prediction")
        narrowest_space(flat, "target")
        return flat

    takes_rows: ClassVar[Any] = parts_property("takes_rows", any)
    takes_groups: ClassVar[Any] = parts_property("takes_groups", any)
    needs_group: ClassVar[Any] = parts_property("needs_group", any)
    neutral: ClassVar[Any] = parts_property("neutral", _common_value)
    _takes_target_rows: ClassVar[Any] = parts_property("_takes_target_rows", any)
    has_columns: ClassVar[Any] = parts_property("has_columns", any)
    least_classes: ClassVar[Any] = parts_property("least_classes", max)
    fixed_classes: ClassVar[Any] = parts_property("fixed_classes", _first_known)
    prediction_range: ClassVar[Any] = parts_property("prediction_range", PromisedRange.intersection)
    target_range: ClassVar[Any] = parts_property("target_range", PromisedRange.intersection)
    _argument: ClassVar[Any] = parts_property(
        "_argument", lambda found: _common_value(found) or "prediction"
    )
    output_activation: ClassVar[Any] = parts_property("output_activation", _common_value)

    @property
    def _sums_rows(self) -> bool:
        """Whether one part does, and none takes whole rows."""
        return not self.takes_rows and any(part._sums_rows for part in self.of)

    @cached_property
    def prediction_space(self) -> Space:
        """The narrowest space of all parts."""
        return narrowest_space(self.of, "prediction")

    @cached_property
    def target_space(self) -> Space:
        """The narrowest space of all parts."""
        return narrowest_space(self.of, "target")

    @property
    def _input_form(self) -> Form:
        """The form of a part that takes raw outputs, as then every one does."""
        forms = (part._input_form for part in self.of)
        return next((form for form in forms if form != "prediction"), "prediction")

    def _expected_activation(self) -> str | None:
        """Return the activation whose results all parts expect; None if they do not agree."""
        output_activation: str | None = _common_value(
            part._expected_activation() for part in self.of
        )
        return output_activation

    def on_raw_outputs(self) -> Loss | None:
        """Return the sum of the fused parts, if all have the same output activation."""
        parts = [part.on_raw_outputs() for part in self.of]
        if self._expected_activation() is None or None in parts:
            return None
        return self.replace(of=tuple(parts))

    def _check_columns(self, shape: tuple[int, ...]) -> None:
        """Let every part check; see `Loss._check_columns`."""
        for part in self.of:
            part._check_columns(shape)

    def check_domain(self, y: NDArray, t: NDArray, by_index: bool, start: int) -> None:
        """Let every part check; see `Loss.check_domain`."""
        for part in self.of:
            if by_index and not part.takes_rows:
                # The one-hot rows of its targets are in its space, as all are.
                part.prediction_space.check(y, "prediction", start=start)
            else:
                part.check_domain(y, t, by_index, start)

    _forms_at_index: ClassVar[Any] = ("value",)

    def _compute_losses(
        self, form: ResultForm, xp: Namespace, y: Array, t: Array, by_index: bool
    ) -> Any:
        """Add the results of the parts."""

        def losses_of(part: Loss) -> Any:
            if by_index and not part.takes_rows:
                return part._unreduced_losses(form, xp, y, one_hot_rows(xp, y, t))
            return part._unreduced_losses(form, xp, y, t, by_index)

        results = [losses_of(part) for part in self.of]
        if form in ("gradient", "hessian"):
            return add_arrays(results)
        losses = [pair[0] for pair in results] if form == "both" else results
        total = add_arrays(
            self._fit_shape(xp, part, x) for part, x in zip(self.of, losses, strict=True)
        )
        return (total, add_arrays(pair[1] for pair in results)) if form == "both" else total

    def curvature_bound(self, xp: Namespace, y: Array, t: Array) -> Array | None:
        """Add the bounds of the parts; None if one is not known."""
        bounds = [part._unreduced_curvature_bound(xp, y, t) for part in self.of]
        return None if any(bound is None for bound in bounds) else add_arrays(bounds)

    def _fit_shape(self, xp: Namespace, part: Loss, losses: Array) -> Array:
        """Give the losses of a part the shape of the sum's."""
        return xp.sum(losses, axis=-1) if self.takes_rows and not part.takes_rows else losses

    def claims(self) -> Claims:
        """Those of all parts; bounds add up, and tight constants where the sum is tight."""
        if len(self.of) == 1:
            return self.of[0].claims()
        parts = [_claims_in_sum(self, part) for part in self.of]
        return wrapper_claims("summed", parts, self.takes_rows)


def _claims_in_sum(total: Sum, part: Loss) -> Claims:
    """Return the claims that a part keeps in a sum: on a smaller space, or for whole rows."""
    claims = part.claims()
    if total.takes_rows and not part.takes_rows:
        claims = _claims_of_row_sum(claims)
    narrowed = not all(contains(space_of(total, role), space_of(part, role)) for role in ROLES)
    if narrowed:
        claims = _claims_on_subspace(claims)
    if narrowed or total.takes_rows or len({other._argument for other in total.of}) > 1:
        # Then their places are places of something else, or cannot be reached.
        claims = replace(
            claims,
            breaks=_keep_if_empty(claims.breaks),
            second_breaks=_keep_if_empty(claims.second_breaks),
        )
    if isinstance(part.target_space, ClassIndex) and isinstance(total.target_space, Simplex):
        # Nothing is lost at a class that is certain; at a soft target something may be.
        claims = replace(claims, zero_at_target=None)
    if total._takes_raw_outputs and total.output_activation is None:
        # Different activations give the same logits different meanings.
        claims = replace(claims, proper=None, strictly_proper=None, calibrated=None, elicits=None)
    return claims


def _keep_if_empty(places: tuple[float, ...] | None) -> tuple[float, ...] | None:
    return () if places == () else None


def _claims_of_row_sum(claims: Claims) -> Claims:
    """Return the claims of the sum over a row's elements, for any number of them."""
    low, high = claims.lower_bound, claims.bounded
    return replace(
        claims,
        lower_bound=low if low is not None and low >= 0 else None,
        bounded=high if high is not None and high <= 0 else None,
        # Grows with the square root of the number of elements, unless it is 0.
        lipschitz=0.0 if claims.lipschitz == 0 else None,
        # Claims about one number.
        symmetric=None,
        monotone=None,
        calibrated=None,
        elicits=claims.elicits if claims.elicits == "mean" else None,
        # Every element is treated alike, and none is compared with another.
        permutation_equivariant=True,
        shift_invariant=None,
    )


def _claims_on_subspace(claims: Claims) -> Claims:
    """Return the claims that hold on a smaller space: bounds do, tight constants need not."""
    tight = has_constant_curvature(claims)
    return replace(
        claims,
        lipschitz=0.0 if claims.lipschitz == 0 else None,
        strongly_convex=claims.strongly_convex if tight else None,
        gradient_lipschitz=claims.gradient_lipschitz if tight else None,
        calibrated=None,
    )

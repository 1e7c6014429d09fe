"""Wrapper: base classes of the losses that are made of other losses."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, TypeAlias

from lossfw.errors import ParameterError
from lossfw.losses.base import ResultForm
from lossfw.losses.loss import Loss
from lossfw.losses.nested import NestedLoss
from lossfw.losses.wrappers.claim_table import WrapperKind
from lossfw.numerics.arrays import Array, Namespace, NDArray

# Changes the losses, derivatives and terms of a part.
Change: TypeAlias = Callable[[Array], Array]


class Wrapper(Loss):
    """A loss that holds other losses."""

    # How the user makes the loss's own weights mere factors; empty where nothing does.
    weights_as_factors: ClassVar[str] = ""

    # Its column in the table of claims; empty where it has rules of its own.
    claim_column: ClassVar[WrapperKind | None] = None

    # Its formula as LaTeX in terms of the loss of a part.
    latex_of_parts: ClassVar[str] = ""


def part_property(name: str) -> Any:
    """Return a property that reads an attribute of the wrapped loss."""
    return property(lambda wrapper: getattr(wrapper.of, name), doc=f"`{name}` of the part.")


def parts_property(name: str, join: Callable[[Iterable[Any]], Any]) -> Any:
    """Return a property that joins an attribute of the wrapped losses."""

    def make_method(wrapper: Any) -> Any:
        return join(getattr(part, name) for part in wrapper.of)

    return property(make_method, doc=f"`{name}` of the parts.")


class PartWrapper(Wrapper):
    """A wrapper around one loss, with the shapes, spaces and output activation of that loss."""

    of: NestedLoss

    takes_rows: ClassVar[Any] = part_property("takes_rows")
    takes_groups: ClassVar[Any] = part_property("takes_groups")
    needs_group: ClassVar[Any] = part_property("needs_group")
    neutral: ClassVar[Any] = part_property("neutral")
    _sums_rows: ClassVar[Any] = part_property("_sums_rows")
    _takes_target_rows: ClassVar[Any] = part_property("_takes_target_rows")
    has_columns: ClassVar[Any] = part_property("has_columns")
    least_classes: ClassVar[Any] = part_property("least_classes")
    fixed_classes: ClassVar[Any] = part_property("fixed_classes")
    prediction_space: ClassVar[Any] = part_property("prediction_space")
    target_space: ClassVar[Any] = part_property("target_space")
    prediction_range: ClassVar[Any] = part_property("prediction_range")
    target_range: ClassVar[Any] = part_property("target_range")
    _argument: ClassVar[Any] = part_property("_argument")
    _input_form: ClassVar[Any] = part_property("_input_form")
    output_activation: ClassVar[Any] = part_property("output_activation")

    def _expected_activation(self) -> str | None:
        """Return the activation whose results the part expects; None if any will do."""
        return self.of._expected_activation()

    def on_raw_outputs(self) -> Loss | None:
        """Return the wrapper around the part on logits; None without an output activation."""
        part = self.of.on_raw_outputs()
        return None if part is None else self.replace(of=part)

    def _check_columns(self, shape: tuple[int, ...]) -> None:
        """Let the part check, and what the wrapper itself fixes; see `Loss._check_columns`."""
        self.of._check_columns(shape)
        super()._check_columns(shape)

    def check_domain(self, y: NDArray, t: NDArray, by_index: bool, start: int) -> None:
        """Let the part check; see `Loss.check_domain`."""
        self.of.check_domain(y, t, by_index, start)


class TargetChangingWrapper(PartWrapper):
    """Base class of wrappers that change the targets of a loss, multiply its results, or both."""

    @abstractmethod
    def change_targets(self, xp: Namespace, t: Array, by_index: bool) -> tuple[Array, Change]:
        """Return the targets for the wrapped loss, and the function that changes its results.

        Parameters
        ----------
        xp : namespace
        t : array
            Targets for the part; class indices if `by_index` is true.
        by_index : bool
        """

    _forms_at_index: ClassVar[Any] = ("value",)

    def _compute_losses(
        self, form: ResultForm, xp: Namespace, y: Array, t: Array, by_index: bool
    ) -> Any:
        """Change the results of the part on changed targets."""
        t, change = self.change_targets(xp, t, by_index=by_index)
        results = self.of._unreduced_losses(form, xp, y, t, by_index)
        return (change(results[0]), change(results[1])) if form == "both" else change(results)

    def curvature_bound(self, xp: Namespace, y: Array, t: Array) -> Array | None:
        t, change = self.change_targets(xp, t, by_index=False)
        bound = self.of._unreduced_curvature_bound(xp, y, t)
        return None if bound is None else change(bound)


def add_arrays(terms: Iterable[Array]) -> Array:
    """Return the sum of arrays."""
    total, *others = terms
    for term in others:
        total = total + term
    return total


def identity(results: Array) -> Array:
    """Return results as they are."""
    return results


def refuse_own_weights(part: Loss, owner: str, reason: str) -> None:
    """Raise `ParameterError` for a part with its own mask or weights; `reason` is a clause."""
    if not part._has_own_weight:
        return
    remedy = f"put it around the {owner}"
    if isinstance(part, Wrapper) and part.weights_as_factors:
        remedy = f"{remedy}, or {part.weights_as_factors}"
    raise ParameterError(f"{part.name} cannot be inside {owner}, {reason}: {remedy}.")


def refuse_groups(part: Loss, owner: str) -> None:
    """Raise `ParameterError` for a part that is a loss of groups."""
    if part.takes_groups:
        raise ParameterError(
            f"{part.name} has one loss for a group of rows, but {owner} changes losses of single "
            f"rows: leave out {owner}."
        )

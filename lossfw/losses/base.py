"""LossDefinition: the parts of a loss that do not depend on the call.

They are its spaces and claims, and functions of prediction and target that a kind derives from what
the author wrote.
"""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Literal, TypeAlias

from lossfw.components.claims import Claims
from lossfw.components.columns import Columns
from lossfw.components.component import Component
from lossfw.components.ranges import PROMISED, PromisedRange, ranges_in_words
from lossfw.components.spaces import CLASS_INDEX, LOGITS, REAL, SIGN, SIMPLEX, Space, Vector
from lossfw.errors import ArgumentError, DomainError, ShapeError
from lossfw.losses.bodies import one_hot_rows
from lossfw.losses.neutral import neutral_problem
from lossfw.numerics.arrays import Array, Namespace, NDArray
from lossfw.numerics.typed_namespace import typed_namespace

# What a loss takes: predictions, or the raw outputs of a model, which have a name of their own
# where the output activation is softmax, sigmoid or the exponential.
Form = Literal["prediction", "logits", "logs", "raw outputs"]


# See `LossDefinition.unreduced_losses`.
ResultForm: TypeAlias = Literal["formula", "value", "gradient", "hessian", "both"]

# The author's own argument. The claims `breaks`, `second_breaks`, `symmetric`
# and `monotone` are about it.
Argument: TypeAlias = Literal["residual", "margin", "prediction"]


def plural_of_form(form: str) -> str:
    """Return the plural of a form, which says what a loss takes."""
    return "predictions" if form == "prediction" else form


# The function of a body that gives each form of a result.
BODY_FUNCTIONS: dict[ResultForm, str] = {
    "formula": "formula",
    "value": "value",
    "gradient": "derivative",
    "hessian": "second_derivative",
    "both": "value_and_derivative",
}


_Method: TypeAlias = Callable[..., Any]


def _make_unreduced(form: ResultForm, *, by_index: bool = False) -> _Method:
    """Return the method that gives unreduced losses in one form."""

    def losses(self: LossDefinition, xp: Namespace, y: Array, t: Array) -> Any:
        return self._unreduced_losses(form, xp, y, t, by_index)

    return losses


def refuse_terms(cls: type) -> None:
    """Raise `TypeError` if a class has a function `terms`, which lossfw would never call."""
    if "terms" in cls.__dict__:
        raise TypeError(
            f"{cls.__name__}.terms is not a function of a component: results are compared with the "
            "exact ones of arguments that are rounded, so that terms may cancel. Delete it."
        )


class LossDefinition(Component, ABC):
    """Base class of `lossfw.Loss`, which adds the call."""

    kind: ClassVar[str] = "loss"
    prediction: ClassVar[Space] = REAL
    target: ClassVar[Space] = REAL
    # The sizes for which the author promises results.
    prediction_range: ClassVar[PromisedRange] = PROMISED
    target_range: ClassVar[PromisedRange] = PROMISED
    # Whether one loss belongs to a group of rows, whether a call has to name the groups, and the
    # row that groups can be filled up with; see `lossfw.GroupLoss`.
    takes_groups: ClassVar[bool] = False
    needs_group: ClassVar[bool] = False
    neutral: ClassVar[tuple[Any, Any] | None] = None
    # The least number of columns for which a loss of rows makes sense.
    least_classes: ClassVar[int] = 1
    # Whether spaces of named columns and vectors are understood.
    _allows_columns: ClassVar[bool] = False
    _argument: ClassVar[Argument] = "prediction"
    # The activation that the loss expects before it; None if any will do.
    output_activation: ClassVar[str | None] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        refuse_terms(cls)
        named = [x for x in (cls.prediction, cls.target) if isinstance(x, Columns | Vector)]
        if named and not cls._allows_columns:
            raise TypeError(
                f"{cls.__name__} has the space {named[0]}: derive {cls.__name__} from "
                "PointwiseLoss, whose functions get columns by name."
            )
        # That of a wrapper is of its parts.
        if cls.neutral is not None and not hasattr(cls.neutral, "__get__"):
            fault = neutral_problem(cls.neutral, cls.prediction)
            if fault:
                raise TypeError(f"neutral of {cls.__name__} {fault}")
        for name in ("prediction_range", "target_range"):
            sizes = getattr(cls, name)
            if not isinstance(sizes, PromisedRange | property):
                raise TypeError(
                    f"{name} of {cls.__name__} is {sizes!r}; expected a PromisedRange, such as "
                    "PromisedRange(1e-6, 1e6), or leave it out for the default range."
                )

    # An author may write ---------------------------------------------------

    def claims(self) -> Claims:
        """Return the claims of this loss at its parameters; none by default."""
        return Claims()

    def curvature_bound(self, xp: Namespace, y: Array, t: Array) -> Array | None:
        """Return h with l(y + d) <= l(y) + g d + h d^2 / 2 for every step d.

        Then a step to y - g / h never increases the loss, while a Newton step may. For rows, h d^2
        is summed over the columns.

        Parameters
        ----------
        xp : namespace
        y, t : array
            Prediction and target of one shape, classes as one-hot rows.

        Returns
        -------
        array or None
            In the shape of the prediction; infinite where no bound exists, such as at a kink. None
            if no bound is known. By default the claimed Lipschitz constant of the derivative.
        """
        constant = self.claims().gradient_lipschitz
        return None if constant is None else xp.full_like(y, constant)

    @property
    def prediction_space(self) -> Space:
        """The space of predictions at these parameters."""
        return LOGITS if self._takes_raw_outputs else self.prediction

    @property
    def target_space(self) -> Space:
        """The space of targets at these parameters."""
        return self.target

    @property
    def _promise(self) -> str:
        """For which sizes of numbers results are promised, in words; empty for the usual ones."""
        sizes = ranges_in_words(self.prediction_range, self.target_range)
        return f"promised for {sizes}" if sizes else ""

    @property
    def fixed_classes(self) -> int | None:
        """The number of classes, if the parameters fix it."""
        return None

    @functools.cached_property
    def _cache_key(self) -> str:
        """A text that is the same for two losses of a class that compute the same."""
        return repr(self.parameters)

    # The author's functions, lifted by a kind ------------------------------

    @property
    def body(self) -> object:
        """The object with the author's functions at these parameters."""
        return self

    @property
    @abstractmethod
    def takes_rows(self) -> bool:
        """Whether the last axis of a prediction is one row with one loss."""

    @property
    def _takes_target_rows(self) -> bool:
        """Whether the last axis of a target is one row; class indices have none."""
        return self.takes_rows

    @property
    def has_columns(self) -> bool:
        """Whether the spaces fix the shapes, because one of them is a space of rows."""
        return False

    @property
    def _sums_rows(self) -> bool:
        """Whether the losses of elements are summed over the last axis (``per: row``)."""
        return False

    @property
    def takes_classes(self) -> bool:
        """Whether a target is a class or a distribution over classes."""
        if self.has_columns or self.takes_groups:
            return False
        return self.takes_rows and self.target_space in (CLASS_INDEX, SIMPLEX)

    # The forms of results that need no one-hot rows for class indices.
    _forms_at_index: ClassVar[Any] = ()

    def _unreduced_losses(
        self, form: ResultForm, xp: Namespace, y: Array, t: Array, by_index: bool = False
    ) -> Any:
        """Return the unreduced losses, their derivatives, or both.

        Parameters
        ----------
        form : {"formula", "value", "gradient", "hessian", "both"}
            The losses by the textbook definition or computed the stable way, their first
            or (diagonal) second derivatives, or the pair of losses and first derivatives.
        xp : namespace
        y, t : array
            Prediction and target.
        by_index : bool
            Whether targets are class indices.
        """
        if by_index and form not in self._forms_at_index:
            if form == "value" and not self.takes_rows:
                raise ArgumentError(f"{type(self).__name__} takes no class indices.")
            t, by_index = one_hot_rows(xp, y, t), False
        return self._compute_losses(form, typed_namespace(xp, y), y, t, by_index)

    @abstractmethod
    def _compute_losses(
        self, form: ResultForm, xp: Namespace, y: Array, t: Array, by_index: bool
    ) -> Any:
        """Return `_unreduced_losses`; class indices only for one of `_forms_at_index`."""

    _unreduced_formula: ClassVar[_Method] = _make_unreduced("formula")
    _unreduced: ClassVar[_Method] = _make_unreduced("value")
    _unreduced_gradient: ClassVar[_Method] = _make_unreduced("gradient")
    _unreduced_hessian: ClassVar[_Method] = _make_unreduced("hessian")
    _unreduced_with_gradient: ClassVar[_Method] = _make_unreduced("both")
    _unreduced_at: ClassVar[_Method] = _make_unreduced("value", by_index=True)
    _unreduced_gradient_at: ClassVar[_Method] = _make_unreduced("gradient", by_index=True)
    _unreduced_hessian_at: ClassVar[_Method] = _make_unreduced("hessian", by_index=True)
    _unreduced_with_gradient_at: ClassVar[_Method] = _make_unreduced("both", by_index=True)

    def _unreduced_curvature_bound(self, xp: Namespace, y: Array, t: Array) -> Array | None:
        """Return `curvature_bound` in the shape of the prediction."""
        return self.curvature_bound(xp, y, t)

    def check_domain(self, y: NDArray, t: NDArray, by_index: bool, start: int) -> None:
        """Raise `DomainError` if a prediction or target is outside its space."""
        try:
            self.prediction_space.check(y, "prediction", start=start)
        except DomainError as error:
            raise DomainError(f"{error} {self._domain_remedy(y)}".rstrip()) from None
        if by_index:
            CLASS_INDEX.check_below(t, y.shape[-1], start=start)
        else:
            # Other targets of classes are one-hot or soft.
            space = SIMPLEX if self.takes_classes else self.target_space
            try:
                space.check(t, "target", start=start)
            except DomainError as error:
                if space is not SIGN:
                    raise
                remedy = "Labels 0 and 1 become these by 2 * target - 1."
                raise DomainError(f"{error} {remedy}") from None

    def _check_columns(self, shape: tuple[int, ...]) -> None:
        """Raise `ShapeError` for rows of too few columns, or of others than the loss is made for.

        A call checks them once, whatever its tiles.
        """
        if not self.takes_rows:
            return
        # A space of so many columns has looked at their number before.
        space = self.prediction_space
        fixed = None if space.axes and space.size is not None else self.fixed_classes
        least = self.least_classes
        if fixed is not None and shape[-1] != fixed:
            expected = f"{fixed} columns, as its parameters say"
        elif shape[-1] < least:
            expected = f"at least {least} columns"
        else:
            return
        raise ShapeError(
            f"prediction has shape {tuple(shape)}; {self.name} expects rows of {expected}."
        )

    def _domain_remedy(self, y: NDArray) -> str:
        """Return how to mend predictions outside their space; empty where nothing is known."""
        return ""

    # The output activation; see `lossfw.RawOutputLoss` -------------------------------------

    @property
    def _input_form(self) -> Form:
        """``"prediction"``, or the word for the raw outputs where predictions are such."""
        return "prediction"

    @property
    def _takes_raw_outputs(self) -> bool:
        """Whether predictions are what goes into the output activation."""
        return self._input_form != "prediction"

    def _expected_activation(self) -> str | None:
        """Return the activation whose results this loss expects; None if any will do."""
        return None if self._takes_raw_outputs else self.output_activation

    # The loss's own mask and weights ---------------------------------------

    @property
    def _has_own_weight(self) -> bool:
        """Whether the loss itself says which targets count, and how much."""
        return False

    def _own_mask_and_weight(
        self, xp: Namespace, t: Array, by_index: bool
    ) -> tuple[Array | None, Array | None]:
        """Return the mask and the weights that the loss itself gives its targets.

        Both as ``where`` and ``sample_weight`` in a call; None where there is no rule.
        """
        return None, None

    def _without_own_weight(self) -> LossDefinition:
        """Return the loss without its own weights: the reduction applies them."""
        return self

"""Loss: how every loss is called.

Arguments are always (prediction, target). The kinds of losses, which fix what
an author writes, stand in `lossfw.losses.kinds`.
"""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar, Literal, TypeGuard, cast

import numpy as np

from lossfw.components.registry import registry
from lossfw.components.spaces import CLASS_INDEX, SIMPLEX
from lossfw.errors import ArgumentError, ParameterError
from lossfw.losses import array_api, reference
from lossfw.losses.base import Definition
from lossfw.losses.engine import execute
from lossfw.losses.engine.exact_sum import exact_sum
from lossfw.losses.engine.reduction import (
    Denominator,
    Empty,
    Partial,
    Reduction,
    check_choices,
    mean_of,
)
from lossfw.losses.inputs import Arguments, choose, prepare, set_weight, set_where
from lossfw.numerics.arrays import NDArray, is_foreign
from lossfw.numerics.exact.reference import Order


class Loss(Definition):
    """A loss: what a prediction costs, given the target.

    Derive from one of the kinds (`DistanceLoss`, `MarginLoss`,
    `PointwiseLoss`, `CategoricalLoss`), not from this class.

    Attributes
    ----------
    prediction, target : Space
        Where predictions and targets live. A value outside is a `DomainError`.

    Notes
    -----
    Shapes of prediction and target agree exactly, except that a categorical
    target may be class indices with one dimension less. float64 and float32
    stay; float16 and bfloat16 are computed in float32; integers and lists
    become float64. Sums are accumulated in float64. Inputs are never written
    to. NaN in a prediction always reaches the result.

    ``2 * a``, ``a / 3``, ``-a``, ``a + b``, ``a - b`` and ``sum([a, b])`` are losses.
    """

    def on_logits(self) -> Loss | None:
        """Return this loss as a function of what goes into its link; None without a link."""
        return None if self.link_activation() is None else self.replace(from_logits=True)

    def __call__(
        self,
        prediction: Any,
        target: Any,
        *,
        sample_weight: Any = None,
        where: Any = None,
        reduction: Reduction = "mean",
        denominator: Denominator = "weights",
        empty: Empty = "raise",
    ) -> Any:
        """Return the loss.

        Parameters
        ----------
        prediction, target : array_like
            Of the same shape; a categorical target may be class indices with
            one dimension less.
        sample_weight : array_like, optional
            Weights at or above 0, of the shape of the unreduced loss or, along
            axis 0, one for each row. Weight 0 removes, weight 2 counts twice.
        where : array_like of bool, optional
            True for what counts; shapes as for `sample_weight`.
        reduction : {"mean", "sum", "none"}
            ``"none"`` returns w l, 0 for what is left out.
        denominator : {"weights", "count"}
            A mean is sum(w l) / sum(w), or sum(w l) over the number of
            elements or rows that `where` lets count.
        empty : {"raise", "nan", "zero"}
            The mean of nothing.

        Returns
        -------
        float, or array for ``reduction="none"``
            A sum is accumulated in float64. An array has the prediction's
            dtype. Arrays of another library give results of that library.

        Raises
        ------
        ShapeError, DtypeError, DomainError, EmptyReductionError
            See the notes of the class.

        Examples
        --------
        >>> import lossfw
        >>> loss = lossfw.loss("squared_error")
        >>> loss([1.0, 2.0], [0.0, 0.0], sample_weight=[1.0, 3.0])
        3.25
        """
        check_choices(reduction, denominator, empty)
        if is_foreign(prediction):
            return array_api.value(
                self, prediction, target, sample_weight, where, reduction, denominator, empty
            )
        call = self._prepare(prediction, target, sample_weight, where)
        if reduction == "none":
            return execute.unreduced(self.without_own_weight(), call)
        return _reduced(
            execute.sums(self.without_own_weight(), call), reduction, denominator, empty
        )

    def gradient(
        self,
        prediction: Any,
        target: Any,
        *,
        sample_weight: Any = None,
        where: Any = None,
        reduction: Reduction = "mean",
        denominator: Denominator = "weights",
        empty: Empty = "raise",
    ) -> Any:
        """Return the gradient of the reduced loss with respect to the prediction.

        For parameters and errors see the call. With ``reduction="none"`` it is
        that of the sum: the derivative of each unreduced loss. What is left out
        has gradient 0.

        Returns
        -------
        array
            In the shape and dtype of the prediction.

        Examples
        --------
        >>> import lossfw
        >>> lossfw.loss("squared_error").gradient([1.0, 2.0], [0.0, 0.0])
        array([1., 2.])
        """
        return self._derivative(
            prediction, target, sample_weight, where, reduction, denominator, empty, second=False
        )

    def hessian(
        self,
        prediction: Any,
        target: Any,
        *,
        sample_weight: Any = None,
        where: Any = None,
        reduction: Reduction = "mean",
        denominator: Denominator = "weights",
        empty: Empty = "raise",
    ) -> Any:
        """Return the diagonal of the Hessian of the reduced loss.

        Parameters, results and errors are those of `gradient`.
        """
        return self._derivative(
            prediction, target, sample_weight, where, reduction, denominator, empty, second=True
        )

    def value_and_gradient(
        self,
        prediction: Any,
        target: Any,
        *,
        sample_weight: Any = None,
        where: Any = None,
        reduction: Literal["mean", "sum"] = "mean",
        denominator: Denominator = "weights",
        empty: Empty = "raise",
    ) -> tuple[Any, Any]:
        """Return the reduced loss and its gradient from one pass over the data.

        Parameters and errors are those of the call; a reduction is needed.
        """
        check_choices(reduction, denominator, empty)
        if reduction not in ("mean", "sum"):
            raise ArgumentError(
                'value_and_gradient needs reduction="mean" or "sum": without one, call the loss '
                "and its gradient."
            )
        if is_foreign(prediction):
            arguments = (prediction, target, sample_weight, where, reduction, denominator, empty)
            return array_api.value(self, *arguments), array_api.derivative(self, *arguments)
        call = self._prepare(prediction, target, sample_weight, where)
        scale = self._scale(call, reduction, denominator, empty)
        totals, gradient = execute.sums_and_gradient(self.without_own_weight(), call, scale)
        return _reduced(totals, reduction, denominator, empty), gradient

    def partial(
        self,
        prediction: Any,
        target: Any,
        *,
        start: int = 0,
        sample_weight: Any = None,
        where: Any = None,
    ) -> Partial:
        """Return the mergeable sum over some rows.

        Parameters
        ----------
        prediction, target, sample_weight, where
            As in the call.
        start : int
            Global number of the first row. The bits of the merged result are
            the same for every split of the rows.

        Returns
        -------
        Partial
        """
        return self.partial_and_rows(
            prediction, target, start=start, sample_weight=sample_weight, where=where, rows=False
        )[0]

    def partial_and_rows(
        self,
        prediction: Any,
        target: Any,
        *,
        start: int = 0,
        sample_weight: Any = None,
        where: Any = None,
        rows: bool = True,
    ) -> tuple[Partial, execute.RowSums | None]:
        """Return `partial`, and from the same pass the sums over each row; None without `rows`."""
        call = self._prepare(prediction, target, sample_weight, where)
        call.start = start
        sums = execute.RowSums.of(call) if rows else None
        return execute.partial(self.without_own_weight(), call, sums), sums

    def exact(self, prediction: Any, target: Any, *, derivative: Order = 0) -> NDArray:
        """Return the true unreduced loss, or its derivative, with 60 digits.

        The textbook formula is run on exact numbers; derivatives are
        differences of it, right to 30 digits. This is what the accuracy of the
        call is measured against. It takes some 50 microseconds an element.

        Parameters
        ----------
        prediction, target : array_like
            As in the call. Each float is taken for the number that it is.
        derivative : {0, 1, 2}
            The loss itself, its first or its second derivative with respect to
            each element of the prediction. At a kink it is the mean of the
            left and the right one.

        Returns
        -------
        ndarray of object
            Of the shape of the unreduced loss; for derivatives, of the
            prediction. Elements are `lossfw.numerics.exact.number.Number`: ``float()``
            rounds them, and they compute and compare with floats.

        Raises
        ------
        MissingExtraError
            If mpmath is not installed; besides the errors of the call.

        Examples
        --------
        >>> import lossfw
        >>> lossfw.loss("squared_error").exact([1e-200], [0.0])
        array([9.999999999999999642e-401], dtype=object)
        """
        call = self._prepare(prediction, target, None, None)
        truth: NDArray = reference.of_loss(self, call, derivative)
        return truth

    # Operators -------------------------------------------------------------

    # NumPy's numbers then leave ``number * loss`` to the methods below.
    __array_ufunc__: ClassVar[None] = None

    def __mul__(self, factor: object) -> Loss:
        if not _is_number(factor):
            return NotImplemented
        # The wrappers are losses themselves, and stand above this module.
        return _made("scaled", of=self, scale=float(factor))

    def __rmul__(self, factor: object) -> Loss:
        return self * factor

    def __truediv__(self, divisor: object) -> Loss:
        if not _is_number(divisor):
            return NotImplemented
        if not float(divisor):
            raise ParameterError(f"{type(self).__name__} cannot be divided by 0.")
        return self * (1.0 / float(divisor))

    def __neg__(self) -> Loss:
        return self * -1.0

    def __add__(self, other: object) -> Loss:
        return _made("sum", of=(self, other)) if isinstance(other, Loss) else NotImplemented

    def __radd__(self, other: object) -> Loss:
        # Python's sum() begins with 0.
        return self if _is_number(other) and not float(other) else NotImplemented

    def __sub__(self, other: object) -> Loss:
        return self + -other if isinstance(other, Loss) else NotImplemented

    # Inside ----------------------------------------------------------------

    def _prepare(self, prediction: Any, target: Any, sample_weight: Any, where: Any) -> Arguments:
        space = self.target_space
        call = prepare(
            prediction,
            target,
            rowwise=self.takes_rows,
            classes=self.takes_rows and space in (CLASS_INDEX, SIMPLEX),
            per_row_target=self.target_per_row,
        )
        if self.sums_rows:
            if not call.prediction_shape:
                raise ArgumentError("per: row sums over the last axis, and a number has none.")
            call.shape = call.prediction_shape[:-1]
            if not call.shape:
                call.y, call.t = call.y[None], call.t[None]
        if sample_weight is not None:
            set_weight(call, sample_weight)
        if where is not None:
            set_where(call, where)
        choose(call, *self.own_mask_and_weight(np, call.t, call.by_index))
        return call

    def _derivative(
        self,
        prediction: Any,
        target: Any,
        sample_weight: Any,
        where: Any,
        reduction: Reduction,
        denominator: Denominator,
        empty: Empty,
        *,
        second: bool,
    ) -> Any:
        check_choices(reduction, denominator, empty)
        if is_foreign(prediction):
            arguments = (prediction, target, sample_weight, where, reduction, denominator, empty)
            return array_api.derivative(self, *arguments, second=second)
        call = self._prepare(prediction, target, sample_weight, where)
        scale = self._scale(call, reduction, denominator, empty)
        return execute.derivatives(self.without_own_weight(), call, scale, second=second)

    def _scale(
        self, call: Arguments, reduction: Reduction, denominator: Denominator, empty: Empty
    ) -> float:
        """Return the factor that turns unreduced derivatives into those of the reduced loss."""
        if reduction != "mean":
            return 1.0
        if call.weight is None and call.keep is None:
            units = 1
            for length in call.shape:
                units *= length
            return mean_of(1.0, units, empty)
        blocks = execute.weights(call)
        if denominator == "weights":
            return mean_of(1.0, exact_sum(weight for weight, _ in blocks), empty)
        return mean_of(1.0, sum(counted for _, counted in blocks), empty)


def _made(name: str, **parameters: Any) -> Loss:
    return cast(Loss, registry().create("loss", name, **parameters))


def _is_number(x: object) -> TypeGuard[Real]:
    # True and False are numbers to Python alone.
    return isinstance(x, Real) and not isinstance(x, bool)


def _reduced(
    blocks: list[tuple[float, float, int]],
    reduction: Reduction,
    denominator: Denominator,
    empty: Empty,
) -> float:
    """Add the sums of blocks exactly and reduce."""
    total = exact_sum(block[0] for block in blocks)
    if reduction == "sum":
        return total + 0.0
    if denominator == "weights":
        return mean_of(total, exact_sum(block[1] for block in blocks), empty)
    return mean_of(total, sum(block[2] for block in blocks), empty)

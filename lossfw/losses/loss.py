"""Loss: the call, the derivatives and the partials of every loss.

Arguments are always (prediction, target). The kinds of losses, with the functions that
an author writes, are in `lossfw.losses.kinds`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from numbers import Real
from typing import Any, ClassVar, Literal, TypeGuard, cast

import numpy as np

from lossfw.components.plain_values import to_plain
from lossfw.components.registry import registry
from lossfw.errors import ArgumentError, ParameterError
from lossfw.losses import reference
from lossfw.losses.base import LossDefinition, ResultForm
from lossfw.losses.call import Given, prepare_call, run_call
from lossfw.losses.engine import execute, fast_path, group_partial
from lossfw.losses.engine.group_partial import GroupPartial
from lossfw.losses.engine.partial import Partial
from lossfw.losses.engine.reduction import Denominator, Empty, Reduction, ReductionName
from lossfw.losses.group_inputs import GroupArguments
from lossfw.losses.inputs import check_first_row, set_out
from lossfw.numerics.arrays import NDArray
from lossfw.numerics.exact.reference import DerivativeOrder


class Loss(LossDefinition):
    """Base class of all losses.

    Derive from one of the kinds (`DistanceLoss`, `MarginLoss`,
    `PointwiseLoss`, `CategoricalLoss`), not from this class.

    Attributes
    ----------
    prediction, target : Space
        The spaces of predictions and targets. A value outside is a `DomainError`.
    prediction_range, target_range : PromisedRange, optional
        The magnitudes for which results are promised; by default 0 and 1e-30 to 1e30 (float32:
        1e-10 to 1e10). A call also accepts other numbers.

    Notes
    -----
    Shapes of prediction and target agree exactly, except that a categorical target may be class
    indices with one dimension less. float64 and float32 are kept; float16 and bfloat16 are computed
    in float32; integers and lists become float64. Sums are accumulated in float64. Inputs are never
    written to. NaN in a prediction always reaches the result.

    Arrays of PyTorch, JAX and other libraries of the array API standard pass the same
    checks as NumPy's, and give results of their library; those of two libraries do
    not mix. While JAX traces a function, values cannot be checked, and the mean of
    nothing is NaN.

    ``2 * a``, ``a / 3``, ``-a``, ``a + b``, ``a - b`` and ``sum([a, b])`` are losses.
    """

    def _repr_html_(self) -> str:
        """Return the loss for a notebook: its curve and its claims."""
        from lossfw.losses.notebook import loss_html

        return loss_html(self)

    def on_raw_outputs(self) -> Loss | None:
        """Return this loss as a function of raw outputs; None if it has no such other form."""
        return None

    def __call__(
        self,
        prediction: Any,
        target: Any,
        *,
        group: Any = None,
        sample_weight: Any = None,
        where: Any = None,
        reduction: ReductionName = "mean",
        denominator: Denominator = "weights",
        empty: Empty = "raise",
    ) -> Any:
        """Return the loss.

        Parameters
        ----------
        prediction, target : array_like
            Of the same shape; a categorical target may be class indices with
            one dimension less.
        group : array_like, optional
            For a loss of groups (`GroupLoss`), the id of each row's group, a number or a text.
            The rows of a group stand together. Without it, predictions with an axis more are
            groups of one size, one to a line. The unreduced loss has one number for each group,
            in the order of their first rows; `sample_weight` has one for each group, or for
            each row, the same within a group; `where` leaves out rows of their groups.
        sample_weight : array_like, optional
            Weights at or above 0, of the shape of the unreduced loss or, along
            axis 0, one for each row. Weight 0 removes, weight 2 counts twice.
        where : array_like of bool, optional
            True for elements or rows that count; shapes as for `sample_weight`.
        reduction : {"mean", "sum", "none"}
            ``"none"`` returns w l, 0 for elements or rows that are left out.
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
        choice = Reduction.cached(reduction, denominator, empty)
        return self._compute("value", (prediction, target, group, sample_weight, where), choice)

    def unchecked(
        self,
        prediction: Any,
        target: Any,
        *,
        group: Any = None,
        sample_weight: Any = None,
        where: Any = None,
        reduction: ReductionName = "mean",
        denominator: Denominator = "weights",
        empty: Empty = "nan",
    ) -> Any:
        """Return the loss as a call does, but without checks of the values of the arguments.

        On an accelerator such checks wait for the device, and a traced function has no values to
        check. Shapes and dtypes are checked; a value outside of its space gives any result, and the
        mean of nothing is NaN or, with ``empty="zero"``, 0.

        Parameters and results are those of the call.

        Examples
        --------
        >>> import numpy as np, lossfw
        >>> float(lossfw.loss("brier").unchecked(np.asarray([2.0]), np.asarray([0.0])))
        4.0
        """
        choice = Reduction.cached(reduction, denominator, empty)
        given = prediction, target, group, sample_weight, where
        return run_call(self, prepare_call(self, given, checked=False), "value", choice)

    def gradient(
        self,
        prediction: Any,
        target: Any,
        *,
        group: Any = None,
        sample_weight: Any = None,
        where: Any = None,
        reduction: ReductionName = "mean",
        denominator: Denominator = "weights",
        empty: Empty = "raise",
        out: NDArray | None = None,
    ) -> Any:
        """Return the gradient of the reduced loss with respect to the prediction.

        For the other parameters and errors see the call. With ``reduction="none"`` it is
        that of the sum: the derivative of each unreduced loss. Elements or rows
        that are left out have gradient 0.

        Parameters
        ----------
        out : ndarray, optional
            An array that receives the result, for NumPy arguments: in C order, with the shape and
            dtype of the result, and without memory in common with an argument. Its content is
            undefined if the call raises.

        Returns
        -------
        array
            In the shape and dtype of the prediction; `out`, if it is given.

        Raises
        ------
        ShapeError, DtypeError, ArgumentError
            If `out` does not fit the result; and the errors of the call.

        Examples
        --------
        >>> import lossfw, numpy as np
        >>> lossfw.loss("squared_error").gradient([1.0, 2.0], [0.0, 0.0])
        array([1., 2.])
        >>> buffer = np.empty(2)
        >>> lossfw.loss("squared_error").gradient([1.0, 2.0], [0.0, 0.0], out=buffer) is buffer
        True
        """
        choice = Reduction.cached(reduction, denominator, empty)
        given = prediction, target, group, sample_weight, where
        return self._compute("gradient", given, choice, out)

    def hessian(
        self,
        prediction: Any,
        target: Any,
        *,
        group: Any = None,
        sample_weight: Any = None,
        where: Any = None,
        reduction: ReductionName = "mean",
        denominator: Denominator = "weights",
        empty: Empty = "raise",
        out: NDArray | None = None,
    ) -> Any:
        """Return the diagonal of the Hessian of the reduced loss.

        Parameters, results and errors are those of `gradient`.

        Examples
        --------
        >>> import lossfw
        >>> lossfw.loss("huber").hessian([0.5, 3.0], [0.0, 0.0], reduction="sum")
        array([1., 0.])
        """
        choice = Reduction.cached(reduction, denominator, empty)
        given = prediction, target, group, sample_weight, where
        return self._compute("hessian", given, choice, out)

    def value_and_gradient(
        self,
        prediction: Any,
        target: Any,
        *,
        group: Any = None,
        sample_weight: Any = None,
        where: Any = None,
        reduction: Literal["mean", "sum"] = "mean",
        denominator: Denominator = "weights",
        empty: Empty = "raise",
        out: NDArray | None = None,
    ) -> tuple[Any, Any]:
        """Return the reduced loss and its gradient from one pass over the data.

        Parameters and errors are those of `gradient`, which goes to `out`; a reduction is
        needed.

        Examples
        --------
        >>> import lossfw, numpy as np
        >>> buffer = np.empty(2)
        >>> lossfw.loss("squared_error").value_and_gradient([1.0, 2.0], [0.0, 0.0], out=buffer)
        (2.5, array([1., 2.]))
        >>> buffer
        array([1., 2.])
        """
        choice = Reduction.cached(reduction, denominator, empty)
        if reduction not in ("mean", "sum"):
            raise ArgumentError(
                'value_and_gradient needs reduction="mean" or "sum": without one, call the loss '
                "and its gradient."
            )
        given = prediction, target, group, sample_weight, where
        both: tuple[Any, Any] = self._compute("both", given, choice, out)
        return both

    def partial(
        self,
        prediction: Any,
        target: Any,
        *,
        group: Any = None,
        start: int = 0,
        sample_weight: Any = None,
        where: Any = None,
    ) -> Partial:
        """Return the mergeable sum of the losses of some rows.

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
            For a loss of groups a `GroupPartial`, which holds the rows of a group until all are
            there: the ids may go on in the next partial.
        """
        return self._partial_and_rows(
            prediction,
            target,
            group=group,
            start=start,
            sample_weight=sample_weight,
            where=where,
            rows=False,
        )[0]

    def _partial_and_rows(
        self,
        prediction: Any,
        target: Any,
        *,
        group: Any = None,
        start: int = 0,
        sample_weight: Any = None,
        where: Any = None,
        rows: bool = True,
    ) -> tuple[Partial, execute.RowSums | None]:
        """Return `partial` and, with `rows`, the sums over each row from the same pass.

        For a loss of groups the sums are those of each group, in the order of their first rows,
        as if none went on in another partial.
        """
        given = prediction, target, group, sample_weight, where
        call = prepare_call(self, given, numpy=True, start=check_first_row(start))
        if isinstance(call, GroupArguments):
            return group_partial.partial(self, call, rows=rows, origin=str(self))
        sums = execute.RowSums.zeros(call) if rows else None
        return execute.partial(self._without_own_weight(), call, sums, origin=str(self)), sums

    def _unpack_partial(self, arrays: Mapping[str, NDArray]) -> Partial:
        """Return a partial of this loss from the arrays that its `pack` returned."""
        if self.takes_groups:
            return GroupPartial.unpack_for(self, arrays)
        return Partial.unpack(arrays)

    def exact(
        self, prediction: Any, target: Any, *, group: Any = None, derivative: DerivativeOrder = 0
    ) -> NDArray:
        """Return the exact unreduced loss, or a derivative, with 60 digits.

        The textbook formula is evaluated in 60-digit arithmetic. Derivatives are finite differences
        of it with 30 correct digits. `lossfw accuracy` compares ordinary calls with these numbers.
        It takes about 50 microseconds per element.

        Parameters
        ----------
        prediction, target : array_like
            As in the call. Each float stands for its exact value.
        derivative : {0, 1, 2}
            The loss itself, its first or its second derivative with respect to each element of the
            prediction. At a kink the result is the mean of the left and the right derivative.

        Returns
        -------
        ndarray of object
            Of the shape of the unreduced loss; for derivatives, of the
            prediction. Elements are `lossfw.numerics.exact.number.Number`: ``float()``
            rounds them, and they compute and compare with floats.

        Raises
        ------
        MissingExtraError
            If python-flint is not installed; and the errors of the call.

        Examples
        --------
        >>> import lossfw
        >>> lossfw.loss("squared_error").exact([1e-200], [0.0])
        array([9.999999999999999642e-401], dtype=object)
        """
        call = prepare_call(self, (prediction, target, group, None, None), numpy=True)
        truth: NDArray = reference.exact_losses(self, call, derivative)
        return truth

    # Operators -------------------------------------------------------------

    # NumPy's numbers then leave ``number * loss`` to the methods below.
    __array_ufunc__: ClassVar[None] = None

    def __mul__(self, factor: object) -> Loss:
        # An array of another library is refused in words, as any parameter.
        factor = to_plain("factor", factor)
        if not _is_number(factor):
            return NotImplemented
        # The wrappers are losses themselves, and stand above this module.
        return _make_loss("scaled", of=self, scale=float(factor))

    def __rmul__(self, factor: object) -> Loss:
        return self * factor

    def __truediv__(self, divisor: object) -> Loss:
        divisor = to_plain("divisor", divisor)
        if not _is_number(divisor):
            return NotImplemented
        if not float(divisor):
            raise ParameterError(f"{type(self).__name__} cannot be divided by 0.")
        return self * (1.0 / float(divisor))

    def __neg__(self) -> Loss:
        return self * -1.0

    def __add__(self, other: object) -> Loss:
        return _make_loss("sum", of=(self, other)) if isinstance(other, Loss) else NotImplemented

    def __radd__(self, other: object) -> Loss:
        # Python's sum() begins with 0.
        return self if _is_number(other) and not float(other) else NotImplemented

    def __sub__(self, other: object) -> Loss:
        return self + -other if isinstance(other, Loss) else NotImplemented

    # Inside ----------------------------------------------------------------

    @functools.cached_property
    def _fast_path_traits(self) -> fast_path.FastPathTraits:
        return fast_path.fast_path_traits(self)

    def _compute(
        self, form: ResultForm, given: Given, reduction: Reduction, out: NDArray | None = None
    ) -> Any:
        """Return the reduced loss, its derivative, or both."""
        prediction, target, group, sample_weight, where = given
        is_plain = group is None and sample_weight is None and where is None
        if is_plain and type(prediction) is np.ndarray:
            traits = self._fast_path_traits
            result = fast_path.compute(self, traits, prediction, target, form, reduction, out)
            if result is not None:
                return result
        call = prepare_call(self, given)
        if out is not None:
            set_out(call, out, sample_weight, where)
        return run_call(self, call, form, reduction)


def _make_loss(name: str, **parameters: Any) -> Loss:
    return cast(Loss, registry().create("loss", name, **parameters))


def _is_number(x: object) -> TypeGuard[Real]:
    # True and False are numbers to Python alone.
    return isinstance(x, Real) and not isinstance(x, bool)

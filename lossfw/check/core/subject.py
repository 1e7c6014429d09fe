"""Subject: what is checked, a component or outside functions.

A check takes a subject and a search (`lossfw.check.core.search`). The search
draws points for it, counts the calls and keeps shared results; a check raises
`Counterexample` or `NotApplicable`, or has held. An activation of single numbers is
checked as a loss of the residual (`lossfw.check.laws.activations`).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from lossfw.check.core.exact import Formula
from lossfw.check.core.flat_rows import flat_loss, flat_space
from lossfw.check.core.group_rows import GroupRows, flat_group_setup
from lossfw.check.core.reproduce import outside_setup_code, setup_code
from lossfw.components.ranges import PROMISED, PromisedRange
from lossfw.components.spaces import CLASS_INDEX, SIMPLEX, SPACES, Space
from lossfw.errors import ArgumentError
from lossfw.losses.base import Argument
from lossfw.losses.bodies import PairBody, UnaryBody
from lossfw.losses.kinds import CategoricalLoss, DistanceLoss, MarginLoss
from lossfw.losses.loss import Loss
from lossfw.nn.activation import Activation
from lossfw.numerics.arrays import NDArray

Kind: TypeAlias = Literal["distance", "margin", "pointwise", "categorical", "group"]
Function: TypeAlias = Callable[..., Any]

# The largest error of outside functions, in units in the last place.
OUTSIDE_ULPS = 64.0

# The function that an author may write for each derivative.
DERIVATIVES = {"gradient": "derivative", "hessian": "second_derivative"}

# The dtypes in which results are held to the formula.
JUDGED_DTYPES = ("float64", "float32")

# Numbers of columns: one, two and more, and an odd and an even number of them.
COLUMNS = (1, 2, 3, 4, 6)

# Numbers of rows of groups.
GROUP_SIZES = (1, 2, 4)

# The largest error of our own kinds (elements, rows), by order of the derivative.
OWN_ULPS = {False: (4.0, 4.0, 8.0), True: (16.0, 16.0, 32.0)}


@dataclass(frozen=True)
class Subject:
    """A loss to check: a component, or outside functions."""

    name: str
    kind: Kind
    prediction: Space
    target: Space
    # value(y, t) is unreduced; derivatives are its own, in the shape of y.
    value: Function
    gradient: Function | None = None
    hessian: Function | None = None
    # reduce(y, t, sample_weight=None, where=None) is a weighted mean.
    reduce: Function | None = None
    # The loss whose formula, run on exact numbers, is the truth.
    truth: Loss | None = None
    # An absent name is not claimed; the denied ones are said not to hold.
    claims: Mapping[str, Any] = field(default_factory=dict)
    denied: tuple[str, ...] = ()
    # Kinks often lie at parameters.
    parameters: Mapping[str, Any] = field(default_factory=dict)
    # The accuracy of value, first and second derivative.
    ulps: tuple[float, float, float] = (OUTSIDE_ULPS,) * 3
    component: Loss | None = None
    # The component as it was given: that of the checks takes flat rows.
    original: Loss | None = None
    # The derivatives that dual numbers make, because no author wrote them.
    inherited_derivatives: tuple[str, ...] = ()
    # Code that defines `value` (and `gradient` ...) for snippets.
    setup: str = ""
    # Whether subnormal numbers count; some libraries take them for 0.
    subnormal: bool = True
    # The least number of columns that make sense, 0 where that is not said.
    fewest: int = 0
    # unchecked(y, t) has values outside the space of predictions too: partial derivatives of a
    # loss of distributions leave the simplex, where a component refuses predictions.
    unchecked: Function | None = None
    # Results may be off by this part of the true ones.
    rtol: float = 0.0
    # The sizes for which results are promised: others are looked at by no check of results.
    prediction_range: PromisedRange = PROMISED
    target_range: PromisedRange = PROMISED

    def prepare_argument(self, x: NDArray) -> NDArray:
        """Return arguments for the component: a sum over rows gets rows of one number."""
        sums = self.component is not None and self.component._sums_rows
        return x[..., None] if sums else x

    def losses(self, y: NDArray, t: NDArray) -> NDArray:
        """Return its values as float64; it gets copies."""
        return np.asarray(call(self.value, y, t), np.float64)

    def rounding_step(self, y: NDArray, t: NDArray) -> float:
        """Return the rounding step of its values: a function may return float32 for float64."""
        dtype = np.asarray(call(self.value, y[:1], t[:1])).dtype
        return float(np.finfo(dtype if dtype.kind == "f" else np.float64).eps)

    def mean_weights(self, y: NDArray, t: NDArray) -> NDArray:
        """Return the weights of elements or rows in a mean, by mask and class weights."""
        count: NDArray = np.ones(y.shape[:1])
        if self.component is not None:
            by_index = self.by_index and t.ndim < y.ndim
            where, weight = self.component._own_mask_and_weight(
                np, self.prepare_argument(t), by_index
            )
            for part in (where, weight):
                if part is not None:
                    count = count * np.asarray(part, np.float64).reshape(count.shape)
        return count

    def space_of_targets(self, t: NDArray) -> Space:
        """Return the space of targets: distributions may replace class indices."""
        is_soft = self.target is CLASS_INDEX and t.dtype.kind == "f"
        return SIMPLEX if is_soft else self.target

    @cached_property
    def known(self) -> dict[Hashable, Any]:
        """Cached facts of the judge."""
        return {}

    @property
    def exact(self) -> Formula:
        """The reference formula on exact numbers."""
        assert self.truth is not None
        return Formula(self.truth._unreduced_formula, self.rows, self.by_index)

    @property
    def rows(self) -> bool:
        """Whether a prediction is a row: of columns, or of the numbers of a group."""
        return self.kind in ("categorical", "group")

    @property
    def by_index(self) -> bool:
        """Whether a target may be class indices."""
        return self.rows and not self.has_columns and self.target in (CLASS_INDEX, SIMPLEX)

    @property
    def takes_distributions(self) -> bool:
        """Whether a target may be any distribution over classes."""
        return self.target is SIMPLEX or (self.component is not None and self.by_index)

    @property
    def column_counts(self) -> tuple[int, ...]:
        """Numbers of columns to try: one, two and more, or the fixed one."""
        if self.kind == "group":
            return tuple(n * self.truth.width for n in GROUP_SIZES)  # type: ignore[union-attr]  # a `GroupRows`
        if self.has_columns:
            widths = [k for k in COLUMNS if k >= self.least_classes]
            return tuple(dict.fromkeys(self.prediction.flat_size(k) for k in widths))
        fixed = None if self.truth is None else self.truth.fixed_classes
        if fixed is not None:
            return (fixed,)
        return tuple(k for k in COLUMNS if k >= self.least_classes)

    @property
    def multi_column_counts(self) -> tuple[int, ...]:
        """Numbers of columns above one; a row of one number may mean the number."""
        return tuple(k for k in self.column_counts if k > 1 or self.has_columns)

    @property
    def has_columns(self) -> bool:
        """Whether prediction or target has named columns or is a vector."""
        of_rows = self.truth is not None and self.truth.has_columns
        return of_rows or self.kind == "group"

    def labels(self, name: str, size: int) -> list[str]:
        """Return the names of the numbers of a row of an input (`y`, `t` or another)."""
        space = self.target if name == "t" else self.prediction
        return [f"{name}{label}" for label in space.labels(size)]

    @property
    def least_classes(self) -> int:
        """The smallest sensible number of columns."""
        return self.fewest or (1 if self.truth is None else self.truth.least_classes)

    def kinks(self) -> tuple[float, ...]:
        """Return where a derivative may jump: claimed breaks, and numbers among the parameters."""
        found, claims, parameters = {0.0}, [self.claims], dict(self.parameters)
        if self.truth is not None:
            claims.append(self.truth.claims().to_dict())
            parameters = {**self.truth.parameters, **parameters}
        for name in ("breaks", "second_breaks"):
            found.update(float(x) for made in claims for x in made.get(name) or ())
        for value in parameters.values():
            if isinstance(value, int | float) and not isinstance(value, bool):
                found.update((float(value), -float(value), 1 - float(value), 1 + float(value)))
        return tuple(sorted(x for x in found if math.isfinite(x)))


def find_space(name: str | Space) -> Space:
    """Return the space of a name, or the space itself; an unknown name is an ArgumentError."""
    if isinstance(name, Space):
        return name
    if name in SPACES:
        return SPACES[name]
    raise ArgumentError(f"there is no space {name!r}: choose one of {', '.join(SPACES)}.")


def subject_of_component(loss: Loss) -> Subject:
    """Return a built-in or plugin loss as a subject."""
    if loss.takes_groups:
        return _subject_of_groups(loss)
    original, loss = loss, flat_loss(loss)

    def prepare_argument(x: Any) -> Any:
        # Each element is a row of one for a loss that sums rows.
        return np.asarray(x)[..., None] if loss._sums_rows else x

    def value(y: Any, t: Any) -> Any:
        return loss(prepare_argument(y), prepare_argument(t), reduction="none")

    def derivative(function: Function) -> Function:
        def call_given(y: Any, t: Any) -> Any:
            result = function(prepare_argument(y), prepare_argument(t), reduction="none")
            return result[..., 0] if loss._sums_rows else result

        return call_given

    def reduce(y: Any, t: Any, sample_weight: Any = None, where: Any = None) -> Any:
        return loss(
            prepare_argument(y), prepare_argument(t), sample_weight=sample_weight, where=where
        )

    def unchecked(y: Any, t: Any) -> Any:
        return loss._unreduced(np, y, subject.exact.class_rows(y, t))

    subject = Subject(
        name=repr(original),
        kind=kind_of(loss),
        prediction=loss.prediction_space,
        target=loss.target_space,
        value=value,
        gradient=derivative(loss.gradient),
        hessian=derivative(loss.hessian),
        reduce=reduce,
        truth=loss,
        claims=loss.claims().to_dict(),
        denied=loss.claims().denied_names(),
        parameters=loss.parameters,
        ulps=OWN_ULPS[loss.takes_rows],
        component=loss,
        original=original,
        inherited_derivatives=inherited_derivatives(loss.body),
        setup=setup_code(original),
        unchecked=unchecked if loss.takes_rows else None,
        prediction_range=loss.prediction_range,
        target_range=loss.target_range,
    )
    return subject


def with_flat_rows(subject: Subject) -> Subject:
    """Return outside functions as functions of flat rows, for a reference loss with columns."""
    assert subject.truth is not None
    spaces, loss = (subject.prediction, subject.target), flat_loss(subject.truth)

    def prepare_argument(x: Any, space: Space, is_prediction: bool) -> Any:
        if space.axes > 1:
            *lead, size = np.shape(x)
            count = space.row_shape(0)[0]
            return np.reshape(x, (*lead, count, size // count))
        return x[..., 0] if is_prediction and not space.axes else x

    def of_rows(function: Function | None, is_derivative: bool = True) -> Any:
        def call_given(y: Any, t: Any, **options: Any) -> Any:
            result = called(
                prepare_argument(y, spaces[0], True),
                prepare_argument(t, spaces[1], False),
                **options,
            )
            return np.reshape(result, np.shape(y)) if is_derivative else result

        called: Any = function
        return None if function is None else call_given

    names = [name for name in ("value", "gradient", "hessian") if getattr(subject, name)]
    return replace(
        subject,
        kind=kind_of(loss),
        prediction=flat_space(spaces[0], of_rows=True),
        target=flat_space(spaces[1], of_rows=False),
        truth=loss,
        value=of_rows(subject.value, is_derivative=False),
        gradient=of_rows(subject.gradient),
        hessian=of_rows(subject.hessian),
        reduce=of_rows(subject.reduce, is_derivative=False),
        setup=outside_setup_code(subject.setup, names, spaces),
    )


def _subject_of_groups(loss: Loss) -> Subject:
    """Return a loss of groups as a subject whose rows are groups."""
    rows: Any = GroupRows(loss)
    return Subject(
        name=repr(loss),
        kind="group",
        # The numbers of vectors are drawn and moved like those of rows of single numbers.
        prediction=getattr(loss.prediction_space, "of_numbers", loss.prediction_space),
        target=loss.target_space,
        value=partial(rows, reduction="none"),
        gradient=partial(rows.gradient, reduction="none"),
        hessian=partial(rows.hessian, reduction="none"),
        reduce=rows,
        truth=rows,
        claims=loss.claims().to_dict(),
        denied=loss.claims().denied_names(),
        parameters=loss.parameters,
        ulps=OWN_ULPS[True],
        component=loss,
        inherited_derivatives=inherited_derivatives(loss.body),
        setup=setup_code(loss, flat_group_setup(rows)),
        unchecked=lambda y, t: rows._unreduced(np, y, t),
        prediction_range=loss.prediction_range,
        target_range=loss.target_range,
    )


def inherited_derivatives(body: object) -> tuple[str, ...]:
    """Return the names of the derivatives that are those of the base class."""

    def is_by_author(name: str) -> bool:
        function = getattr(type(body), name, None)
        return not getattr(function, "__module__", "").startswith("lossfw.")

    return tuple(n for n in DERIVATIVES.values() if not is_by_author(n))


def has_formula(component: Loss | Activation) -> bool:
    """Tell whether there is a formula next to the value; a wrapper has those of its parts."""
    body = type(component.body if isinstance(component, Loss) else component)
    formula = getattr(body, "formula", None)
    if formula is None or formula is body.value:  # type: ignore[attr-defined]  # a body has one
        return formula is None
    return formula not in (UnaryBody.formula, PairBody.formula)


def kind_of(loss: Loss) -> Kind:
    """Return 'distance', 'margin', 'pointwise', 'categorical' or 'group'."""
    kinds: dict[Argument, Kind] = {
        "residual": "distance",
        "margin": "margin",
        "prediction": "pointwise",
    }
    if loss.takes_groups:
        return "group"
    return "categorical" if loss.takes_rows else kinds[loss._argument]


def spaces_of_kind(kind: str | None) -> dict[str, str]:
    """Return the usual spaces of a kind by role; a pointwise loss has none."""
    if kind is not None and kind not in get_args(Kind):
        known = ", ".join(get_args(Kind))
        raise ArgumentError(f"kind={kind!r} is not known: choose one of {known}.")
    usual = {
        "distance": (DistanceLoss.prediction, DistanceLoss.target),
        "margin": (MarginLoss.prediction, MarginLoss.target),
        "categorical": (CategoricalLoss.prediction, CategoricalLoss.target),
    }
    if kind not in usual:
        return {}
    prediction, target = usual[kind]
    return {"prediction": prediction.name, "target": target.name}


def call(function: Function | None, *arguments: Any, **options: Any) -> Any:
    """Call a function with copies, without warnings: it may write to them.

    A check of an optional function first ensures that it exists.
    """
    return call_without_warnings(
        function,
        *map(_copy_array, arguments),
        **{name: _copy_array(x) for name, x in options.items()},
    )


def call_without_warnings(function: Function | None, *arguments: Any, **options: Any) -> Any:
    """Call a function with warnings off."""
    assert function is not None
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*arguments, **options)


def _copy_array(x: Any) -> Any:
    """Return a copy of an array that looks like it; others (strided, read-only) as they are."""
    same = isinstance(x, np.ndarray) and x.flags.c_contiguous and x.flags.writeable
    return x.copy() if same else x

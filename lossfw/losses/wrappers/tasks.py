"""A weighted sum over columns, each with its own loss."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, NamedTuple, TypeAlias

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from lossfw.components.claims import Claims
from lossfw.components.columns import Columns
from lossfw.components.spaces import CLASS_INDEX, COUNT, Space, Vector
from lossfw.errors import DomainError, ParameterError
from lossfw.losses.base import ResultForm
from lossfw.losses.loss import Loss
from lossfw.losses.nested import LossParameter, nested_loss
from lossfw.losses.wrappers.base import Wrapper, add_arrays, refuse_own_weights
from lossfw.numerics.arrays import Array, Namespace, NDArray, column_numbers


class LossesByName(dict[str, Loss]):
    """Losses by the names of their columns; immutable."""

    def __hash__(self) -> int:  # type: ignore[override]  # a dict has none
        return hash(tuple(self.items()))


def _parse_losses(value: Any) -> LossesByName:
    if not isinstance(value, Mapping) or not value:
        raise ValueError("a mapping of names to losses, such as {price: huber, sold: logistic}")
    return LossesByName({str(name): nested_loss(loss) for name, loss in value.items()})


_Losses: TypeAlias = Annotated[
    LossesByName,
    PlainValidator(_parse_losses),
    PlainSerializer(lambda losses: {name: loss.to_config() for name, loss in losses.items()}),
    WithJsonSchema({"type": "object", "description": "Losses by the names of their columns."}),
    LossParameter(),
]


class _Task(NamedTuple):
    """A loss, and its places in flat rows of predictions and of targets."""

    loss: Loss
    y: Any
    t: Any


class Tasks(Wrapper):
    """The weighted sum of losses, each with its own columns.

    Use it when one model predicts several targets: a price, and whether it is sold.

    Parameters
    ----------
    of : mapping of str to Loss
        The losses by the names of their columns, of predictions and of targets. In a configuration,
        ``weight`` next to the name of a loss is its factor. A loss with columns prefixes their
        names with its own, ``demand_location``.

    Notes
    -----
    A loss of classes takes logits or probabilities as a vector, and a class index as target.
    Vectors of open size have equal lengths. A loss with an output activation takes the activation's
    results unless its parameters say otherwise, such as ``from_logits: true``.

    See Also
    --------
    sum : of losses of one prediction and one target.

    Examples
    --------
    >>> import lossfw
    >>> loss = Tasks(of={"price": "huber", "sold": 2.0 * lossfw.loss("logistic")})
    >>> loss.prediction_space.names
    ('price', 'sold')
    >>> round(loss([[3.0, 0.0]], [[1.0, -1.0]]), 6)  # 1.5 + 2 log 2
    2.886294
    """

    latex_of_parts: ClassVar[str] = r"\sum_{k} \ell_{k}(y_{k}, t_{k})"
    _parts_by_name: ClassVar[tuple[str, ...]] = ("of",)

    of: _Losses

    def model_post_init(self, _: Any) -> None:
        """Refuse losses that cannot be those of a column, because of their rows or weights."""
        for name, part in self.of.items():
            refuse_own_weights(part, "tasks", "since a mean has one divisor")
            if part.takes_groups or part._sums_rows:
                what = "groups of rows" if part.takes_groups else "the sum over a row (per: row)"
                raise ParameterError(f"{name}: {part.name} is a loss of {what}, not of columns.")
            if part.takes_rows and not (part.has_columns or part.takes_classes):
                raise ParameterError(
                    f"{name}: {part.name} has rows as targets, whose size no column says."
                )
        # Names that cannot be those of columns are refused here.
        self.prediction_space  # noqa: B018

    @property
    def takes_rows(self) -> bool:
        """Always true."""
        return True

    @property
    def has_columns(self) -> bool:
        """Always true."""
        return True

    @cached_property
    def prediction_space(self) -> Columns:
        """The columns of all losses, in their order."""
        return self._space("prediction")

    @cached_property
    def target_space(self) -> Columns:
        """The columns of all targets, in the order of their losses."""
        return self._space("target")

    @property
    def fixed_classes(self) -> int | None:
        """The number of columns, if no loss leaves it open."""
        return self.prediction_space.size

    def _space(self, role: str) -> Columns:
        spaces: dict[str, Space] = {}
        for name, part in self.of.items():
            own = part.prediction_space if role == "prediction" else part.target_space
            if isinstance(own, Columns):
                spaces |= {f"{name}_{n}": s for n, s in zip(own.names, own.spaces, strict=True)}
            elif part.takes_classes:
                open_row = own if own.axes else Vector.of(own)
                spaces[name] = open_row if role == "prediction" else CLASS_INDEX
            else:
                spaces[name] = own
        return Columns.of(**spaces).flat()

    def _tasks(self, y: Array, t: Array) -> Iterator[_Task]:
        """Yield each loss with its places in flat rows of these arrays."""
        widths = [
            iter(space.widths(x.shape[-1]))
            for space, x in ((self.prediction_space, y), (self.target_space, t))
        ]
        first = [0, 0]
        for part in self.of.values():
            places = []
            for k, own in enumerate((part.prediction_space, part.target_space)):
                count = len(own.names) if isinstance(own, Columns) else 1
                size = sum(next(widths[k]) for _ in range(count))
                is_row = own.of_rows or (k == 0 and part.takes_rows)
                is_row = is_row and not (k == 1 and part.takes_classes)
                place: Any = slice(first[k], first[k] + size) if is_row else first[k]
                places.append((..., place))
                first[k] += size
            yield _Task(part, *places)

    def _arguments(self, task: _Task, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        """Return prediction and target of a loss, classes as one-hot rows."""
        y, t = y[task.y], t[task.t]
        if task.loss.takes_classes:
            is_class = t[..., None] == column_numbers(xp, y)
            # NaN is in no class, and stays.
            t = xp.where(is_class, xp.ones_like(y), xp.zeros_like(y) + 0.0 * t[..., None])
        return y, t

    def _compute_losses(
        self, form: ResultForm, xp: Namespace, y: Array, t: Array, by_index: bool
    ) -> Any:
        """Add the losses of all tasks, and put their derivatives side by side."""
        results = [
            task.loss._unreduced_losses(form, xp, *self._arguments(task, xp, y, t))
            for task in self._tasks(y, t)
        ]
        if form in ("gradient", "hessian"):
            return _concatenate_parts(xp, y, results)
        if form == "both":
            return add_arrays(pair[0] for pair in results), _concatenate_parts(
                xp, y, [r[1] for r in results]
            )
        return add_arrays(results)

    def check_domain(self, y: NDArray, t: NDArray, by_index: bool, start: int) -> None:
        """Check the columns, and let each loss check its own; see `Loss.check_domain`."""
        super().check_domain(y, t, by_index, start)
        names = iter(self.of)
        for task in self._tasks(y, t):
            name, part = next(names), task.loss
            targets = t[task.t]
            try:
                if part.takes_classes:
                    COUNT.check(targets, "target", start=start)
                    CLASS_INDEX.check_below(targets, y[task.y].shape[-1], start=start)
                elif not part.has_columns:
                    part.check_domain(y[task.y], targets, False, start)
            except DomainError as error:
                message = str(error)
                for role in ("prediction", "target"):
                    if message.startswith(role):
                        message = message.replace(role, f"{role}.{name}", 1)
                raise DomainError(message) from None

    def _unreduced_curvature_bound(self, xp: Namespace, y: Array, t: Array) -> Array | None:
        """Put those of the losses side by side; None where one is not known."""
        bounds = [
            task.loss._unreduced_curvature_bound(xp, *self._arguments(task, xp, y, t))
            for task in self._tasks(y, t)
        ]
        return None if any(bound is None for bound in bounds) else _concatenate_parts(xp, y, bounds)

    def claims(self) -> Claims:
        """Return what follows for a sum of functions of separate columns."""
        parts = [part.claims() for part in self.of.values()]

        def combine(name: str, join: Any) -> Any:
            values = [getattr(claims, name) for claims in parts]
            return None if any(value is None for value in values) else join(values)

        every = {
            name: combine(name, all) or None
            for name in ("nonnegative", "convex", "strictly_convex", "smooth", "twice_smooth")
        }
        return Claims(
            **every,
            lower_bound=combine("lower_bound", sum),
            bounded=combine("bounded", sum),
            strongly_convex=combine("strongly_convex", min),
            lipschitz=combine("lipschitz", lambda derivatives: math.hypot(*derivatives)),
            gradient_lipschitz=combine("gradient_lipschitz", max),
        )


def _concatenate_parts(xp: Namespace, y: Array, parts: list[Array]) -> Array:
    """Return derivatives of numbers and of rows as one row."""
    return xp.concat([x if x.ndim == y.ndim else x[..., None] for x in parts], axis=-1)

"""Arguments of a call of a loss of groups: rows, and their groups."""

from __future__ import annotations

import math
import sys
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from lossfw.components.spaces import Space
from lossfw.errors import ArgumentError, DomainError, ShapeError
from lossfw.losses import array_api
from lossfw.losses.base import LossDefinition
from lossfw.losses.engine.read_only import raise_for_writing, read_only_view
from lossfw.losses.inputs import (
    Arguments,
    check_members,
    check_weight,
    read_array,
    read_mask,
    read_weight,
    refuse_rounding,
    result_dtype,
    work_dtype,
)
from lossfw.losses.row_groups import Groups, Lead, find_groups
from lossfw.numerics.arrays import (
    Array,
    Namespace,
    NDArray,
    as_numpy,
    device_of,
    has_values,
    is_jax,
)


@dataclass(slots=True)
class GroupArguments(Arguments):
    """Arguments of a call of a loss of groups.

    Attributes
    ----------
    y, t : array, (N, ...)
        All rows of the call, one after the other; each as a number or a flat row.
    shape : tuple of int
        (G,), that of the unreduced loss.
    weight : array or None, (G,)
        Groups of weight 0 are left out of `groups` if the weights have values.
    where : array or None, (N,)
        The mask, if it has no values, so that `groups` cannot use it.
    groups : Groups
        The rows that count.
    ids, sizes : ndarray, (G,)
        The ids of the groups, and their numbers of rows, including those that are left out.
    counts : array of bool or None, (G,)
        Which groups have a row that counts; None if all do.
    is_flat : bool
        The caller gave rows with ids, not groups of one size.
    """

    groups: Groups = field(default_factory=lambda: Groups.of_equal_size(0, 0))
    ids: Any = None
    sizes: Any = None
    counts: Any = None
    is_flat: bool = True

    @property
    def counted(self) -> Any:
        """How many groups have a row that counts."""
        if self.counts is None:
            return self.groups.count
        if self.xp is np or isinstance(self.counts, np.ndarray):
            return int(np.count_nonzero(self.counts))
        return self.xp.sum(self.xp.astype(self.counts, array_api.widest_float(self.xp)))

    def rows_of_group(self, number: int) -> tuple[Array, Array]:
        """Return predictions and targets of the rows of a group that count."""
        first = self.groups.starts[number]
        rows = self.groups.rows[first : first + self.groups.sizes[number]]
        return self.y[rows], self.t[rows]

    def select_groups(self, mask: NDArray) -> GroupArguments:
        """Return the call with only the groups of a mask."""
        return replace(self, groups=self.groups.select(np.repeat(mask, self.groups.sizes)))


def prepare_groups(
    loss: LossDefinition,
    prediction: Any,
    target: Any,
    group: Any = None,
    sample_weight: Any = None,
    where: Any = None,
    *,
    xp: Namespace = np,
    checked: bool = True,
    start: int = 0,
) -> GroupArguments:
    """Check the arguments of a call of a loss of groups; nothing is broadcast."""
    y, t = read_array(xp, prediction, "prediction"), read_array(xp, target, "target")
    rows_shape = _leading_shape(loss, tuple(y.shape), tuple(t.shape), group)
    if checked or xp is np:
        refuse_rounding(xp, y, "prediction")
        refuse_rounding(xp, t, "target")
    if xp is np:
        dtype, y, t = result_dtype(y), read_only_view(y), read_only_view(t)
    else:
        y, t = array_api.as_floats(xp, y), array_api.as_floats(xp, t)
        dtype = y.dtype
    prediction_shape = tuple(y.shape)
    check_members(prediction_shape, loss.prediction_space, "prediction")
    check_members(tuple(t.shape), loss.target_space, "target")
    y, t = _as_flat_rows(xp, y, rows_shape), _as_flat_rows(xp, t, rows_shape)
    loss._check_columns(tuple(y.shape))
    groups, ids = find_groups(group, rows_shape)
    call = GroupArguments(
        y,
        t,
        dtype,
        work_dtype(xp, dtype),
        (groups.count,),
        prediction_shape,
        start=start,
        xp=xp,
        checked=checked,
        groups=groups,
        ids=ids,
        sizes=groups.sizes,
        is_flat=len(rows_shape) == 1,
        counts=None if groups.rows.size else groups.sizes > 0,
    )
    if where is not None:
        _set_where(loss, call, where, rows_shape)
    if sample_weight is not None:
        _set_weight(call, sample_weight, rows_shape)
    if checked:
        _check_domain(loss, call, rows_shape)
    call.y, call.t = (xp.reshape(x, (-1, *x.shape[len(rows_shape) :])) for x in (y, t))
    return call


def _leading_shape(
    loss: LossDefinition, y: tuple[int, ...], t: tuple[int, ...], group: Any
) -> Lead:
    """Return the shape of the rows, (N,) or (G, n); raise if the arguments do not fit."""
    axes = loss.prediction_space.axes
    rows_shape = y[: len(y) - axes]
    if len(rows_shape) == 1 and len(y) >= axes and group is None and loss.needs_group:
        raise ArgumentError(
            f"{loss.name} is a loss of groups of rows: pass group=, one id for each row, such as "
            "the number of its query; or predictions of groups of one size, with an axis more."
        )
    if len(rows_shape) == 2 and group is not None:
        squeeze = " prediction.squeeze(-1) has one axis less." if y[1:] == (1,) else ""
        raise ShapeError(
            f"prediction has shape {y}, one line for each group, and group is given too: leave out "
            f"group, or pass {_format_shape(loss.prediction_space, 'N')}.{squeeze}"
        )
    if len(rows_shape) not in (1, 2):
        of_rows = _format_shape(loss.prediction_space, "N")
        example = _format_shape(loss.prediction_space, "G, n")
        raise ShapeError(
            f"prediction has shape {y}; expected {of_rows} with group=, or {example} for groups "
            "of one size."
        )
    inner = t[len(rows_shape) :]
    if t[: len(rows_shape)] != rows_shape or len(inner) != loss.target_space.axes:
        expected = _format_shape(loss.target_space, ", ".join(map(str, rows_shape)))
        raise ShapeError(
            f"prediction has shape {y} and target {t}; the target should have {expected}. "
            "Nothing is broadcast."
        )
    if 0 in y[len(rows_shape) :]:
        raise ShapeError(f"prediction of shape {y} has rows without any column.")
    return rows_shape


def _format_shape(space: Space, rows_shape: str) -> str:
    """Return the shape of arrays of a space, such as ``(N,)`` or ``(G, n, 2)``."""
    if not space.axes:
        return f"({rows_shape},)" if "," not in rows_shape else f"({rows_shape})"
    columns = ["C", "D"] if space.axes > 1 else [str(space.size or "D")]
    return f"({', '.join([rows_shape, *columns])})"


def _as_flat_rows(xp: Namespace, x: Array, rows_shape: Lead) -> Array:
    inner = x.shape[len(rows_shape) :]
    return x if len(inner) < 2 else xp.reshape(x, (*rows_shape, int(np.prod(inner))))


def _set_where(loss: LossDefinition, call: GroupArguments, where: Any, rows_shape: Lead) -> None:
    """Leave out rows: of the groups, or by the mask where it has no values."""
    xp = call.xp
    mask = read_mask(xp, where)
    if tuple(mask.shape) != rows_shape:
        raise ShapeError(
            f"where has shape {tuple(mask.shape)}; expected {rows_shape}, one entry for each row."
        )
    mask = xp.reshape(mask, (-1,))
    # To look at the values of a mask, an accelerator would be waited for.
    is_filled_up = len(rows_shape) == 2 and xp is not np and loss.neutral is not None
    if not is_filled_up and has_values(mask):
        call.groups = call.groups.select(as_numpy(mask))
        call.counts = call.groups.sizes > 0
        return
    if loss.neutral is None:
        raise ArgumentError(
            f"{loss.name} has no neutral row to pad its groups with, which a traced mask needs: "
            "pass a mask that is not traced, or only the rows that count, with group=."
        )
    call.where = mask
    order = np.concatenate([some for some, _ in call.groups.stacks()])
    inside = xp.concat([xp.any(mask[rows], axis=-1) for _, rows in call.groups.stacks()])
    call.counts = inside[np.argsort(order)]


def _set_weight(call: GroupArguments, sample_weight: Any, rows_shape: Lead) -> None:
    """Set one weight for each group, from these or from those of the rows."""
    xp, groups = call.xp, call.groups
    weight = read_weight(xp, sample_weight)
    if tuple(weight.shape) not in (call.shape, rows_shape):
        raise ShapeError(
            f"sample_weight has shape {tuple(weight.shape)}; expected {call.shape}, one for each "
            f"group, or {rows_shape}, the same for all rows of a group."
        )
    check_weight(call, weight)
    if tuple(weight.shape) != call.shape:
        weight = _group_weights_from_rows(call, xp.reshape(weight, (-1,)), rows_shape)
    call.weight = weight
    if xp is np or (call.checked and has_values(weight)):
        call.groups = groups.select(np.repeat(as_numpy(weight) > 0, groups.sizes))


def _group_weights_from_rows(call: GroupArguments, weight: Array, rows_shape: Lead) -> Array:
    """Return the weight of each group, 0 without rows; raise if those of its rows differ."""
    xp, groups = call.xp, call.groups
    if not groups.rows.size:
        return xp.zeros((groups.count,), dtype=weight.dtype, device=device_of(weight))
    is_empty = groups.sizes == 0
    first = groups.rows[np.where(is_empty, 0, groups.starts)]
    own = weight[first]
    if call.checked and has_values(weight):
        known = as_numpy(weight)
        differ = known[groups.rows] != known[first][groups.numbers]
        if differ.any():
            rows = groups.rows[np.argmax(differ)], first[groups.numbers[np.argmax(differ)]]
            here, there = (
                _row_name("sample_weight", int(row), rows_shape, call.start) for row in rows
            )
            raise DomainError(
                f"{here} = {known[rows[0]]:g} and {there} = {known[rows[1]]:g} "
                "belong to one group: all rows of a group have the same weight."
            )
    return xp.where(xp.asarray(is_empty), xp.zeros_like(own), own) if is_empty.any() else own


def _row_name(role: str, row: int, rows_shape: Lead, start: int) -> str:
    """Return the name of a row in the shape that the caller gave."""
    index = np.unravel_index(row, rows_shape)
    return (
        f"{role}[{', '.join(str(int(i) + (start if n == 0 else 0)) for n, i in enumerate(index))}]"
    )


def _check_domain(loss: LossDefinition, call: GroupArguments, rows_shape: Lead) -> None:
    """Check the rows that count, in the shape that the caller gave them."""
    xp, y, t = call.xp, call.y, call.t
    if not has_values(t, call.where, call.weight):
        return
    # JAX computes with known values also while it traces a function.
    with sys.modules["jax"].ensure_compile_time_eval() if is_jax(t) else nullcontext():
        if not has_values(y):
            # A function of the prediction is traced; NaN is in every space.
            y = xp.full(y.shape, xp.nan, dtype=y.dtype)
        counts = call.where
        if call.groups.rows.size < math.prod(rows_shape):
            mask = np.zeros(math.prod(rows_shape), bool)
            mask[call.groups.rows] = True
            counts = xp.asarray(mask) if counts is None else xp.asarray(mask) & counts
        if counts is not None:
            counts = xp.reshape(counts, rows_shape)
            y, t = (_replace_uncounted_by_nan(xp, x, counts) for x in (y, t))
        try:
            loss.check_domain(y, t, False, call.start)
        except ValueError as error:
            raise_for_writing(error, loss.check_domain)


def _replace_uncounted_by_nan(xp: Namespace, x: Array, counts: Array) -> Array:
    """Return rows, NaN in place of those that do not count: it is in every space."""
    x = array_api.as_floats(xp, x) if xp is not np else x.astype(np.float64)
    counts = counts if x.ndim == counts.ndim else counts[..., None]
    return xp.where(counts, x, xp.full_like(x, math.nan))

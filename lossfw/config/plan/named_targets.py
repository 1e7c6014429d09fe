"""Order the named columns of targets as the loss does, and advise on columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lossfw.components.columns import Columns
from lossfw.components.naming import nearest_name
from lossfw.components.spaces import format_count
from lossfw.config.schema.checked import CheckedConfig, ConfigPath
from lossfw.config.schema.messages import to_one_line
from lossfw.data import Dataset
from lossfw.data.row_transforms import RowNumbers, transform_rows
from lossfw.evaluation.predictor import takes_flat_outputs
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray


def order_targets(
    config: CheckedConfig, data: Dataset, loss: Loss, path: ConfigPath
) -> Dataset | None:
    """Return data with the columns of the targets in the order of the loss.

    None, and a mistake at `path`, if `targets_key` names other columns than the loss takes.
    """
    names, space = data.target_names, loss.target_space
    if not names:
        return data
    expected = space.names if isinstance(space, Columns) else ()
    if set(names) == set(expected):
        order = [names.index(name) for name in expected]
        if order == sorted(order):
            return data
        targets = transform_rows(data.targets, _ReorderColumns(tuple(order)))
        return replace(data, targets=targets, target_names=expected)
    takes = f"takes {', '.join(expected)}" if expected else "takes targets without named columns"
    node = config.root.find([*path, "targets_key"])
    given = node.to_plain() if node is not None and isinstance(node.value, dict) else {}
    hint = "write targets_key: COLUMN, or a list of columns"
    if expected:
        hint = f"write targets_key: {to_one_line(_rename_columns(given, expected))}"
    config.add(
        [*path, "targets_key"],
        f"targets_key names the columns {', '.join(names)}, but the loss {loss.name} {takes}",
        hint,
    )
    return None


def _rename_columns(columns: dict[str, str | int], expected: Sequence[str]) -> dict[str, str | int]:
    """Return columns of the file under the names that a loss takes, as far as they are known."""
    rest = {name: column for name, column in columns.items() if name not in expected}
    missing = [name for name in expected if name not in columns]
    guesses = {name: nearest_name(name, rest) for name in missing}
    if len(rest) == len(missing) == 1:
        guesses = {missing[0]: next(iter(rest))}
    found = {name: rest.get(guess or "", "COLUMN") for name, guess in guesses.items()}
    return {name: columns.get(name, found.get(name, "COLUMN")) for name in expected}


@dataclass(frozen=True)
class _ReorderColumns:
    """A change: columns of targets in another order."""

    order: tuple[int, ...]

    def __call__(self, rows: NDArray, numbers: RowNumbers) -> NDArray:
        return rows[:, list(self.order)]


def lacks_named_columns(loss: Loss, targets: NDArray) -> bool:
    """Tell whether the targets are not the named columns that a loss takes."""
    space = loss.target_space
    return isinstance(space, Columns) and targets.shape[1:] != (space.size,)


def named_columns_hint(loss: Loss, shape: tuple[int, ...], targets: NDArray, units: object) -> str:
    """Return a hint if predictions or targets are not the columns that a loss takes.

    `units` is None without a network.
    """
    predicted, target = loss.prediction_space, loss.target_space
    if predicted.size is not None and predicted.axes and shape[1:] != (predicted.size,):
        names = f": {', '.join(predicted.names)}" if isinstance(predicted, Columns) else ""
        if units is not None:
            return f"write units: {predicted.size}{names and f', for{names[1:]}'}"
        return f"each row of predictions has {format_count(predicted.size, 'number')}{names}"
    if isinstance(target, Columns) and lacks_named_columns(loss, targets):
        return f"write data.targets_key: {to_one_line(dict.fromkeys(target.names, 'COLUMN'))}"
    if takes_flat_outputs(loss) and len(shape) == 2 and shape[1] > 1:
        return "write units: 1" if units is not None else "give one prediction for each row"
    return ""

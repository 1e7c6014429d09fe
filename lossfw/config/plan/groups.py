"""Check that a loss or a metric of groups and the groups of the data belong together."""

from __future__ import annotations

from lossfw.config.schema import suggestions
from lossfw.config.schema.checked import CheckedConfig, ConfigPath
from lossfw.losses.loss import Loss
from lossfw.metrics import Metric


def check_groups(config: CheckedConfig) -> None:
    """Record that `group_key` is missing, or that nothing uses it."""
    parts: list[tuple[ConfigPath, Loss | Metric | None]] = [(["loss"], config.loss)]
    parts += [(["evaluate", "metrics", i], metric) for i, metric in enumerate(config.metrics)]
    for path, part in parts:
        if part is not None and part.needs_group:
            _need_groups(config, part, path)
    # A part that is wrong itself may be the one that takes groups.
    known = [part for _, part in parts if part is not None]
    is_used = len(known) < len(parts) or any(part.takes_groups for part in known)
    if config.data_options.group_key is not None and not is_used:
        names = "" if config.registry is None else suggestions.for_groups(config.registry)
        instead = f", or take a loss of groups, such as {names}" if names else ""
        config.add(
            ["data", "group_key"],
            "group_key says which rows belong together, and neither the loss nor a metric takes "
            "groups",
            f"leave it out{instead}",
            key=True,
        )


def _need_groups(config: CheckedConfig, part: Loss | Metric, path: ConfigPath) -> None:
    label = part.name if isinstance(part, Loss) else part.label
    what = f"the {part.kind} {label} takes rows in groups, and nothing says which belong together"
    key = "group_key: COLUMN, which has the same number or text in all rows of a group"
    if config.data_options.group_key is None and config.data is not None:
        if config.data.groups is None:
            config.add(path, what, f"write data.{key}")
    elif config.held_out is not None and config.held_out.groups is None:
        config.add(["train", "hold_out", "data"], what, f"write {key}")


def note_batches(config: CheckedConfig, batch_size: int) -> None:
    """Note that batches of a loss of all rows are smaller than the data."""
    loss, data = config.loss, config.data
    if loss is None or data is None or not loss.takes_groups or data.groups is not None:
        return
    if batch_size < len(data):
        config.notes.append(
            f"without data.group_key the {len(data)} rows are one group to the loss {loss.name}, "
            f"and a step sees {batch_size} of them as a group of their own, which is another loss: "
            f"write train.batch_size: {len(data)}, or name the groups by data.group_key"
        )

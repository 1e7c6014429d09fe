"""Valid keys of a configuration that have no effect."""

from __future__ import annotations

from collections.abc import Iterator

from lossfw.config.plan.fusion import guard_key
from lossfw.config.schema.checked import CheckedConfig
from lossfw.config.schema.sections import IntervalsSection
from lossfw.config.text.tree import format_path
from lossfw.losses.capabilities import guard_of

# Options of the bootstrap.
_DRAWN = ("replicates", "seed")


def unused_keys(config: CheckedConfig, *, training: bool = False) -> Iterator[str]:
    """Yield a sentence about each key without effect.

    A training ignores keys that only `lossfw run` uses, such as `evaluate.save_rows`, because
    one file serves both.
    """
    if training:
        if (
            config.held_out_spec.source is not None
            and config.held_out_spec.source == config.data_spec.source
        ):
            yield "train.hold_out.data is the training data itself: nothing is held out"
        if config.held_out_spec.options.standardize:
            yield (
                "train.hold_out.data.standardize has no effect: held-out rows follow "
                "data.standardize"
            )
        return
    if _value_at(config, "evaluate", "intervals", "method") in (None, "jackknife"):
        for key in _DRAWN:
            # The configuration that a run has written has defaults, and is read again.
            default = IntervalsSection.model_fields[key].default
            if _value_at(config, "evaluate", "intervals", key) not in (None, default):
                yield (
                    f"evaluate.intervals.{key} has no effect with method: jackknife, which draws "
                    "no random numbers"
                )
    parts = [part for part in (config.loss, *config.metrics) if part is not None]
    in_use = config.has_value("evaluate", "intervals") or any(part.takes_groups for part in parts)
    if config.data_spec.options.group_key is not None and not in_use:
        yield (
            "data.group_key has no effect without evaluate.intervals: neither the loss nor a "
            "metric takes groups"
        )
    yield from _unused_guard_keys(config)


def _unused_guard_keys(config: CheckedConfig) -> Iterator[str]:
    loss = config.loss
    if loss is None:
        return
    key = guard_key(config, loss)
    if key and _value_at(config, "loss", "fuse") is True:
        yield (
            f"loss.fuse: true has no effect together with loss.{format_path(key)}: a loss with a "
            "guard takes predictions"
        )
    guard = guard_of(loss)
    if guard is not None and guard.guard == "none" and config.has_value("loss", "delta"):
        yield "loss.delta has no effect with guard: none"


def _value_at(config: CheckedConfig, *path: str) -> object:
    node = config.root.find(path)
    return None if node is None else node.value

"""Check the sections of a configuration, then each component; mistakes are told together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lossfw.components.registry import Registry
from lossfw.config.schema.check_components import ComponentMaker
from lossfw.config.schema.check_sections import check_sections
from lossfw.config.schema.checked import CheckedConfig, ConfigPath
from lossfw.config.schema.section_types import MAX_ITEMS
from lossfw.config.text.files import find_file
from lossfw.config.text.tree import Node
from lossfw.errors import PluginError
from lossfw.losses.loss import Loss
from lossfw.metrics import LossMetric
from lossfw.nn.initializers import INITIALS
from lossfw.nn.schedules import SCHEDULES


def check(config: CheckedConfig, *, training: bool = False) -> None:
    """Check the sections and make every component; fill the fields up to `made`.

    Parameters
    ----------
    config : CheckedConfig
        A configuration that has been read.
    training : bool
        Whether it is to be trained, and not evaluated.
    """
    check_sections(config, training=training)
    config.registry, whole = _registry(config)
    maker = ComponentMaker(config, config.registry, whole)
    config.data_source = maker.make(["data"], "source")
    config.data_options = maker.data_options(["data"], config.data_source)
    config.loss = maker.make(["loss"], "loss")
    config.activations = maker.make_each(["network", "layers"], "activation", below=["activation"])
    metrics = maker.make_each(["evaluate", "metrics"], "metric", or_else="loss")
    config.metrics = tuple(LossMetric(of=m) if isinstance(m, Loss) else m for m in metrics)
    _refuse_doubled(config)
    config.optimizer = maker.make(["train", "optimizer"], "optimizer")
    held_out = ["train", "hold_out", "data"]
    config.held_out_source = maker.make(held_out, "source")
    config.held_out_options = maker.data_options(held_out, config.held_out_source)
    config.instead = maker.make_each(["sensitivity", "instead"], "activation")
    config.schedule = maker.choose(["train", "schedule"], "schedule", SCHEDULES)
    config.initial = maker.choose(["train", "initial"], "initial", INITIALS)


def _refuse_doubled(config: CheckedConfig) -> None:
    """Record a metric that stands there twice, and would be reported once."""
    for index, metric in enumerate(config.metrics):
        first = config.metrics.index(metric)
        if metric is not None and first < index:
            path: ConfigPath = ["evaluate", "metrics", index]
            config.add(path, f"this is evaluate.metrics.{first} again", "leave one of them out")


def _registry(config: CheckedConfig) -> tuple[Registry, bool]:
    """Return the registry with the configuration's own plugin files, and whether all are in it."""
    plugins = config.source.plugins
    node = config.root.find(["plugins"])
    items = node.value if node is not None and isinstance(node.value, list) else []
    if len(items) > MAX_ITEMS:
        return plugins.registry(), False
    names = [item for item in items if isinstance(item.value, str) and item.value]
    located = [(item, find_file(item, config.problems)) for item in names]
    there = [(item, path) for item, path in located if path is not None]
    config.files |= {("plugins", items.index(item)): str(path) for item, path in there}
    there = _admitted(config, there)
    try:
        return plugins.registry([path for _, path in there]), len(there) == len(names)
    except PluginError:
        wrong = _unusable(there)
        if not wrong:
            raise
        for item, reason in wrong.values():
            config.problems.add(item.at, reason)
        return plugins.registry([path for _, path in there if path not in wrong]), False


def _admitted(config: CheckedConfig, there: Sequence[tuple[Node, Path]]) -> list[tuple[Node, Path]]:
    """Return the plugin files that may be imported, and record the others as mistakes."""
    plugins, admitted = config.source.plugins, []
    for item, path in there:
        if plugins.admits(path):
            admitted.append((item, path))
            continue
        yes = f"give --plugin {item.value}" + (", or --trust" if plugins.installed else "")
        config.problems.add(
            item.at,
            f"the plugin file {item.value!r} is not imported: that would execute it"
            if plugins.installed
            else f"the plugin file {item.value!r} is left out by --no-plugins",
            f"if you know the file, {yes}",
        )
    return admitted


def _unusable(there: Sequence[tuple[Node, Path]]) -> dict[Path, tuple[Node, str]]:
    """Return the plugin files that cannot be used, each with the reason."""
    reasons = {}
    for item, path in there:
        try:
            Registry.discover(local=[path], plugins=False)
        except PluginError as error:
            reasons[path] = (item, str(error))
    return reasons

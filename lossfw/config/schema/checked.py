"""From a configuration's text to its checked parts: both steps, reported together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lossfw.components.component import Component
from lossfw.components.plugin_choice import Plugins
from lossfw.components.registry import Entry, Registry
from lossfw.config.schema.check_components import Checker
from lossfw.config.schema.check_sections import check_skeleton
from lossfw.config.schema.rules import RULES
from lossfw.config.schema.sections import MAX_ITEMS, Skeleton
from lossfw.config.text.files import find_file
from lossfw.config.text.overrides import override
from lossfw.config.text.reading import read_file
from lossfw.config.text.tree import Node, Position, Problems
from lossfw.config.text.yaml import parse
from lossfw.errors import PluginError


@dataclass(frozen=True)
class Parts:
    """The checked parts of a configuration; None, or missing, where a part is wrong.

    Attributes
    ----------
    root : Node
        The configuration, overrides included.
    skeleton : Skeleton or None
        Its sections.
    registry : Registry or None
        Knows the components, those of its own plugins included.
    source, loss : Component or None
        The data source and the loss.
    activations, metrics : tuple of Component or None
        In order, None for one that is wrong; among the metrics may be losses.
    optimizer, held_out : Component or None
        How to learn, and the source of the rows that are held out.
    instead : tuple of Component or None
        Activations that a study puts in the place of the hidden ones.
    rules : mapping of str to Component
        What else the section `train` names, by its keys.
    entries : tuple of Entry
        Where the components come from.
    files : dict
        The absolute names of the files that the configuration names, by path;
        those that come with a plugin are left out.
    made : mapping
        The components by path, those inside of others too.
    """

    root: Node
    skeleton: Skeleton | None = None
    registry: Registry | None = None
    source: Component | None = None
    loss: Component | None = None
    activations: tuple[Component | None, ...] = ()
    metrics: tuple[Component | None, ...] = ()
    optimizer: Component | None = None
    held_out: Component | None = None
    instead: tuple[Component | None, ...] = ()
    rules: Mapping[str, Component | None] = field(default_factory=dict)
    entries: tuple[Entry, ...] = ()
    files: dict[tuple[str | int, ...], str] = field(default_factory=dict)
    made: Mapping[tuple[str | int, ...], Component] = field(default_factory=dict)


def read(name: str, overrides: Sequence[str], problems: Problems) -> Node:
    """Return the tree of a configuration file, over what it extends, with overrides put in.

    Parameters
    ----------
    name : str
        The file.
    overrides : sequence of str
        ``KEY=VALUE`` each.
    problems : Problems
        Receives what is wrong with the text and the overrides, as far as the
        rest can be read without it.

    Raises
    ------
    ConfigError
        If there is no tree to go on with.
    """
    texts: list[str] = []

    def read_one(name: str, rank: int) -> Node | None:
        return _read_one(name, rank, problems, texts)

    root = read_one(name, 0)
    if root is None:
        raise problems.error()
    if isinstance(root.value, dict) and "extends" in root.value:
        # Imported on use: most configurations stand alone.
        from lossfw.config.text.extends import extend

        root = extend(root, read_one, problems)
    root = override(root, overrides, problems)
    if any("${env:" in text for text in texts):
        # What is overridden need not be set.
        from lossfw.config.text.environment import fill

        root = fill(root, problems)
    return root


def _read_one(name: str, rank: int, problems: Problems, texts: list[str]) -> Node | None:
    """Return the tree of one file, None where there is none to go on with."""
    text, origin = read_file(name, rank=rank)
    root = parse(text, origin, problems)
    if root is None and not problems:
        problems.add(Position(origin), "the file is empty", "begin with 'lossfw: 1'")
    texts.append(text)
    return root


def check(
    root: Node,
    plugins: Plugins,
    problems: Problems,
    *,
    file_fields: Callable[[type[Component]], Sequence[str]],
    training: bool = False,
) -> Parts:
    """Check the skeleton, then every component that it names.

    Parameters
    ----------
    root : Node
        The configuration.
    plugins : Plugins
        Besides those that the configuration names.
    problems : Problems
        Receives every mistake.
    file_fields : callable
        Tells which parameters of a class name files.
    training : bool
        Whether the configuration is to be trained, and not evaluated.
    """
    skeleton = check_skeleton(root, problems, training=training)
    files: dict[tuple[str | int, ...], str] = {}
    known, whole = _registry(root, plugins, files, problems)
    checker = Checker(root, known, problems, file_fields, whole=whole, files=files)
    return Parts(
        root,
        skeleton,
        known,
        checker.make(["data"], "source"),
        checker.make(["loss"], "loss"),
        checker.make_each(["network", "layers"], "activation", below=["activation"]),
        checker.make_each(["evaluate", "metrics"], "metric", or_else="loss"),
        checker.make(["train", "optimizer"], "optimizer"),
        checker.make(["train", "hold_out", "data"], "source"),
        checker.make_each(["sensitivity", "instead"], "activation"),
        {key: checker.choose(["train", key], key, table) for key, table in RULES.items()},
        tuple(checker.entries),
        files,
        checker.made,
    )


def _registry(
    root: Node,
    plugins: Plugins,
    files: dict[tuple[str | int, ...], str],
    problems: Problems,
) -> tuple[Registry, bool]:
    """Return the registry with the configuration's own plugin files, and whether all are in it."""
    node = root.find(["plugins"])
    items = node.value if node is not None and isinstance(node.value, list) else []
    if len(items) > MAX_ITEMS:
        return plugins.registry(), False
    names = [item for item in items if isinstance(item.value, str) and item.value]
    found = [(item, find_file(item, problems)) for item in names]
    there = [(item, path) for item, path in found if path is not None]
    files.update({("plugins", items.index(item)): str(path) for item, path in there})
    try:
        return plugins.registry([path for _, path in there]), len(there) == len(names)
    except PluginError:
        wrong = _unusable(there)
        if not wrong:
            raise
        for item, reason in wrong.values():
            problems.add(item.at, reason)
        return plugins.registry([path for _, path in there if path not in wrong]), False


def _unusable(there: Sequence[tuple[Node, Path]]) -> dict[Path, tuple[Node, str]]:
    """Return the plugin files that cannot be used, each with the reason."""
    reasons = {}
    for item, path in there:
        try:
            Registry.discover(local=[path], plugins=False)
        except PluginError as error:
            reasons[path] = (item, str(error))
    return reasons

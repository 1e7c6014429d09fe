"""The source of a configuration, and its text as one tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lossfw.components.plugin_choice import Plugins
from lossfw.config.text.overrides import apply_overrides
from lossfw.config.text.reading import read_file
from lossfw.config.text.tree import Node, Position, Problems
from lossfw.config.text.yaml import parse

if TYPE_CHECKING:
    # A command line needs no arrays in memory.
    from lossfw.config.text.mapping import MappingConfig


@dataclass(frozen=True)
class ConfigSource:
    """A configuration as the user names it."""

    name: str
    # KEY=VALUE each, put in before anything is checked; the later one wins.
    overrides: Sequence[str] = ()
    # Which plugins may be used; all that are installed unless given. Local files among
    # them are added to the configuration's own.
    plugins: Plugins = field(default_factory=Plugins)
    # The configuration, where it is in no file.
    given: MappingConfig | None = None


def read_tree(source: ConfigSource, problems: Problems) -> Node:
    """Return the tree of a configuration, with the files that it extends and with overrides."""
    texts: list[str] = []

    def read_one(name: str, rank: int) -> Node | None:
        text, origin = read_file(name, rank=rank)
        folder = Path(source.name).resolve().parent
        if rank and not Path(name).resolve().is_relative_to(folder):
            origin = replace(origin, quoted=False)
        texts.append(text)
        tree = parse(text, origin, problems)
        if tree is None and not problems:
            problems.add(Position(origin), "the file is empty", "begin with 'lossfw: 1'")
        return tree

    root = read_one(source.name, 0) if source.given is None else source.given.to_tree()
    if root is None:
        raise problems.error()
    if isinstance(root.value, dict) and "extends" in root.value:
        # Imported on use: most configurations stand alone.
        from lossfw.config.text.extends import extend

        root = extend(root, read_one, problems)
    root = apply_overrides(root, source.overrides, problems)
    if any("${env:" in text for text in texts):
        # After the overrides: an overridden variable need not be set.
        from lossfw.config.text.environment import fill_variables

        root = fill_variables(root, problems)
    return root

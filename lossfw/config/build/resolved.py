"""The resolved configuration: all that was said, from wherever, and what holds besides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lossfw.components.component import Component, yaml_value
from lossfw.components.plugin_choice import Plugins
from lossfw.config.build.evaluation import given_outputs
from lossfw.config.build.parts import sound
from lossfw.config.schema.checked import Parts, check, read
from lossfw.config.schema.sections import SECTIONS, Section, Spec
from lossfw.config.text.overrides import put, with_parameters
from lossfw.config.text.tree import Node, Origin, Position, Problems
from lossfw.config.text.writing import block
from lossfw.data.source import file_fields

_Path = tuple[str | int, ...]

# The word that stands for the origin of what nobody wrote.
DEFAULT = "default"
# Sections that are shown although they are not given.
_ALWAYS = (("evaluate",),)


@dataclass(frozen=True)
class Resolved:
    """A configuration as it is used.

    Attributes
    ----------
    root : Node
        The whole tree, files by their absolute names, with the defaults of its
        sections; each value has the position where it was written.
    unset : mapping
        By the path of a component, its parameters that nobody set. They are no
        part of the tree: a loss whose guard is written down is not fused.
    """

    root: Node
    unset: Mapping[_Path, Mapping[str, Any]]

    def text(self) -> str:
        """Return YAML that runs, from any folder."""
        return block(self.root)

    def annotated(self) -> str:
        """Return the same YAML with the origin of each value behind it."""
        root = self.root
        for path in self.unset:
            node = root.find(path)
            if node is not None and isinstance(node.value, str):
                root = put(root, [*map(str, path)], with_parameters(node), node.at)
        return block(root, _origin, self.unset)

    def origins(self) -> list[dict[str, Any]]:
        """Return path, value and origin of each value, lists of scalars as one."""
        return list(_listed(self.root, ()))


def resolve(name: str, overrides: Sequence[str] = (), plugins: Plugins | None = None) -> Resolved:
    """Return a configuration as it is used.

    Parameters
    ----------
    name : str
        The configuration file.
    overrides : sequence of str
        ``KEY=VALUE`` each.
    plugins : Plugins, optional
        Which plugins may be used. Local files among them are added to the
        configuration's own.

    Raises
    ------
    ConfigError
        All mistakes that are seen without reading data and weights.
    """
    problems = Problems()
    root = read(name, overrides, problems)
    plugins = plugins or Plugins()
    if root.find(["sweep"]) is None:
        training = root.find(["train"]) is not None and root.find(["network", "weights"]) is None
        parts = check(root, plugins, problems, file_fields=file_fields, training=training)
        given_outputs(sound(parts), parts.files, problems)
        problems.raise_if_any()
        made, files = parts.made, dict(parts.files)
    else:
        made, files = _of_sweep(root, plugins, problems)
    return _resolved(root, plugins, made, files)


def text_of(parts: Parts, plugins: Plugins) -> str:
    """Return the configuration of parts that are right as YAML; see `resolved_text`.

    Parameters
    ----------
    parts : Parts
        Of which a plan was made.
    plugins : Plugins
        With which it was made.
    """
    return _resolved(parts.root, plugins, parts.made, parts.files).text()


def _resolved(
    root: Node,
    plugins: Plugins,
    made: Mapping[_Path, Component],
    files: Mapping[_Path, str],
) -> Resolved:
    for path, file in files.items():
        root = _put(root, path, file)
    return Resolved(_with_defaults(_with_plugins(root, plugins)), _unset(made, root))


def resolved_text(name: str, overrides: Sequence[str] = (), plugins: Plugins | None = None) -> str:
    """Return a configuration as YAML that runs from any folder; see `resolve`."""
    return resolve(name, overrides, plugins).text()


def _of_sweep(
    root: Node, plugins: Plugins, problems: Problems
) -> tuple[Mapping[_Path, Component], dict[_Path, str]]:
    """Return components that all runs of a sweep have, and the files that they name."""
    # Imported on use: most configurations have no sweep.
    from lossfw.config.build.sweep import expand_tree

    runs = expand_tree(root, plugins, problems)
    files: dict[_Path, str] = {}
    for run in runs:
        for path, file in run.parts.files.items():
            steps = tuple(map(str, path))
            setting = next((s for s in run.settings if steps[: len(s.path)] == s.path), None)
            files[path if setting is None else (*setting.written, *path[len(setting.path) :])] = (
                file
            )
    swept = {setting.path[0] for run in runs for setting in run.settings}
    made = {path: c for path, c in runs[0].parts.made.items() if path[0] not in swept}
    return made, files


def _put(root: Node, path: _Path, value: Any) -> Node:
    """Return a tree with another value in a place, which keeps its position."""
    at = root.locate(path)
    return put(root, [*map(str, path)], Node(value, at), at)


def _with_plugins(root: Node, plugins: Plugins) -> Node:
    """Return a tree that names the local plugins of the command line as well."""
    at = Position(Origin("--plugin", Path.cwd(), numbered=False))
    own = root.find(["plugins"])
    known = [] if own is None or not isinstance(own.value, list) else own.plain()
    for file in plugins.local:
        path = str(Path(file).absolute())
        if path not in known:
            root = put(root, ["plugins"], Node(path, at), at, adds=True)
    return root


def _with_defaults(root: Node) -> Node:
    at = Position(Origin(DEFAULT, Path.cwd(), numbered=False))
    for path, section in SECTIONS.items():
        node = root.find(path)
        if node is None and path in _ALWAYS:
            node = Node({}, at)
        if node is None or not isinstance(node.value, dict):
            continue
        for key, value in _defaults(section).items():
            if key not in node.value:
                root = put(root, [*path, key], Node(value, at), at)
    return root


def _defaults(section: type[Section]) -> dict[str, Any]:
    """Return the defaults of a section that say something: no null and no empty list."""
    found: dict[str, Any] = {}
    for key, info in section.model_fields.items():
        value = info.get_default()
        if isinstance(value, Spec):
            found[key] = value.name
        elif isinstance(value, bool | int | float | str):
            found[key] = value
    return found


def _unset(made: Mapping[_Path, Component], root: Node) -> dict[_Path, dict[str, Any]]:
    """Return by path the parameters of each component that the tree does not set."""
    found = {}
    for path, component in made.items():
        node = root.find(path)
        given = node.value if node is not None and isinstance(node.value, dict) else {}
        unset = {k: yaml_value(v) for k, v in component.parameters.items() if k not in given}
        if unset:
            found[path] = unset
    return found


def _origin(node: Node) -> str:
    return node.at.address


def _listed(node: Node, path: _Path) -> Any:
    if isinstance(node.value, dict):
        for key, child in node.value.items():
            yield from _listed(child, (*path, key))
    elif isinstance(node.value, list) and any(isinstance(c.value, dict) for c in node.value):
        for index, child in enumerate(node.value):
            yield from _listed(child, (*path, index))
    else:
        yield {"path": list(path), "value": node.plain(), "origin": _origin(node)}

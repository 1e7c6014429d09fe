"""The configuration with extends, overrides and environment applied, and defaults filled in."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lossfw.components.component import Component, yaml_value
from lossfw.components.plugin_choice import Plugins
from lossfw.config.plan.load_outputs import configured_outputs
from lossfw.config.schema.check_config import build_components
from lossfw.config.schema.check_training import keys_of_training
from lossfw.config.schema.checked import CheckedConfig, read_config
from lossfw.config.schema.section_types import ComponentSpec, Section
from lossfw.config.schema.sections import SECTIONS
from lossfw.config.text.overrides import name_to_mapping, with_value
from lossfw.config.text.source import ConfigSource
from lossfw.config.text.tree import Node, Origin, Position
from lossfw.config.text.writing import format_tree

_Path = tuple[str | int, ...]

# The origin of a value that nobody wrote.
DEFAULT = "default"
# Sections that are shown although they are not given.
_ALWAYS = (("evaluate",),)


@dataclass(frozen=True)
class ResolvedConfig:
    """A configuration with everything filled in."""

    # The whole tree, files by their absolute names, with the defaults of its sections;
    # each value has the position where it was written.
    root: Node
    # By the path of a component, its parameters that nobody set. They are not part of the
    # tree: a loss whose guard is written down is not fused.
    unset: Mapping[_Path, Mapping[str, Any]]

    def to_yaml(self) -> str:
        """Return YAML that runs, from any folder."""
        return format_tree(self.root)

    def to_annotated_yaml(self) -> str:
        """Return the same YAML with the origin of each value after it."""
        root = self.root
        for path in self.unset:
            node = root.find(path)
            if node is not None and isinstance(node.value, str):
                root = with_value(root, [*map(str, path)], name_to_mapping(node), node.at)
        return format_tree(root, _origin_text, self.unset)

    def origins(self) -> list[dict[str, Any]]:
        """Return path, value and origin of each value, lists of scalars as one."""
        return list(_resolve_list(self.root, ()))


def resolve(source: ConfigSource) -> ResolvedConfig:
    """Return a configuration with everything filled in."""
    config = read_config(source)
    if config.has_value("sweep"):
        _check_sweep(config)
    else:
        build_components(
            config, training=config.has_value("train") and not config.has_trained_model
        )
        configured_outputs(config)
        config.problems.raise_if_any()
    return resolve_checked(config)


def resolve_checked(config: CheckedConfig) -> ResolvedConfig:
    """Return a checked configuration with everything filled in."""
    root = config.root
    for path, file in config.files.items():
        at = root.locate(path)
        root = with_value(root, [*map(str, path)], Node(file, at), at)
    unset = _unset_parameters(config.made, root)
    root = _with_plugins(root, config.source.plugins)
    return ResolvedConfig(_with_defaults(root, keys_of_training(config)), unset)


def _check_sweep(config: CheckedConfig) -> None:
    """Fill the files that the runs of a sweep name, and the components that all of them have."""
    # Imported on use: most configurations have no sweep.
    from lossfw.config.plan.sweep import expand

    runs = expand(config, training=config.has_value("train") and not config.has_trained_model)
    for run in runs:
        for path, file in run.files.items():
            steps = tuple(map(str, path))
            setting = next((s for s in run.settings if steps[: len(s.path)] == s.path), None)
            if setting is not None:
                path = (*setting.written, *path[len(setting.path) :])
            config.files[path] = file
    swept = {setting.path[0] for run in runs for setting in run.settings}
    config.made = {path: c for path, c in runs[0].made.items() if path[0] not in swept}


def _with_plugins(root: Node, plugins: Plugins) -> Node:
    """Return a tree that names the local plugins of the command line as well."""
    at = Position(Origin("--plugin", Path.cwd(), numbered=False))
    own = root.find(["plugins"])
    known = [] if own is None or not isinstance(own.value, list) else own.to_plain()
    for file in plugins.local:
        path = str(Path(file).absolute())
        if path not in known:
            root = with_value(root, ["plugins"], Node(path, at), at, adds=True)
    return root


def _with_defaults(root: Node, trained: Collection[str]) -> Node:
    """Return a tree with the defaults of its sections, of `train` those that it uses."""
    at = Position(Origin(DEFAULT, Path.cwd(), numbered=False))
    for path, section in SECTIONS.items():
        node = root.find(path)
        if node is None and path in _ALWAYS:
            node = Node({}, at)
        if node is None or not isinstance(node.value, dict):
            continue
        for key, value in _defaults(section).items():
            if key not in node.value and (path != ("train",) or key in trained):
                root = with_value(root, [*path, key], Node(value, at), at)
    return root


def _defaults(section: type[Section]) -> dict[str, Any]:
    """Return the defaults of a section; null and empty lists are left out."""
    defaults: dict[str, Any] = {}
    for key, info in section.model_fields.items():
        value = info.get_default()
        if isinstance(value, ComponentSpec):
            defaults[key] = value.name
        elif isinstance(value, bool | int | float | str):
            defaults[key] = value
    return defaults


def _unset_parameters(
    components: Mapping[_Path, Component], root: Node
) -> dict[_Path, dict[str, Any]]:
    """Return by path the parameters of each component that the tree does not set."""
    by_path = {}
    for path, component in components.items():
        node = root.find(path)
        given = node.value if node is not None and isinstance(node.value, dict) else {}
        unset = {k: yaml_value(v) for k, v in component.parameters.items() if k not in given}
        if unset:
            by_path[path] = unset
    return by_path


def _origin_text(node: Node) -> str:
    return node.at.address


def _resolve_list(node: Node, path: _Path) -> Any:
    if isinstance(node.value, dict):
        for key, child in node.value.items():
            yield from _resolve_list(child, (*path, key))
    elif isinstance(node.value, list) and any(isinstance(c.value, dict) for c in node.value):
        for index, child in enumerate(node.value):
            yield from _resolve_list(child, (*path, index))
    else:
        yield {"path": list(path), "value": node.to_plain(), "origin": _origin_text(node)}

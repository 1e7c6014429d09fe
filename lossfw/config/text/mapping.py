"""A configuration given as a Python mapping, with arrays, tables and components."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from lossfw.components.component import Component
from lossfw.components.registry import registry
from lossfw.config.text.tree import Node, Origin, Position, format_path
from lossfw.config.text.yaml import MAX_DEPTH
from lossfw.data.memory_file import MemoryFile
from lossfw.errors import ArgumentError, ConfigError, DataError, LossfwError, Problem
from lossfw.losses.inputs import check_same_index

_Path: TypeAlias = tuple[str | int, ...]

# Name of a configuration that is in no file.
NAME = "configuration"
# A longer array in another place than those of data and saved outputs is a mistake.
_MOST_NUMBERS = 10_000
# The places of rows, and the parameters of the source `arrays` that name files.
_DATA = (("data",), ("train", "hold_out", "data"))
_FILES = ("file", "inputs", "targets", "sample_weight")
# The places of outputs and of weights.
_OUTPUTS = (("network", "predictions"), ("network", "raw_outputs"), ("model", "file"))
_WEIGHTS = ("network", "weights")


@dataclass(frozen=True)
class MappingConfig:
    """A configuration given as a mapping."""

    # Plain values, as a file has them. Where arrays stand, it has their place as a name.
    plain: Mapping[str, Any]
    # The arrays by their places.
    held: Mapping[_Path, MemoryFile] = field(default_factory=dict)

    @classmethod
    def of(cls, mapping: Mapping[str, Any]) -> MappingConfig:
        """Return the configuration in a mapping."""
        held: dict[_Path, MemoryFile] = {}
        plain = {"lossfw": 1, **_to_plain(mapping, (), held)}
        for path in _DATA:
            own = _value_at(mapping, path)
            if isinstance(own, Mapping):
                try:
                    check_same_index(**{role: own[role] for role in _FILES[1:] if role in own})
                except ArgumentError as error:
                    raise _mistake_at(path, str(error).removesuffix(".")) from None
            if isinstance(own, Mapping) and (
                any(map(_is_array, own.values())) or isinstance(own.get("file"), Mapping)
            ):
                _value_at(plain, path).setdefault("name", "arrays")
        return cls(plain, held)

    def save_arrays(self, folder: Path) -> MappingConfig:
        """Return the same configuration with its arrays in files of a folder, for later runs."""
        plain = _copy_plain(self.plain)
        for path, file in self.held.items():
            ending, content = file.content()
            target = folder.absolute() / f"{format_path(path)}{ending}"
            if not target.exists() or target.read_bytes() != content:
                target.write_bytes(content)
            _value_at(plain, path[:-1])[path[-1]] = str(target)
        return MappingConfig(plain)

    def to_tree(self) -> Node:
        """Return the configuration as a tree in which each value has its address."""
        return _to_node(self.plain, (), self.held, iter(range(2**31)))


def _to_plain(
    value: Any, path: _Path, memory_files: dict[_Path, MemoryFile], *, files: bool = True
) -> Any:
    """Return a value as a file would have it; arrays that stand for files go to `memory_files`.

    Beside a source of another name than `arrays` none does: `files` is false.
    """
    if len(path) > MAX_DEPTH:
        raise _mistake_at(path, f"more than {MAX_DEPTH} levels")
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Component):
        return _to_plain(_to_spec(value, path), path, memory_files)
    if files and _stands_for_a_file(value, path):
        try:
            memory_files[path] = MemoryFile.of(format_path(path), value)
        except DataError as error:
            raise _mistake_at(path, str(error).removesuffix(".")) from None
        return format_path(path)
    if isinstance(value, Mapping):
        files = path not in _DATA or value.get("name", "arrays") == "arrays"
        return {
            _check_key(key, path): _to_plain(
                item, (*path, _check_key(key, path)), memory_files, files=files
            )
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_to_plain(item, (*path, i), memory_files) for i, item in enumerate(value)]
    if hasattr(value, "__array__"):
        return _numbers_of(value, path)
    raise _mistake_at(
        path,
        f"a {type(value).__name__} cannot be part of a configuration",
        "expected text, numbers, lists, mappings, components, and arrays or data frames as data",
    )


def _to_spec(component: Component, path: _Path) -> Mapping[str, Any]:
    """Return the name and the parameters of a component, if its name means its class."""
    cls = type(component)
    try:
        known = registry().component_class(component.kind, component.name)
    except LossfwError:
        known = None
    if known is not cls:
        other = "no component" if known is None else f"the class of {known.__module__}"
        raise _mistake_at(
            path,
            f"the name {component.name!r} means {other}, not the class {cls.__name__} of "
            f"{cls.__module__}",
            "write the class to a file (in a notebook: %%writefile my_plugin.py), give "
            'plugins=["my_plugin.py"], and write its name',
        )
    return component.to_config()


def _stands_for_a_file(value: Any, path: _Path) -> bool:
    """Tell whether a value is an array, or arrays, where a configuration names a file."""
    if path == _WEIGHTS:
        return isinstance(value, Mapping)
    if path in _OUTPUTS:
        return _is_array(value) and not isinstance(value, list | tuple)
    if path[:-1] not in _DATA or path[-1] not in _FILES:
        return False
    return _is_array(value) or (path[-1] == "file" and isinstance(value, Mapping))


def _is_array(value: Any) -> bool:
    """Tell whether a value is an array, a data frame or a list."""
    return hasattr(value, "__array__") or isinstance(value, list | tuple)


def _numbers_of(value: Any, path: _Path) -> Any:
    array = np.asarray(value)
    if path in _DATA or array.dtype.kind not in "fiubU" or array.size > _MOST_NUMBERS:
        raise _mistake_at(
            path,
            f"a {type(value).__name__} of shape {array.shape} cannot be used here",
            'give inputs and targets: "data": {"inputs": X, "targets": y}, or a data frame with '
            'names of columns: "data": {"file": frame, "targets_key": "price"}',
        )
    return array.tolist()


def _check_key(key: Any, path: _Path) -> str:
    if isinstance(key, str):
        return key
    if isinstance(key, bool) or not isinstance(key, int | float | np.number):
        raise _mistake_at(path, f"the key {key!r} is a {type(key).__name__}; expected a string")
    return str(key)


def _mistake_at(path: _Path, message: str, hint: str = "") -> ConfigError:
    where = format_path(path) or NAME
    return ConfigError([Problem(where, message, hint=hint)])


def _value_at(plain: Any, path: Sequence[str | int]) -> Any:
    for step in path:
        plain = plain.get(step) if isinstance(plain, Mapping) else None
    return plain


def _copy_plain(plain: Any) -> Any:
    return {k: _copy_plain(v) for k, v in plain.items()} if isinstance(plain, Mapping) else plain


def _to_node(
    value: Any, path: _Path, memory_files: Mapping[_Path, MemoryFile], count: Iterator[int]
) -> Node:
    label = format_path(path) or NAME
    origin = Origin(label, Path.cwd(), numbered=False, held=memory_files.get(path))
    at = Position(origin, next(count))
    if isinstance(value, Mapping):
        nodes = {k: _to_node(item, (*path, k), memory_files, count) for k, item in value.items()}
        return Node(nodes, at, {key: node.at for key, node in nodes.items()})
    if isinstance(value, list):
        return Node(
            [_to_node(item, (*path, i), memory_files, count) for i, item in enumerate(value)], at
        )
    return Node(value, at)

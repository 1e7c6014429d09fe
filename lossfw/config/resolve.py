"""Overrides: ``-o KEY=VALUE`` changes a configuration before it is checked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lossfw.config.tree import Node, Origin, Position, Problems, dotted, quote, shorten
from lossfw.config.yaml import parse


class _NoPlaceError(Exception):
    """The path leads to where nothing can be."""


def override(root: Node, texts: Sequence[str], problems: Problems) -> Node:
    """Return a configuration with overrides put in; the later one wins.

    Parameters
    ----------
    root : Node
        The configuration; it is not changed.
    texts : sequence of str
        ``a.b.0.c=VALUE``: keys and list indices, and a value in YAML. A
        mapping or a list replaces what was there; a key that is missing comes
        into being. Below a component that is a bare name, the path leads to
        its parameters.
    problems : Problems
        Receives what is wrong with an override, with the override as address.
    """
    for rank, text in enumerate(texts, start=1):
        root = _override(root, text, rank, problems)
    return root


def _override(root: Node, text: str, rank: int, problems: Problems) -> Node:
    at = Position(Origin(f"-o {shorten(text)}", Path.cwd(), rank=rank))
    key, equals, written = text.partition("=")
    path = key.strip().split(".")
    if not equals or not all(path):
        problems.add(at, "an override is KEY=VALUE", "for example: -o evaluate.batch_size=100")
        return root
    found = Problems()
    value = parse(written, at.origin, found)
    problems.take(found)
    if found:
        return root
    try:
        return _put(root, path, value or Node(None, at), at, [])
    except _NoPlaceError as error:
        problems.add(at, str(error))
        return root


def _put(
    node: Node | None, path: Sequence[str], value: Node, at: Position, done: list[str]
) -> Node:
    """Return `node` with `value` at the end of `path`; shared nodes stay as they are."""
    if not path:
        return value
    step, rest = path[0], path[1:]
    if node is None or node.value is None:
        node = Node({}, at)
    elif isinstance(node.value, str):
        node = Node({"name": node}, node.at, {"name": node.at})
    below = [*done, step]
    if isinstance(node.value, dict):
        items = {**node.value, step: _put(node.value.get(step), rest, value, at, below)}
        stays = step in node.keys and rest
        return Node(items, node.at, node.keys if stays else {**node.keys, step: at})
    if isinstance(node.value, list):
        index = _index(step, node.value, done)
        changed = _put(node.value[index], rest, value, at, below)
        return Node([*node.value[:index], changed, *node.value[index + 1 :]], node.at)
    raise _NoPlaceError(f"{dotted(done)} is {quote(node.value)}, and nothing can be below it")


def _index(step: str, items: list[Node], done: list[str]) -> int:
    if not step.isdecimal() or not step.isascii() or int(step[:10]) >= len(items):
        known = f"has the indices 0 to {len(items) - 1}" if items else "is an empty list"
        raise _NoPlaceError(f"{dotted(done)} {known}, got {shorten(step)}")
    return int(step)

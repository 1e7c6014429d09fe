"""A configuration as a tree in which every value has its position.

The parser makes it, overrides change it, and checks get the address of a mistake from it. A value
from ``-o`` has the override as its address.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lossfw.errors import ConfigError, Problem

# The longest piece of a value, and of a source line, that a message quotes.
QUOTED_CHARACTERS = 60
EXCERPT_CHARACTERS = 100
# Nobody reads more mistakes than these before mending the first.
SHOWN_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class Origin:
    """Where values come from: a file, or one override."""

    # The file's name as the user gave it, or -o key=value.
    label: str
    # The folder in which relative file names start.
    folder: Path
    # Its lines, to be shown with a mistake; may be empty.
    lines: tuple[str, ...] = ()
    # Its place among several sources when mistakes are put in order.
    rank: int = 0
    # Whether lines and columns are part of an address: those of a file are, and of an
    # override the label is enough.
    numbered: bool = True
    # Where in the first line the text that is parsed begins: after the key and the = of
    # an override.
    shift: int = 0
    # Whether its lines are shown. Those of a file outside the folder of the configuration
    # are not: it may be no configuration at all.
    quoted: bool = True
    # A hint for every mistake in an override whose value is several values with commas.
    sweep: str = ""
    # What the value stands for, where it is the name of arrays in memory.
    held: Any = field(default=None, compare=False, repr=False)

    def excerpt(self, line: int, column: int) -> tuple[str, int]:
        """Return a readable part of a source line and the caret's position in it."""
        if line >= len(self.lines) or not self.quoted:
            return "", 0
        text = self.lines[line]
        start = max(0, column - EXCERPT_CHARACTERS // 2) if len(text) > EXCERPT_CHARACTERS else 0
        piece = text[start : start + EXCERPT_CHARACTERS].rstrip()
        return "".join(map(_replace_control_character, piece)), column - start + 1


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a text; `line` and `column` are counted from 0."""

    origin: Origin
    line: int = 0
    column: int = 0

    @property
    def order(self) -> tuple[int, int, int]:
        """The sort key that puts mistakes in the order of the file."""
        return self.origin.rank, self.line, self.column

    @property
    def address(self) -> str:
        """``file:line:col``, or the label of an origin without such numbers."""
        if not self.origin.numbered:
            return self.origin.label
        return f"{self.origin.label}:{self.line + 1}:{self.column + 1}"

    def problem(self, message: str, hint: str = "") -> Problem:
        """Return a mistake at this place."""
        source, caret = self.origin.excerpt(self.line, self.column)
        label = self.origin.label
        if not (self.origin.lines and self.origin.numbered):
            return Problem(label, message, source, caret, hint)
        place = (self.line + 1, self.column + 1)
        return Problem(self.address, message, source, caret, hint, label, *place)


@dataclass(frozen=True, slots=True)
class Node:
    """A value with its position."""

    # None, bool, int, float, str, a list of Node, or a dict of str to Node.
    value: Any
    # Where the value begins.
    at: Position
    # For a mapping: where each key was written.
    keys: Mapping[str, Position] = field(default_factory=dict)

    def to_plain(self) -> Any:
        """Return the value without positions: lists, dicts and scalars."""
        if isinstance(self.value, dict):
            return {key: child.to_plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.to_plain() for child in self.value]
        return self.value

    def child(self, step: str | int) -> Node | None:
        """Return the node under a key or an index, or None."""
        if isinstance(self.value, dict):
            return self.value.get(step)
        if isinstance(self.value, list) and isinstance(step, int) and step < len(self.value):
            item: Node = self.value[step]
            return item
        return None

    def find(self, path: Iterable[str | int]) -> Node | None:
        """Return the node at the end of `path`, or None."""
        node: Node | None = self
        for step in path:
            node = node.child(step) if node is not None else None
        return node

    def override_position(self) -> Position | None:
        """Return where a value below this one was overridden, or None."""
        if not self.at.origin.numbered:
            return self.at
        below: Iterable[Node] = ()
        if isinstance(self.value, dict | list):
            below = self.value.values() if isinstance(self.value, dict) else self.value
        return next((at for child in below if (at := child.override_position()) is not None), None)

    def locate(self, path: Iterable[str | int], *, key: bool = False) -> Position:
        """Return the position of the value at `path`, of its last key, or of the nearest one."""
        node, key_at = self, self.at
        for step in path:
            child = node.child(step)
            if child is None:
                return key_at if key else node.at
            key_at = node.keys.get(str(step), child.at)
            node = child
        return key_at if key else node.at


class Problems:
    """Collects mistakes with their positions and raises them together, in file order."""

    def __init__(self) -> None:
        # A dictionary serves as a set that keeps its order.
        self._found: dict[tuple[tuple[int, int, int], Problem], None] = {}
        self._unknown: set[tuple[int, int, int]] = set()

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(
        self, position: Position, message: str, hint: str = "", *, unchecked: bool = False
    ) -> None:
        """Record a mistake; the same one at the same place counts once.

        `unchecked` marks a part that was not checked instead.
        """
        if position.order not in self._unknown:
            problem = position.problem(message, position.origin.sweep or hint)
            self._found[position.order, replace(problem, unchecked=unchecked)] = None

    def add_unknown(self, position: Position, message: str, hint: str = "") -> None:
        """Record why the value at a place is unknown, and drop other problems there."""
        self.add(position, message, hint)
        self._unknown.add(position.order)

    def extend(self, other: Problems) -> None:
        """Record the problems of another collection."""
        news = [entry for entry in other._found if entry[0] not in self._unknown]
        self._found.update(dict.fromkeys(news))
        self._unknown |= other._unknown

    def raise_if_mistakes(self) -> None:
        """Raise all problems together, if any of them is a mistake."""
        if not all(problem.unchecked for _, problem in self._found):
            raise self.error()

    def raise_if_any(self) -> None:
        """Raise all mistakes together."""
        if self._found:
            raise self.error()

    def error(self) -> ConfigError:
        """Return all mistakes as one error, in the order of the file."""
        ordered = [problem for _, problem in sorted(self._found, key=lambda entry: entry[0])]
        shown, more = ordered[:SHOWN_PROBLEMS], len(ordered) - SHOWN_PROBLEMS
        if more > 0:
            shown.append(Problem(ordered[-1].where, f"and {more} more mistakes up to here"))
        return ConfigError(shown)


def _replace_control_character(character: str) -> str:
    # A control character in a message could do things to the terminal.
    return (
        character if character.isprintable() or character == "\t" else "\N{REPLACEMENT CHARACTER}"
    )


def format_path(path: Iterable[str | int]) -> str:
    """Return a path as ``-o`` writes it.

    Examples
    --------
    >>> format_path(["network", "layers", 2, "activation"])
    'network.layers.2.activation'
    """
    return ".".join(str(step) for step in path)


def quote(value: Any) -> str:
    """Return a short, printable form of a value for a message, as YAML.

    Examples
    --------
    >>> quote("small"), quote(None), quote([1.0] * 1000), quote({"name": 1})
    ("'small'", 'null', 'a list of 1000 items', 'a mapping (name)')
    """
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list | tuple) and len(value) > 0:
        return f"a list of {len(value)} item{'s' if len(value) > 1 else ''}"
    if isinstance(value, dict) and value:
        return f"a mapping ({shorten(', '.join(map(str, value)))})"
    return shorten(repr(value))


def shorten(text: str) -> str:
    """Shorten a string that is too long for a message."""
    if len(text) <= QUOTED_CHARACTERS:
        return text
    return f"{text[: QUOTED_CHARACTERS - 3]}..."

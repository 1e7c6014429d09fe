"""Parse YAML 1.2 text into a tree with positions, with limits on everything that could grow.

The tree is built from the loader's events, not by its composer. Events have every position and show
duplicate keys, and they come one at a time, so nested brackets or aliases are stopped before they
grow.

PyYAML follows YAML 1.1, which reads ``1e-7`` as text and ``no`` as false. Its loader is subclassed
for the core schema of YAML 1.2, so PyYAML itself is unchanged for other code in the process.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from lossfw.config.text.tree import Node, Origin, Position, Problems, quote

# A configuration nests about eight deep; inline arrays add their dimensions.
MAX_DEPTH = 64
# How many values all aliases together may stand for: a bomb multiplies.
MAX_ALIASED = 10_000

# Characters that a YAML file must not contain; lone surrogates come from arguments
# that are not UTF-8.
FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")

# Words of PyYAML's messages (both loaders'), and how to mend the probable mistake.
_SYNTAX_HINTS = {
    "mapping values are not allowed": "a string that contains ': ' needs quotes",
    "'\\t' that cannot start any token": "indent with spaces",
    "cannot start "
    "any token": "indent with spaces, and quote a string that begins with a special character",
    "tab character": "indent with spaces",
    "end of stream": "a quotation mark is not closed",
    "expected ',' or": "a comma or a closing bracket is missing",
    "did not find expected key": "the indentation differs from the lines above",
    "expected <block end>": "the indentation differs from the lines above",
}

# No seed, size or parameter needs a longer number; Python refuses to read
# integers of some thousand digits, and takes long for fewer.
MAX_NUMBER_LENGTH = 100


def _parse_integer(text: str) -> int:
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    return int(_check_text(text), base)


def _parse_float(text: str) -> float:
    if text.lower().endswith((".inf", ".nan")):
        return float(text.replace(".", ""))
    number = float(_check_text(text))
    if math.isinf(number):
        raise ValueError("is larger than the largest float64, 1.8e308")
    return number


def _check_text(text: str) -> str:
    if len(text) > MAX_NUMBER_LENGTH:
        raise ValueError(f"is a number of more than {MAX_NUMBER_LENGTH} characters")
    return text


_FLOAT = (
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)

# Tag, pattern, the characters it can begin with, and a function that reads it. The
# first pattern that fits the whole scalar decides; a scalar that fits none is text.
_CORE: tuple[tuple[str, str, list[str], Callable[[str], Any]], ...] = (
    ("null", r"null|Null|NULL|~|", ["n", "N", "~", ""], lambda text: None),
    ("bool", r"true|True|TRUE|false|False|FALSE", [*"tTfF"], lambda text: text[0] in "tT"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", [*"-+0123456789"], _parse_integer),
    ("float", _FLOAT, [*"-+.0123456789"], _parse_float),
)
_PREFIX = "tag:yaml.org,2002:"
_READ = {_PREFIX + name: read for name, _, _, read in _CORE}


def core_loader(base: type[Any]) -> type[Any]:
    """Return a subclass of a PyYAML loader that resolves scalars by the core schema."""
    loader: type[Any] = type("CoreLoader", (base,), {"yaml_implicit_resolvers": {}})
    for name, pattern, first, _ in _CORE:
        loader.add_implicit_resolver(_PREFIX + name, re.compile(rf"(?:{pattern})\Z"), first)
    return loader


# The C loader is about ten times faster and is missing on some platforms.
CoreLoader = core_loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def read_scalar(loader: Any, event: yaml.ScalarEvent) -> Any:
    """Return the value of a scalar event; a ValueError's message continues after the number."""
    tag = loader.resolve(yaml.ScalarNode, event.value, event.implicit)
    return _READ[tag](event.value) if tag in _READ else event.value


def split_lines(text: str) -> tuple[str, ...]:
    r"""Split a string at YAML's line ends.

    Examples
    --------
    >>> split_lines("a: 1\r\nb: 2")
    ('a: 1', 'b: 2')
    """
    return tuple(_LINE_BREAK.split(text))


def parse(
    text: str, origin: Origin, problems: Problems, *, loader: type[Any] = CoreLoader
) -> Node | None:
    """Read one YAML document into a tree; None where it has none or could not be read.

    A syntax error ends the reading, other mistakes do not.
    """
    builder = _Builder(origin, problems)
    forbidden = FORBIDDEN.search(text)
    if forbidden:
        builder.report_character(text, forbidden.start())
        return None
    try:
        for reader, event in _events(text, loader):
            builder.add_event(reader, event)
    except _StopParsing:
        pass
    except yaml.YAMLError as error:
        builder.report_syntax(error)
    return builder.root


def _events(text: str, loader: type[Any]) -> Iterator[tuple[Any, Any]]:
    reader = loader(text)
    try:
        while reader.check_event():
            yield reader, reader.get_event()
    finally:
        reader.dispose()


class _StopParsing(Exception):  # noqa: N818 - it ends the reading and is not an error
    """Nothing after this place can be read."""


@dataclass(slots=True)
class _OpenContainer:
    """A list or a mapping whose end has not come yet.

    `size` counts its values with aliases written out, `height` its levels.
    """

    at: Position
    anchor: str | None
    items: Any
    keys: dict[str, Position] = field(default_factory=dict)
    # The key that waits for its value; None in front of a value to be dropped.
    key: str | None = None
    wants_key: bool = True
    size: int = 1
    height: int = 0


class _Builder:
    """Takes events and keeps the open containers on a stack of its own."""

    def __init__(self, origin: Origin, problems: Problems) -> None:
        self.root: Node | None = None
        self._origin = origin
        self._problems = problems
        self._open: list[_OpenContainer] = []
        self._anchors: dict[str, tuple[Node, int, int]] = {}
        self._aliased = 0

    def add_event(self, reader: Any, event: yaml.Event) -> None:
        """Add one event to the tree."""
        at = self._position_of(event.start_mark)
        tag = getattr(event, "tag", None)
        if tag is not None:
            self._problems.add(
                at,
                f"the tag {quote(tag)} is not read: a configuration holds plain values",
                "leave the tag out",
            )
        match event:
            case yaml.ScalarEvent():
                self._add_scalar(reader, event, at)
            case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                if len(self._open) >= MAX_DEPTH:
                    self._stop(at, f"nested deeper than {MAX_DEPTH} levels")
                items: Any = [] if isinstance(event, yaml.SequenceStartEvent) else {}
                self._open.append(_OpenContainer(at, event.anchor, items))
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                done = self._open.pop()
                node = Node(done.items, done.at, done.keys)
                self._add(node, done.size, done.height + 1, done.anchor, done.at)
            case yaml.AliasEvent():
                self._add_alias(event.anchor, at)
            case yaml.DocumentStartEvent() if self.root is not None:
                self._stop(at, "a second document begins here", "write one configuration per file")

    def _add_scalar(self, reader: Any, event: yaml.ScalarEvent, position: Position) -> None:
        inside = self._open[-1] if self._open else None
        expects_key = inside and isinstance(inside.items, dict) and inside.wants_key
        if event.implicit[0] and event.value == "<<" and inside and expects_key:
            self._problems.add(
                position, "merge keys (<<) are not read", "write the keys out, or use an alias"
            )
            inside.wants_key = False
            return
        try:
            value = read_scalar(reader, event)
        except ValueError as error:
            self._problems.add(position, f"{quote(event.value)} {error}")
            value = event.value
        self._add(Node(value, position), 1, 0, event.anchor, position)

    def _add_alias(self, name: str | None, position: Position) -> None:
        if name is None or name not in self._anchors:
            inside = any(container.anchor == name for container in self._open)
            reason = "is inside its own anchor" if inside else "has no anchor before it"
            self._problems.add(position, f"the alias *{name} {reason}")
            self._add(Node(None, position), 1, 0, None, position)
            return
        node, size, height = self._anchors[name]
        self._aliased += size
        if self._aliased > MAX_ALIASED:
            self._stop(position, f"the aliases expand to more than {MAX_ALIASED} values")
        if len(self._open) + height > MAX_DEPTH:
            self._stop(position, f"nested deeper than {MAX_DEPTH} levels through aliases")
        self._add(node, size, height, None, position)

    def _add(
        self, node: Node, size: int, height: int, anchor: str | None, position: Position
    ) -> None:
        """Put a finished value where it belongs; `position` is where it is used."""
        if anchor is not None:
            self._anchors[anchor] = (node, size, height)
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        parent.size += size
        parent.height = max(parent.height, height)
        if isinstance(parent.items, list):
            parent.items.append(node)
        elif parent.wants_key:
            parent.key = self._check_key(parent, node, position)
            parent.wants_key = False
        else:
            if parent.key is not None:
                parent.items[parent.key] = node
            parent.key, parent.wants_key = None, True

    def _check_key(self, parent: _OpenContainer, node: Node, position: Position) -> str | None:
        if isinstance(node.value, int) and not isinstance(node.value, bool):
            # A label may be a number: {0: -1, 1: 1}. Keys are texts all the same.
            node = Node(str(node.value), node.at)
        if not isinstance(node.value, str):
            self._problems.add(position, f"a key should be a string, got {quote(node.to_plain())}")
            return None
        if node.value in parent.keys:
            first = parent.keys[node.value].line + 1
            self._problems.add(
                position,
                f"the key {quote(node.value)} is given twice",
                f"the first one is in line {first}",
            )
            return None
        parent.keys[node.value] = position
        return node.value

    def _position_of(self, mark: Any) -> Position:
        return self._make_position(mark.line, mark.column)

    def _make_position(self, line: int, column: int) -> Position:
        return Position(self._origin, line, column + (0 if line else self._origin.shift))

    def _stop(self, position: Position, message: str, hint: str = "") -> None:
        self._problems.add(position, message, hint)
        raise _StopParsing

    def report_character(self, text: str, index: int) -> None:
        """Report a character that no YAML file may contain."""
        lines = split_lines(text[:index])
        at = self._make_position(len(lines) - 1, len(lines[-1]))
        self._problems.add(at, f"the character U+{ord(text[index]):04X} is not allowed in YAML")

    def report_syntax(self, error: yaml.YAMLError) -> None:
        """Report an error of PyYAML in its place."""
        said = str(getattr(error, "problem", None) or error)
        if "nesting depth" in said:
            said = f"nested deeper than {MAX_DEPTH} levels"
        mark, context = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
        at = (
            self._clamp_position(self._position_of(mark))
            if mark is not None
            else Position(self._origin)
        )
        hint = next((hint for words, hint in _SYNTAX_HINTS.items() if words in said), "")
        if context is not None and context.line != at.line:
            hint = "; ".join(filter(None, [hint, f"it began in line {context.line + 1}"]))
        self._problems.add(at, f"not readable as YAML: {said}", hint)

    def _clamp_position(self, position: Position) -> Position:
        """Move a place behind the end of the file to the last line with text in it."""
        lines = self._origin.lines
        if position.line < len(lines) and (lines[position.line].strip() or position.line == 0):
            return position
        last = max((i for i, line in enumerate(lines) if line.strip()), default=0)
        return Position(position.origin, last, len(lines[last].rstrip())) if lines else position

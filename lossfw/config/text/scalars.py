"""The scalars of YAML 1.2's core schema, on PyYAML's loader.

PyYAML follows YAML 1.1, which reads ``1e-7`` as text and ``no`` as false. The
loader is subclassed, so that PyYAML itself stays as it is for everyone else in
the process.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import yaml

# No seed, size or parameter needs a longer number; Python refuses to read
# integers of some thousand digits, and takes long for fewer.
MAX_NUMBER_LENGTH = 100


def _integer(text: str) -> int:
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    return int(_checked(text), base)


def _float(text: str) -> float:
    if text.lower().endswith((".inf", ".nan")):
        return float(text.replace(".", ""))
    number = float(_checked(text))
    if math.isinf(number):
        raise ValueError("is larger than the largest float64, 1.8e308")
    return number


def _checked(text: str) -> str:
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
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", [*"-+0123456789"], _integer),
    ("float", _FLOAT, [*"-+.0123456789"], _float),
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
    """Return the value of a scalar event; a ValueError goes on after the number."""
    tag = loader.resolve(yaml.ScalarNode, event.value, event.implicit)
    return _READ[tag](event.value) if tag in _READ else event.value

"""Components by name on the command line: ``NAME -p key=value``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from lossfw.components.component import Component
from lossfw.components.registry import KINDS, Entry, Registry
from lossfw.components.synonyms import did_you_mean_one
from lossfw.errors import UnknownNameError

parameter_option = click.option(
    "-p",
    "--parameter",
    "parameters",
    multiple=True,
    metavar="KEY=VALUE",
    help="Set a parameter: -p delta=0.5. The value is YAML. Can be repeated.",
)

kind_option = click.option(
    "--kind",
    type=click.Choice(KINDS),
    help="The kind, if components of several kinds have the name.",
)


def read_parameters(texts: Sequence[str]) -> dict[str, Any]:
    """Return parameters by name; the later one wins.

    Raises
    ------
    ConfigError
        If a text is not ``KEY=VALUE``, or its value is not YAML.
    """
    # Imported here: most verbs read no YAML.
    from lossfw.config.text.tree import Origin, Position, Problems, shorten
    from lossfw.config.text.yaml import parse

    problems = Problems()
    parameters = {}
    for rank, text in enumerate(texts):
        at = Position(Origin(f"-p {shorten(text)}", Path.cwd(), rank=rank))
        key, equals, written = text.partition("=")
        if not equals or not key.strip():
            problems.add(at, "a parameter is KEY=VALUE", "for example: -p delta=0.5")
            continue
        node = parse(written, at.origin, problems)
        parameters[key.strip()] = None if node is None else node.plain()
    problems.raise_if_any()
    return parameters


def find(registry: Registry, name: str, kinds: Sequence[str] = KINDS) -> tuple[Entry, ...]:
    """Return the entries of a name, one for each kind that has it.

    Raises
    ------
    UnknownNameError
        If none has it; the errors of the registry besides.
    """
    entries, error = [], None
    for kind in kinds:
        try:
            entries.append(registry.resolve(kind, name))
        except UnknownNameError as unknown:
            error = unknown
    if entries or error is None:
        return tuple(entries)
    if len(kinds) == 1 or "/" in name:
        raise error
    raise _unknown(registry, name, kinds, error)


def _unknown(
    registry: Registry, name: str, kinds: Sequence[str], error: UnknownNameError
) -> UnknownNameError:
    """Return the error for a name that no component of several kinds has."""
    known = [n for kind in kinds for entry in registry.entries(kind) for n in entry.names]
    words = f"{', '.join(kinds[:-1])} or {kinds[-1]}"
    first = (
        f"There is no {words} {name!r}. {did_you_mean_one(name, known)} `lossfw list` shows all."
    )
    # The other lines name plugins that could not be loaded, which may offer it.
    others = str(error).splitlines()[1:]
    return UnknownNameError("\n".join([first.replace("  ", " "), *others]))


def make(registry: Registry, entry: Entry, parameters: dict[str, Any]) -> Component:
    """Return the component of an entry at some parameters."""
    # Where two plugins offer the name, the one that was found is meant.
    name = f"{entry.distribution}/{entry.name}"
    made: Component = registry.create(entry.kind, {"name": name, **parameters})
    return made


def make_sample(registry: Registry, entry: Entry, parameters: dict[str, Any]) -> Component:
    """Return the component at some parameters; without any, its first sample if it needs one."""
    cls = registry.class_of(entry)
    needed = any(field.is_required() for field in cls.model_fields.values())
    samples: list[Component] = cls.samples() if needed and not parameters else []
    return samples[0] if samples else make(registry, entry, parameters)

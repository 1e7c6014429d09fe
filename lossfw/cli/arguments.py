"""Values on the command line: YAML, components as ``NAME -p key=value``, and arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lossfw.components.hookspecs import KINDS
from lossfw.components.naming import did_you_mean_any
from lossfw.errors import ArgumentError, UnknownNameError

if TYPE_CHECKING:
    from lossfw.components.component import Component
    from lossfw.components.registry import Entry, Registry
    from lossfw.numerics.arrays import NDArray

# A text that ends so is the name of a file.
_ARRAY_FILES = (".npy", ".npz", ".csv")

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


def read_yaml(text: str, option: str = "") -> Any:
    """Return a value written in YAML; messages name its option."""
    # Imported here: most commands read no YAML.
    from lossfw.config.text.tree import Origin, Problems, shorten
    from lossfw.config.text.yaml import parse

    problems = Problems()
    node = parse(text, Origin(f"{option} {shorten(text)}".lstrip(), Path.cwd()), problems)
    problems.raise_if_any()
    return None if node is None else node.to_plain()


def read_array_argument(text: str, option: str, role: str) -> NDArray:
    """Return the array that a string describes: numbers in YAML, or the name of a file.

    `role` names the array in a ``.npz``, such as ``"predictions"``.
    """
    # Imported here: the help of a command needs neither NumPy nor files of data.
    import numpy as np

    from lossfw.data.arrays import read_array
    from lossfw.data.literals import numbers_array

    if text.strip().endswith(_ARRAY_FILES):
        return np.asarray(read_array(Path(text.strip()), role))
    value = read_yaml(text, option)
    try:
        return numbers_array(value, finite=False)
    except ValueError as error:
        raise ArgumentError(
            f"{option} should be {error}. Numbers are written as in YAML, [0.5, 1e-7, .inf], or "
            "given by a file whose name ends in .npy, .npz or .csv."
        ) from None


def read_parameters(texts: Sequence[str]) -> dict[str, Any]:
    """Return parameters by name; the later one wins. All mistakes are reported together."""
    from lossfw.config.text.tree import Origin, Position, Problems, shorten
    from lossfw.config.text.yaml import parse

    problems = Problems()
    parameters = {}
    for rank, text in enumerate(texts):
        position = Position(Origin(f"-p {shorten(text)}", Path.cwd(), rank=rank))
        key, equals, written = text.partition("=")
        if not equals or not key.strip():
            problems.add(position, "a parameter is KEY=VALUE", "for example: -p delta=0.5")
            continue
        node = parse(written, position.origin, problems)
        parameters[key.strip()] = None if node is None else node.to_plain()
    problems.raise_if_any()
    return parameters


def refuse_several(parameters: dict[str, Any], names: Sequence[str]) -> None:
    """Refuse ``-p`` without exactly one name: it sets a parameter of one component."""
    if parameters and len(names) != 1:
        raise ArgumentError("-p sets a parameter of one component: give exactly one NAME with it.")


def refuse_below(option: str, value: float | None, minimum: int) -> None:
    """Refuse a number that is too small."""
    if value is not None and value < minimum:
        raise ArgumentError(f"{option} must be at least {minimum}, got {value}.")


def find_entries(registry: Registry, name: str, kinds: Sequence[str] = KINDS) -> tuple[Entry, ...]:
    """Return the entries of a name, one for each kind that has it; at least one."""
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
    known = [n for kind in kinds for entry in registry.entries(kind) for n in entry.names]
    words = f"{', '.join(kinds[:-1])} or {kinds[-1]}"
    first = (
        f"There is no {words} {name!r}. {did_you_mean_any(name, known)} `lossfw list` shows all."
    )
    # The other lines name plugins that could not be loaded, which may offer it.
    others = str(error).splitlines()[1:]
    raise UnknownNameError("\n".join([first.replace("  ", " "), *others]))


def usable_entries(entries: Iterable[Entry]) -> tuple[tuple[Entry, ...], str]:
    """Return the imported usable entries, and a line about the others ("" if none)."""
    every = tuple(entries)
    broken = [entry.name for entry in every if entry.state == "broken"]
    count = f"{len(broken)} component{'s' * (len(broken) > 1)}"
    line = f"skipped {count} that cannot be used: {', '.join(broken)}; `lossfw list` says why"
    return tuple(e for e in every if e.state != "broken"), line if broken else ""


def make_component(registry: Registry, entry: Entry, parameters: dict[str, Any]) -> Component:
    """Return the component of an entry at some parameters."""
    # Where two plugins offer the name, the one that was found is meant.
    name = f"{entry.distribution}/{entry.name}"
    component: Component = registry.create(entry.kind, {"name": name, **parameters})
    return component


def make_sample_component(
    registry: Registry, entry: Entry, parameters: dict[str, Any]
) -> Component:
    """Return the component at some parameters; without any, its first sample if it needs one."""
    cls = registry.class_of(entry)
    needed = any(field.is_required() for field in cls.model_fields.values())
    samples: list[Component] = cls._sample_components() if needed and not parameters else []
    return samples[0] if samples else make_component(registry, entry, parameters)

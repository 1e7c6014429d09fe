"""``sweep``: one configuration, several runs; all of them are checked before the first."""

from __future__ import annotations

import hashlib
import itertools
import math
import re
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from lossfw.components.plugin_choice import Plugins
from lossfw.config.build.evaluation import Loaded, build_tree
from lossfw.config.schema.checked import Parts, read
from lossfw.config.schema.messages import add_problem
from lossfw.config.schema.sections import MAX_RUNS, SweepSection
from lossfw.config.text.overrides import NoPlaceError, put, remove, split_path
from lossfw.config.text.tree import Node, Position, Problems
from lossfw.config.text.writing import flow
from lossfw.errors import ConfigError

KEY = "sweep"
# A run's name is that of a folder, and stands in tables.
MAX_RUN_NAME = 120
# What a run may not change: it was read before there were runs.
_FIXED = ("sweep", "extends", "lossfw")
_UNSAFE = re.compile(r"[^\w.+=,-]+", re.ASCII)


@dataclass(frozen=True)
class Variant:
    """One run of a configuration.

    Attributes
    ----------
    name : str
        Tells it from the others, fit for a folder: ``loss.delta=1e-07,seed=1``.
    overrides : tuple of str
        With these the configuration describes this run and no sweep.
    """

    name: str
    overrides: tuple[str, ...]


class Setting(NamedTuple):
    """A value that a run of a sweep has in some place of the configuration.

    Attributes
    ----------
    key : str
        The place as the file names it.
    path : tuple of str
        The place.
    value : Node
        The value.
    at : Position
        Where the key stands.
    written : tuple
        The path in the configuration to where the value stands.
    """

    key: str
    path: tuple[str, ...]
    value: Node
    at: Position
    written: tuple[str | int, ...]


class SweepRun(NamedTuple):
    """A run with what it was made of."""

    name: str
    settings: tuple[Setting, ...]
    parts: Parts


def expand(
    name: str, overrides: Sequence[str] = (), plugins: Plugins | None = None
) -> list[Variant]:
    """Return the runs that a configuration describes.

    Parameters
    ----------
    name : str
        The configuration file.
    overrides : sequence of str
        ``KEY=VALUE`` each, put in before anything is checked.
    plugins : Plugins, optional
        Which plugins may be used; all that are installed unless given.

    Returns
    -------
    list of Variant
        In the order of the file, the last key changing fastest. A
        configuration without a sweep is one run, named after the file, and is
        checked when its plan is made.

    Raises
    ------
    ConfigError
        All mistakes of the sweep and of all its runs, each with its place.
    """
    problems = Problems()
    root = read(name, overrides, problems)
    if root.find([KEY]) is None:
        return [Variant(Path(name).stem, tuple(overrides))]
    runs = expand_tree(root, plugins or Plugins(), problems)
    return [Variant(run.name, (*overrides, *_texts(run))) for run in runs]


def expand_tree(root: Node, plugins: Plugins, problems: Problems) -> list[SweepRun]:
    """Return the runs of a configuration that has been read; see `expand`.

    Parameters
    ----------
    root : Node
        The configuration, with a sweep.
    plugins : Plugins
        Which plugins may be used.
    problems : Problems
        Receives every mistake.
    """
    found = Problems()
    points = _points(root, found)
    problems.take(found)
    if found:
        raise problems.error()
    base = remove(root, [KEY])
    loaded: Loaded = {}
    runs: dict[str, SweepRun] = {}
    told: set[str] = set()
    for point in points:
        text = _told(point)
        if text in told:
            last = point[-1]
            problems.add(last.value.at, f"two runs are called {text}", "give each value once")
            continue
        told.add(text)
        name = _name(text, runs)
        parts = _checked(base, point, plugins, loaded, problems)
        if parts is not None:
            runs[name] = SweepRun(name, point, parts)
    problems.raise_if_any()
    return list(runs.values())


def _checked(
    base: Node, point: Sequence[Setting], plugins: Plugins, loaded: Loaded, problems: Problems
) -> Parts | None:
    """Return the parts of a run of which a plan can be made; None if something is wrong."""
    found = Problems()
    try:
        tree = base
        # A whole component comes before its parameters.
        for setting in sorted(point, key=lambda setting: len(setting.path)):
            tree = put(tree, setting.path, setting.value, setting.at)
        return build_tree(tree, plugins, found, loaded)[1]
    except NoPlaceError as error:
        found.add(setting.at, str(error), error.hint)
    except ConfigError:
        pass  # `found` holds what it says
    problems.take(found)
    return None


def _points(root: Node, problems: Problems) -> list[tuple[Setting, ...]]:
    """Return what each run sets."""
    node = root.value[KEY]
    try:
        section = SweepSection.model_validate(node.plain())
    except ValidationError as error:
        for item in error.errors(include_url=False):
            add_problem(problems, root, item, within=[KEY])
        return []
    grid, together = _axes(node, "grid", problems), _axes(node, "zip", problems)
    seeds = _seeds(node, section)
    if problems:
        return []
    _refuse_doubles([*grid, *together, *seeds], problems)
    if not (grid or together or seeds):
        hint = "for example: sweep: {grid: {loss.delta: [1e-7, 1e-5]}}"
        problems.add(root.locate([KEY], key=True), "sweep has none of grid, zip, seeds", hint)
        return []
    # Each factor is a list of alternatives, and each of them some settings.
    factors: list[list[tuple[Setting, ...]]] = [[(one,) for one in axis] for axis in grid]
    if together:
        factors.append(_zipped(together, problems))
    factors += [[(one,) for one in axis] for axis in seeds]
    many = math.prod(map(len, factors))
    if many > MAX_RUNS:
        what = f"the sweep has {many} runs, and at most {MAX_RUNS} are checked and run"
        problems.add(root.locate([KEY], key=True), what)
        return []
    return [tuple(itertools.chain(*point)) for point in itertools.product(*factors)]


def _axes(node: Node, key: str, problems: Problems) -> list[list[Setting]]:
    """Return the settings of each key of `grid` or `zip`."""
    inside = node.child(key)
    axes = []
    for name, values in (inside.value if inside is not None else {}).items():
        assert inside is not None
        path, at = split_path(name), inside.keys[name]
        if path is None:
            hint = "a dotted name, as for -o: loss.delta"
            problems.add(at, f"{name!r} is the name of no value", hint)
        elif path[0] in _FIXED:
            problems.add(at, f"{path[0]} is the same for all runs")
        else:
            axes.append(
                [
                    Setting(name, path, value, at, (KEY, key, name, index))
                    for index, value in enumerate(values.value)
                ]
            )
    return axes


def _seeds(node: Node, section: SweepSection) -> list[list[Setting]]:
    if section.seeds is None:
        return []
    given = node.value["seeds"]
    listed = given.value if isinstance(given.value, list) else None
    nodes = listed or [Node(seed, given.at) for seed in section.seeds]
    at, path = node.keys["seeds"], (KEY, "seeds")
    return [[Setting("seed", ("seed",), value, at, path) for value in nodes]]


def _refuse_doubles(axes: Sequence[Sequence[Setting]], problems: Problems) -> None:
    """Refuse a key that is given in two ways, and a value that is given twice."""
    seen: set[tuple[str, ...]] = set()
    for axis in axes:
        first = axis[0]
        if first.path in seen:
            problems.add(first.at, f"the sweep sets {first.key} twice")
        seen.add(first.path)


def _zipped(axes: Sequence[Sequence[Setting]], problems: Problems) -> list[tuple[Setting, ...]]:
    for axis in axes[1:]:
        if len(axis) != len(axes[0]):
            problems.add(
                axis[0].at,
                f"{axis[0].key} has {len(axis)} values and {axes[0][0].key} {len(axes[0])}: zip "
                "takes the first of each, then the second of each",
                "give all of them as many, or write grid for every combination",
            )
    return list(zip(*axes, strict=False))


def _told(point: Sequence[Setting]) -> str:
    """Return what a run sets, in one line."""
    return ",".join(f"{setting.key}={_short(setting.value.plain())}" for setting in point)


def _name(told: str, taken: Container[str]) -> str:
    """Return the name of a run: what it sets, as far as a folder's name can say it."""
    name = _UNSAFE.sub("_", told.replace('"', "")).strip("._")
    if len(name) <= MAX_RUN_NAME and name not in taken:
        return name
    ending = hashlib.sha256(told.encode()).hexdigest()[:8]
    return f"{name[: MAX_RUN_NAME - len(ending) - 1]}-{ending}"


def _short(value: Any) -> str:
    """Return a value in a run's name: a component by its name and parameters."""
    if isinstance(value, dict):
        rest = [f"{key}={_short(item)}" for key, item in value.items() if key != "name"]
        return "+".join([*filter(None, [str(value.get("name", ""))]), *rest])
    if isinstance(value, list):
        return "+".join(map(_short, value)) or "none"
    return value if isinstance(value, str) else flow(value)


def _texts(run: SweepRun) -> list[str]:
    """Return the overrides that make a configuration describe this run."""
    in_order = sorted(run.settings, key=lambda setting: len(setting.path))
    return [f"{KEY}-", *(f"{setting.key}={flow(_absolute(setting, run))}" for setting in in_order)]


def _absolute(setting: Setting, run: SweepRun) -> Any:
    """Return a value in which files have absolute names: an override stands in no folder."""
    value = setting.value
    for path, file in run.parts.files.items():
        steps = tuple(map(str, path))
        if steps[: len(setting.path)] == setting.path:
            rest = steps[len(setting.path) :]
            value = put(value, rest, Node(file, value.at), value.at)
    return value.plain()

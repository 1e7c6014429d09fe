"""Expand a ``sweep`` into its runs; all are checked before the first one starts."""

from __future__ import annotations

import hashlib
import itertools
import math
import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from pydantic import ValidationError

from lossfw.components.component import Component
from lossfw.config.plan.evaluation import Loaded, build_plan
from lossfw.config.schema.checked import CheckedConfig, require
from lossfw.config.schema.messages import add_problem
from lossfw.config.schema.section_types import MAX_RUNS
from lossfw.config.schema.sections import REPEAT, EvaluateSection, SweepSection
from lossfw.config.text.overrides import UnsettablePathError, remove_value, split_path, with_value
from lossfw.config.text.tree import Node, Position, Problems
from lossfw.config.text.writing import format_in_one_line
from lossfw.errors import ConfigError

KEY = "sweep"
# A run's name is that of a folder, and stands in tables.
MAX_RUN_NAME = 120
# A run may not change these: they were read before there were runs.
_FIXED = ("sweep", "extends", "lossfw")
_UNSAFE = re.compile(r"[^\w.+=,-]+", re.ASCII)


class Setting(NamedTuple):
    """A value that a run of a sweep sets in the configuration."""

    # The place as the file names it.
    key: str
    # The place.
    path: tuple[str, ...]
    value: Node
    # Where the key stands.
    at: Position
    # The path in the configuration to where the value stands.
    written: tuple[str | int, ...]

    @property
    def short_key(self) -> str:
        """The key in the name of a run; that of repeats is short."""
        return "repeat" if self.key == REPEAT else self.key


class SweepRun(NamedTuple):
    """One run of a configuration."""

    # Tells it from the others, fit for a folder: loss.delta=1e-07,seed=1.
    name: str
    # The configuration without the sweep and with the settings of this run, of which
    # nothing is checked yet.
    config: CheckedConfig
    # The values that the sweep sets.
    settings: tuple[Setting, ...] = ()
    # As in a `CheckedConfig`.
    files: Mapping[tuple[str | int, ...], str] = MappingProxyType({})
    made: Mapping[tuple[str | int, ...], Component] = MappingProxyType({})
    # That of its plan; empty for a training.
    digest: str = ""

    @property
    def overrides(self) -> Sequence[str]:
        """The overrides that turn the file into this one run."""
        return self.config.source.overrides


def expand(config: CheckedConfig, *, training: bool = False) -> list[SweepRun]:
    """Return the runs of a configuration in the order of the file; the last key changes fastest.

    A configuration without a sweep is one run, named after the file, and is checked when its plan
    is made.
    """
    if not config.has_value(KEY):
        return [SweepRun(Path(config.source.name).stem, config)]
    points = _points(config)
    base = remove_value(config.root, [KEY])
    loaded: Loaded = {}
    runs: dict[str, SweepRun] = {}
    told: set[str] = set()
    random = False
    for point in points:
        text = ",".join(
            f"{setting.short_key}={_short_text(setting.value.to_plain())}" for setting in point
        )
        if text in told:
            at = point[-1].value.at
            config.problems.add(at, f"two runs have the name {text}", "give each value once")
            continue
        told.add(text)
        name = _run_name(text, runs)
        run, draws = _try_run(config, name, base, point, None if training else loaded)
        random = random or draws
        if run is not None:
            runs[name] = run
    config.problems.raise_if_any()
    swept = {setting.path for setting in points[0]}
    # Weights that change with the seed were trained with it.
    if ("seed",) in swept and ("network", "weights") not in swept and not random:
        config.notes.append(
            "the sweep varies seed, but its runs draw no random numbers (no evaluate.sample and no "
            "bootstrap), so runs that differ only in the seed have the same results"
        )
    return list(runs.values())


def _try_run(
    config: CheckedConfig,
    name: str,
    base: Node,
    point: tuple[Setting, ...],
    cache: Loaded | None,
) -> tuple[SweepRun | None, bool]:
    """Return a run after its plan was made once, and whether the seed decides something in it.

    The run is None if something is wrong. Without `cache` it is a training.
    """
    problems, digest = Problems(), ""
    # A whole component comes before its parameters.
    in_order = sorted(point, key=lambda setting: len(setting.path))
    try:
        root = base
        for setting in in_order:
            root = with_value(root, setting.path, setting.value, setting.at)
        checked = CheckedConfig(config.source, root, problems)
        if cache is None:
            # Imported on use: an evaluation needs none of it.
            from lossfw.config.plan.folds import first_fold
            from lossfw.config.plan.training import training_of

            checked = first_fold(checked)
            training_of(checked)
        else:
            digest = build_plan(checked, cache).digest
    except UnsettablePathError as error:
        problems.add(setting.at, str(error), error.hint)
    except ConfigError:
        pass  # `problems` holds them
    else:
        settings = [
            f"{s.key}={format_in_one_line(_with_absolute_paths(s, checked))}" for s in in_order
        ]
        overrides = (*config.source.overrides, f"{KEY}-", *settings)
        # A new record: of a thousand runs the weights would fill the memory.
        fresh = CheckedConfig(replace(config.source, overrides=overrides), root)
        run = SweepRun(name, fresh, point, checked.files, checked.made, digest)
        # The weights of a training begin at random.
        return run, cache is None or _draws_random_numbers(require(checked.sections).evaluate)
    config.problems.extend(problems)
    return None, True


def _draws_random_numbers(evaluate: EvaluateSection) -> bool:
    """Tell whether an evaluation draws by the seed of the configuration."""
    sample, intervals = evaluate.sample, evaluate.intervals
    drawn = sample is not None and sample.seed is None
    bootstrap = intervals is not None and intervals.method == "bootstrap"
    return drawn or (bootstrap and intervals is not None and intervals.seed is None)


def _points(config: CheckedConfig) -> list[tuple[Setting, ...]]:
    """Return the settings of each run."""
    mistakes = Problems()
    points = _read_points(config.root, mistakes)
    config.problems.extend(mistakes)
    if mistakes:
        raise config.problems.error()
    return points


def _read_points(root: Node, problems: Problems) -> list[tuple[Setting, ...]]:
    node = root.value[KEY]
    try:
        section = SweepSection.model_validate(node.to_plain())
    except ValidationError as error:
        for item in error.errors(include_url=False):
            add_problem(problems, root, item, base_path=[KEY])
        return []
    grid, together = _axes(node, "grid", problems), _axes(node, "zip", problems)
    seeds = _seed_axes(node, section)
    if problems:
        return []
    _refuse_duplicates([*grid, *together, *seeds], problems)
    if not (grid or together or seeds):
        hint = "for example: sweep: {grid: {loss.delta: [1e-7, 1e-5]}}"
        problems.add(
            root.locate([KEY], key=True), "sweep needs at least one of grid, zip, seeds", hint
        )
        return []
    # Each factor is a list of alternatives, and each of them some settings.
    factors: list[list[tuple[Setting, ...]]] = [[(one,) for one in axis] for axis in grid]
    if together:
        factors.append(_zip_axes(together, problems))
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
            problems.add(at, f"{name!r} is not the name of a setting", hint)
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


def _seed_axes(node: Node, section: SweepSection) -> list[list[Setting]]:
    if section.seeds is None:
        return []
    given = node.value["seeds"]
    listed = given.value if isinstance(given.value, list) else None
    nodes = listed or [Node(seed, given.at) for seed in section.seeds]
    at, path = node.keys["seeds"], (KEY, "seeds")
    return [[Setting("seed", ("seed",), value, at, path) for value in nodes]]


def _refuse_duplicates(axes: Sequence[Sequence[Setting]], problems: Problems) -> None:
    """Refuse a key that is given in two ways, and a value that is given twice."""
    seen: set[tuple[str, ...]] = set()
    for axis in axes:
        first = axis[0]
        if first.path in seen:
            problems.add(first.at, f"the sweep sets {first.key} twice")
        seen.add(first.path)


def _zip_axes(axes: Sequence[Sequence[Setting]], problems: Problems) -> list[tuple[Setting, ...]]:
    for axis in axes[1:]:
        if len(axis) != len(axes[0]):
            problems.add(
                axis[0].at,
                f"{axis[0].key} has {len(axis)} values but {axes[0][0].key} {len(axes[0])}: zip "
                "pairs the first values, then the second values, and so on",
                "give all keys the same number of values, or write grid for every combination",
            )
    return list(zip(*axes, strict=False))


def _run_name(settings_text: str, used_names: Container[str]) -> str:
    """Return the name of a run: its settings, fit for the name of a folder."""
    name = _UNSAFE.sub("_", settings_text.replace('"', "")).strip("._")
    if len(name) <= MAX_RUN_NAME and name not in used_names:
        return name
    ending = hashlib.sha256(settings_text.encode()).hexdigest()[:8]
    return f"{name[: MAX_RUN_NAME - len(ending) - 1]}-{ending}"


def _short_text(value: Any) -> str:
    """Return a value in a run's name: a component by its name and parameters."""
    if isinstance(value, dict):
        rest = [f"{key}={_short_text(item)}" for key, item in value.items() if key != "name"]
        return "+".join([*filter(None, [str(value.get("name", ""))]), *rest])
    if isinstance(value, list):
        return "+".join(map(_short_text, value)) or "none"
    return value if isinstance(value, str) else format_in_one_line(value)


def _with_absolute_paths(setting: Setting, checked: CheckedConfig) -> Any:
    """Return a value in which files have absolute names: an override stands in no folder."""
    value = setting.value
    for path, file in checked.files.items():
        steps = tuple(map(str, path))
        if steps[: len(setting.path)] == setting.path:
            rest = steps[len(setting.path) :]
            value = with_value(value, rest, Node(file, value.at), value.at)
    return value.to_plain()

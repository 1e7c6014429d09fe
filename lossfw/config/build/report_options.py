"""What an evaluation is asked for besides the numbers of all rows: sample, intervals, slices."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from lossfw.config.schema.check_sections import slice_section
from lossfw.config.schema.messages import split_hint
from lossfw.config.schema.sections import MAX_ITEMS, Skeleton
from lossfw.config.text.tree import Node, Problems
from lossfw.data import Dataset
from lossfw.errors import ParameterError
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.slices import Slice


class Asked(NamedTuple):
    """What the section `evaluate` asks for, as objects.

    Attributes
    ----------
    sample : tuple of int or None
        The numbers of the rows that were drawn.
    intervals : Intervals or None
        How sure the numbers are to be.
    slices : tuple of Slice
        Parts of the rows.
    """

    sample: tuple[int, ...] | None = None
    intervals: Intervals | None = None
    slices: tuple[Slice, ...] = ()

    def described(self) -> dict[str, Any]:
        """Return what decides numbers, for a digest; nothing where nothing is asked for."""
        found: dict[str, Any] = {}
        if self.intervals is not None:
            found["intervals"] = self.intervals.to_dict()
        if self.slices:
            found["slices"] = [[s.name, s.by, list(s.bins)] for s in self.slices]
        return found


def asked(
    root: Node, skeleton: Skeleton | None, data: Dataset | None, problems: Problems
) -> Asked | None:
    """Return what is asked for; None where the sections or the data are not known.

    Parameters
    ----------
    root : Node
        The configuration, for positions.
    skeleton : Skeleton or None
        Its sections.
    data : Dataset or None
        The rows.
    problems : Problems
        Receives what cannot be had.
    """
    slices = _slices(root, problems)
    if skeleton is None or data is None:
        return None
    sample = _draw(skeleton, len(data), root, problems)
    return Asked(sample, _intervals(skeleton), slices)


def _intervals(skeleton: Skeleton) -> Intervals | None:
    section = skeleton.evaluate.intervals
    if section is None:
        return None
    seed = skeleton.seed if section.seed is None else section.seed
    return Intervals(section.level, section.method, section.replicates, seed)


def _slices(root: Node, problems: Problems) -> tuple[Slice, ...]:
    """Return the slices, those that are right where others are not."""
    node = root.find(["evaluate", "slices"])
    items = node.value if node is not None and isinstance(node.value, list) else []
    made: dict[str, Slice] = {}
    for index, item in enumerate(items[:MAX_ITEMS]):
        section = slice_section(item)
        if section is None:
            continue
        place: list[str | int] = ["evaluate", "slices", index]
        if section.name in made:
            what = f"two slices are called {section.name!r}"
            problems.add(root.locate([*place, "name"]), what, "give each a name of its own")
            continue
        try:
            made[section.name] = Slice(section.name, section.by, tuple(section.bins))
        except ParameterError as error:
            what, hint = split_hint(str(error).removesuffix("."))
            # It begins with the parameter that it is about.
            problems.add(root.locate([*place, what.partition(" ")[0]]), what, hint)
    return tuple(made.values())


def _draw(skeleton: Skeleton, rows: int, root: Node, problems: Problems) -> tuple[int, ...] | None:
    """Draw the rows of a sample, from a generator of its own."""
    sample = skeleton.evaluate.sample
    if sample is None:
        return None
    if sample.count > rows and not sample.replace:
        problems.add(
            root.locate(["evaluate", "sample", "count"]),
            f"{sample.count} rows cannot be drawn from {rows} without drawing one twice",
            f"write replace: true, or a count of at most {rows}",
        )
        return None
    seed = skeleton.seed if sample.seed is None else sample.seed
    drawn = np.random.default_rng(seed).choice(rows, sample.count, replace=sample.replace)
    return tuple(drawn.tolist())

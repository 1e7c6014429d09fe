"""What is wrong with a configuration, and how many runs it describes if nothing is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lossfw.components.plugin_choice import Plugins
from lossfw.config.schema.checked import read
from lossfw.config.text.tree import Node, Problems
from lossfw.errors import ConfigError, Problem


@dataclass(frozen=True)
class Verdict:
    """What was found in a configuration.

    Attributes
    ----------
    file : str
        The configuration.
    problems : tuple of Problem
        Everything that is wrong, in the order of the file.
    runs : int
        How many runs it describes; 0 where something is wrong.
    """

    file: str
    problems: tuple[Problem, ...] = ()
    runs: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict for an editor: plain texts and numbers."""
        return {
            "file": self.file,
            "valid": not self.problems,
            "runs": self.runs,
            "problems": [
                {
                    # An override, which stands in no file, has its own address.
                    "file": problem.file or None,
                    "line": problem.line or None,
                    "column": problem.character or None,
                    "where": problem.where,
                    "message": problem.what,
                    "hint": problem.hint or None,
                }
                for problem in self.problems
            ],
        }


def validate(name: str, overrides: Sequence[str] = (), plugins: Plugins | None = None) -> Verdict:
    """Return what is wrong with a configuration, as far as it shows without computing.

    A configuration with a section `train` and no weights is one to train;
    with weights it is one to evaluate as well, and both are looked at. Of a
    sweep every run is.

    Parameters
    ----------
    name : str
        The configuration file.
    overrides : sequence of str
        ``KEY=VALUE`` each.
    plugins : Plugins, optional
        Which plugins may be used; all that are installed unless given.
    """
    problems = Problems()
    try:
        root = read(name, overrides, problems)
        runs = _runs(root, plugins or Plugins(), problems)
    except ConfigError as error:
        return Verdict(name, error.problems)
    return Verdict(name, runs=runs)


def _runs(root: Node, plugins: Plugins, problems: Problems) -> int:
    trains = root.find(["train"]) is not None
    weights = root.find(["network", "weights"]) is not None
    # A training is one run, and says so of a sweep.
    if root.find(["sweep"]) is not None and (weights or not trains):
        from lossfw.config.build.sweep import expand_tree

        return len(expand_tree(root, plugins, problems))
    if trains:
        from lossfw.config.build.training import build_training_tree

        found = Problems()
        found.take(problems)
        try:
            build_training_tree(root, plugins, found)
        except ConfigError:
            problems.take(found)
    if weights or not trains:
        from lossfw.config.build.evaluation import build_tree

        plan, parts = build_tree(root, plugins, problems)
        section = parts.skeleton and parts.skeleton.sensitivity
        # What moves may still be named on the command line.
        if section and (section.parameter or section.directions):
            from lossfw.config.build.sensitivity import check_study

            check_study(section, plan, parts)
    problems.raise_if_any()
    return 1

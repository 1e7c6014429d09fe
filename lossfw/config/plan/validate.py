"""Validate a configuration: all its mistakes, or the number of its runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lossfw.config.schema.checked import CheckedConfig, read_config
from lossfw.config.text.source import ConfigSource
from lossfw.config.text.tree import Problems
from lossfw.errors import ConfigError, Problem


@dataclass(frozen=True)
class ValidationResult:
    """The result of validating a configuration."""

    file: str
    # Everything that is wrong, in the order of the file.
    problems: tuple[Problem, ...] = ()
    # What was not checked, because it would execute code of a file.
    unchecked: tuple[Problem, ...] = ()
    # How many runs it describes; 0 where something is wrong.
    runs: int = 0
    # Not mistakes, and still not what the user expects.
    notes: tuple[str, ...] = ()
    # The inputs in words; empty where there are none, and for a sweep.
    inputs: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict for an editor, as plain strings and numbers."""
        return {
            "file": self.file,
            # Not known, where a part was not checked.
            "valid": None if self.unchecked and not self.problems else not self.problems,
            "runs": self.runs,
            "inputs": self.inputs or None,
            "problems": list(map(_problem_to_dict, self.problems)),
            "unchecked": list(map(_problem_to_dict, self.unchecked)),
        }


def _problem_to_dict(problem: Problem) -> dict[str, Any]:
    return {
        # An override, which stands in no file, has its own address.
        "file": problem.file or None,
        "line": problem.line or None,
        "column": problem.character or None,
        "where": problem.where,
        "message": problem.message,
        "hint": problem.hint or None,
    }


def validate(source: ConfigSource) -> ValidationResult:
    """Return the mistakes of a configuration that show without computing.

    A configuration with a section `train` and no trained model is one to
    train; with weights or the file of a model it is checked as one to evaluate as well.
    Every run of a sweep is checked.
    """
    try:
        config = read_config(source)
        runs = _count_runs(config)
        inputs = "" if config.data is None else config.data.inputs_text
        return ValidationResult(source.name, runs=runs, notes=tuple(config.notes), inputs=inputs)
    except ConfigError as error:
        wrong = tuple(problem for problem in error.problems if not problem.unchecked)
        unchecked = tuple(problem for problem in error.problems if problem.unchecked)
        return ValidationResult(source.name, wrong, unchecked)


def _count_runs(config: CheckedConfig) -> int:
    trains, has_trained_model = config.has_value("train"), config.has_trained_model
    if trains and not has_trained_model and config.has_value("train", "hold_out", "repeats"):
        from lossfw.config.plan.folds import with_repeats

        config = with_repeats(config)
    if config.has_value("sweep"):
        from lossfw.config.plan.folds import count_folds
        from lossfw.config.plan.sweep import expand

        is_training = trains and not has_trained_model
        runs = expand(config, training=is_training)
        return sum((is_training and count_folds(run.config)) or 1 for run in runs)
    if trains:
        from lossfw.config.plan.folds import count_folds, first_fold
        from lossfw.config.plan.training import training_of

        problems = Problems()
        problems.extend(config.problems)
        trained = first_fold(CheckedConfig(config.source, config.root, problems))
        try:
            training_of(trained)
            config.notes += trained.notes
            config.data = trained.data
        except ConfigError:
            config.problems.extend(problems)
    if has_trained_model or not trains:
        from lossfw.config.plan.evaluation import build_plan

        build_plan(config)
        section = config.sections and config.sections.sensitivity
        # The parameter that moves may still be named on the command line.
        if section and section.parameter:
            from lossfw.config.plan.sensitivity import resolve_study

            resolve_study(config, section)
    config.problems.raise_if_any()
    return (trains and count_folds(config)) or 1

"""The exceptions of lossfw, in one tree.

::

    LossfwError
    ├── ParameterError         a parameter of a component is missing, unknown or out of bounds
    ├── ArgumentError          an argument of a call cannot be used
    │   ├── ShapeError         shapes that do not fit
    │   ├── DtypeError         a dtype that is not supported
    │   ├── DomainError        a value outside the declared space
    │   └── EmptyReductionError  no element is left to average
    ├── UnknownNameError       no component or plugin has this name
    ├── PluginError            a plugin cannot be used
    │   ├── BrokenPluginError        it cannot be imported, or its hooks are wrong
    │   ├── DisabledPluginError      the user has disabled it
    │   ├── DuplicateNameError       two plugins offer the same name
    │   └── IncompatiblePluginError  it was written for another version of the hooks
    ├── ConfigError            mistakes in a configuration, each with its address
    ├── DataError              a file of data, weights or predictions cannot be used
    ├── TraceError             a body cannot be run on expressions
    ├── BodyError              a body writes to its arguments
    ├── MissingExtraError      an optional library is not installed
    └── RunError               a valid run failed
        ├── DivergenceError    a training diverged
        └── OutputError        a result could not be written

A message names the given value, the expected one, the place and the remedy. The classes
also derive from the built-in exception that a user of NumPy expects, so
``except ValueError`` works.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

__all__ = [
    "ArgumentError",
    "BodyError",
    "BrokenPluginError",
    "CheckNote",
    "ConfigError",
    "DataError",
    "DisabledPluginError",
    "DivergenceError",
    "DomainError",
    "DtypeError",
    "DuplicateNameError",
    "EmptyReductionError",
    "HarnessError",
    "IncompatiblePluginError",
    "LossfwError",
    "MissingExtraError",
    "OutputError",
    "ParameterError",
    "PluginError",
    "Problem",
    "RunError",
    "ShapeError",
    "TraceError",
    "UnknownNameError",
]


class LossfwError(Exception):
    """Base of all errors of lossfw.

    Attributes
    ----------
    exit_code : int
        The exit code of the command line: 2 if the user's input is wrong, 1 if a
        valid run failed.
    """

    exit_code: ClassVar[int] = 2


class ParameterError(LossfwError, ValueError):
    """A parameter of a component is missing, unknown or out of bounds."""


class ArgumentError(LossfwError):
    """An argument of a call cannot be used."""


class ShapeError(ArgumentError, ValueError):
    """Shapes that do not fit each other."""


class DtypeError(ArgumentError, TypeError):
    """A dtype that is not supported."""


class DomainError(ArgumentError, ValueError):
    """A value outside the declared space."""


class EmptyReductionError(ArgumentError, ValueError):
    """No element is left to average."""


class UnknownNameError(LossfwError, LookupError):
    """No component or plugin has this name."""


class PluginError(LossfwError):
    """A plugin cannot be used."""


class BrokenPluginError(PluginError):
    """A plugin cannot be imported, or its hooks are wrong."""


class DisabledPluginError(PluginError):
    """The plugin that offers this name is disabled."""


class DuplicateNameError(PluginError):
    """Two plugins offer the same name."""


class IncompatiblePluginError(PluginError):
    """A plugin was written for another version of the hooks."""


@dataclass(frozen=True)
class Problem:
    """One mistake in a configuration.

    Attributes
    ----------
    where : str
        ``file:line:col``, or ``-o key=value`` for an override.
    message : str
        The mistake, with the given value and the expected one.
    source : str
        The source line, or empty.
    column : int
        The column of the caret in `source`, counted from 1; 0 for no caret.
    hint : str
        The cure, or empty.
    file : str
        The file of the mistake; empty for an override.
    line, character : int
        The place in the file, counted from 1; 0 for an override.
    unchecked : bool
        Whether it is not a mistake, and the reason why a part was not checked.
    """

    where: str
    message: str
    source: str = ""
    column: int = 0
    hint: str = ""
    file: str = ""
    line: int = 0
    character: int = 0
    unchecked: bool = False

    def __str__(self) -> str:
        return self.text("error")

    def text(self, label: str) -> str:
        """Return the lines for a reader; `label` says what it is."""
        lines = [f"{self.where}: {label}: {self.message}"]
        if self.source:
            lines.append(f"  {self.source}")
            if self.column:
                # Tabs stay tabs, so that the caret stands under its character.
                lead = "".join(c if c == "\t" else " " for c in self.source[: self.column - 1])
                lines.append(f"  {lead}^")
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)


class ConfigError(LossfwError, ValueError):
    """All mistakes in a configuration, in file order.

    Parameters
    ----------
    problems : sequence of Problem
        At least one.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class DataError(LossfwError, ValueError):
    """A file of data, weights or predictions cannot be used."""


class TraceError(LossfwError):
    """A body cannot be run on expressions: it has no formula, and no compiled form."""


class BodyError(LossfwError, ValueError):
    """A function of a component writes to its arguments."""


class HarnessError(LossfwError, RuntimeError):
    """A check that could not run because of a mistake in the harness, not in the component."""


class CheckNote(UserWarning):
    """A finding, such as lost digits, that fails a check only with ``--strict``."""


class MissingExtraError(LossfwError, ImportError):
    """An optional library is not installed."""


class RunError(LossfwError):
    """A valid run failed."""

    exit_code: ClassVar[int] = 1


class DivergenceError(RunError, ArithmeticError):
    """A training diverged: a loss or a weight is not finite, or has exploded."""


class OutputError(RunError, OSError):
    """A result could not be written."""

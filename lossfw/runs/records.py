"""Records: a request for a run, and the run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from lossfw.config.schema.checked import CheckedConfig
from lossfw.evaluation.plan import Plan

if TYPE_CHECKING:
    # An evaluation starts without them.
    from lossfw.models.training.records import Training

# Called with each warning, as soon as there is one.
Warn: TypeAlias = Callable[[str], None]


@dataclass(frozen=True)
class RunRequest:
    """A request for a run or a training; its plan is made when the run starts."""

    config: CheckedConfig
    # By default that of the file.
    name: str = ""
    folder: Path | None = None
    resume: bool = False
    trains: bool = False
    # Empty for this process; by default the one that the configuration names, if it does.
    cluster: str | None = None
    # That of its plan, where it was made before; by it a run that is done is recognised.
    digest: str = ""

    @property
    def shown_name(self) -> str:
        """The name of the run, or the file name without suffix."""
        return self.name or Path(self.config.source.name).stem

    @property
    def overrides(self) -> tuple[str, ...]:
        """The overrides of its configuration."""
        return tuple(self.config.source.overrides)

    @property
    def scheduler(self) -> str | None:
        """The cluster that computes it; None for this process."""
        if self.cluster is not None:
            return self.cluster or None
        node = self.config.root.find(["run", "cluster"])
        return node.value if node is not None and isinstance(node.value, str) else None

    @property
    def rows_file(self) -> str | None:
        """The name of the file of rows that the run writes, or None."""
        node = self.config.root.find(["evaluate", "save_rows"])
        form = None if node is None else node.value
        return None if not form else f"results.{'jsonl' if form is True else form}"


@dataclass(frozen=True)
class RunOutcome:
    """The outcome of one of several runs."""

    request: RunRequest
    # The content of metrics.json or training.json; None for a run that failed.
    result: dict[str, Any] | None
    error: str = ""
    seconds: float = 0.0
    # Whether the result is that of an earlier run, and was not computed now.
    before: bool = False
    # Warnings about plugins, and texts that plugins add to the report.
    notes: str = ""
    texts: tuple[str, ...] = ()
    # Those of the result.
    warnings: tuple[str, ...] = ()
    # Whether the loss is NaN, and the configuration does not accept that.
    nan: bool = False

    @property
    def status(self) -> str:
        """``"done"`` or ``"failed"``."""
        return "failed" if self.result is None else "done"


@dataclass(frozen=True, eq=False)
class _DescribedRun:
    """What the hooks of plugins see of a run or a training."""

    name: str
    config: str
    overrides: tuple[str, ...]
    folder: Path | None
    seed: int


@dataclass(frozen=True, eq=False)
class Run(_DescribedRun):
    """A run, as the hooks of plugins see it.

    Attributes
    ----------
    name : str
        The configuration's file name without suffix, or in a sweep the settings that identify it,
        such as ``loss.delta=1e-07``.
    config : str
        The configuration file, as it was given.
    overrides : tuple of str
        ``KEY=VALUE`` each, including those of the sweep.
    folder : Path or None
        The folder of its files; None for a run that only shows its numbers.
    seed : int
        The seed of the configuration.
    plan : Plan
        Data, network, loss and metrics of the evaluation, and its digest.
    """

    plan: Plan


@dataclass(frozen=True, eq=False)
class TrainingRun(_DescribedRun):
    """A training, as the hooks of plugins see it; the other attributes are those of a `Run`.

    Attributes
    ----------
    training : Training
        Data, model, loss and the other settings, and its digest; for layers also `network`
        and `optimizer`.
    """

    training: Training

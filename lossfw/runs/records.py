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
    from lossfw.nn.training.records import Training

# Called with each warning, as soon as there is one.
Warn: TypeAlias = Callable[[str], None]


@dataclass(frozen=True)
class RunRequest:
    """A request for a run.

    Attributes
    ----------
    config : CheckedConfig
        A configuration that has been read; its plan is made when the run begins.
    name : str
        The name of the run; by default that of the file.
    folder : Path or None
        The folder of its files, or None.
    resume : bool
        Resume the run in the folder.
    trains : bool
        Whether it is a training, and not an evaluation.
    cluster : str or None
        The cluster that computes it; see `lossfw.scale.cluster.connected`. Empty for this
        process; by default the one that the configuration names, if it does.
    digest : str
        That of its plan, where it was made before; a run that is done is told by it.
    """

    config: CheckedConfig
    name: str = ""
    folder: Path | None = None
    resume: bool = False
    trains: bool = False
    cluster: str | None = None
    digest: str = ""

    @property
    def shown_name(self) -> str:
        """The name of the run, or that of its file without the ending."""
        return self.name or Path(self.config.source.name).stem

    @property
    def overrides(self) -> tuple[str, ...]:
        """The overrides of its configuration."""
        return tuple(self.config.source.overrides)

    @property
    def scheduler(self) -> str | None:
        """The cluster that computes it, None for this process."""
        if self.cluster is not None:
            return self.cluster or None
        node = self.config.root.find(["run", "cluster"])
        return node.value if node is not None and isinstance(node.value, str) else None

    @property
    def rows_file(self) -> str | None:
        """The name of the file of rows that the run writes, None for none."""
        node = self.config.root.find(["evaluate", "rows"])
        form = None if node is None else node.value
        return None if not form else f"results.{'jsonl' if form is True else form}"


@dataclass(frozen=True)
class RunOutcome:
    """The outcome of one of several runs.

    Attributes
    ----------
    request : RunRequest
        The request for it.
    result : mapping or None
        The content of ``metrics.json``; None for a run that failed.
    error : str
        Why it failed; empty if it did not.
    seconds : float
        Its duration.
    before : bool
        Whether the result is that of an earlier run, and was not computed now.
    notes : str
        Warnings about plugins.
    texts : tuple of str
        Texts that plugins add to its report.
    warnings : tuple of str
        Those of its result.
    nan : bool
        Whether its loss is NaN, and its configuration does not accept that.
    """

    request: RunRequest
    result: dict[str, Any] | None
    error: str = ""
    seconds: float = 0.0
    before: bool = False
    notes: str = ""
    texts: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    nan: bool = False

    @property
    def status(self) -> str:
        """``"done"`` or ``"failed"``."""
        return "failed" if self.result is None else "done"


@dataclass(frozen=True, eq=False)
class Run:
    """A run, as the hooks of plugins see it.

    Attributes
    ----------
    name : str
        The configuration's file name without its ending, or in a sweep the
        settings that tell it from the others, such as ``loss.delta=1e-07``.
    config : str
        The configuration file, as it was given.
    overrides : tuple of str
        ``KEY=VALUE`` each, those of the sweep among them.
    folder : Path or None
        The folder of its files; None for a run that only shows its numbers.
    seed : int
        The seed of the configuration.
    plan : Plan
        Data, network, loss and metrics of the evaluation, and its digest.
    """

    name: str
    config: str
    overrides: tuple[str, ...]
    folder: Path | None
    seed: int
    plan: Plan


@dataclass(frozen=True, eq=False)
class TrainingRun:
    """A training, as the hooks of plugins see it.

    Attributes
    ----------
    name, config : str
        As in a `Run`.
    overrides : tuple of str
        As in a `Run`.
    folder : Path or None
        The folder of its files; None for a training that keeps nothing.
    seed : int
        The seed of the configuration.
    training : Training
        Data, network, loss, optimizer and the other settings, and its digest.
    """

    name: str
    config: str
    overrides: tuple[str, ...]
    folder: Path | None
    seed: int
    training: Training

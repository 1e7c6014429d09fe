"""Records: a request for a run, and the run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

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
    """

    config: CheckedConfig
    name: str = ""
    folder: Path | None = None
    resume: bool = False
    trains: bool = False
    cluster: str | None = None


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

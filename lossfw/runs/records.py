"""Order and run: what is to be run, and what is run, from where and into which folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from lossfw.components.plugin_choice import Plugins
from lossfw.evaluation.plan import Plan

# Called with each warning, as soon as there is one.
Warn: TypeAlias = Callable[[str], None]


@dataclass(frozen=True)
class RunRequest:
    """What is to be run.

    Attributes
    ----------
    config : str
        The configuration file.
    overrides : tuple of str
        ``KEY=VALUE`` each.
    plugins : Plugins
        Which plugins may be used.
    name : str
        What the run is called; after the file unless given.
    folder : Path or None
        Where its files go; None for nowhere.
    resume : bool
        Go on with what is in the folder.
    """

    config: str
    overrides: tuple[str, ...] = ()
    plugins: Plugins = field(default_factory=Plugins)
    name: str = ""
    folder: Path | None = None
    resume: bool = False


@dataclass(frozen=True, eq=False)
class Run:
    """A run, as the hooks of plugins see it.

    Attributes
    ----------
    name : str
        What it is called: the configuration's file name without its ending, or
        in a sweep what tells it from the others, such as ``loss.delta=1e-07``.
    config : str
        The configuration file, as it was given.
    overrides : tuple of str
        ``KEY=VALUE`` each, those of the sweep among them.
    folder : Path or None
        Where its files go; None for a run that only shows its numbers.
    seed : int
        That of the configuration.
    plan : Plan
        What is evaluated: data, network, loss and metrics, and its digest.
    """

    name: str
    config: str
    overrides: tuple[str, ...]
    folder: Path | None
    seed: int
    plan: Plan

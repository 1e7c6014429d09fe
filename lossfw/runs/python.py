"""Run, train and compare from Python: what the command line does, with results to go on with."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from lossfw.components.plugin_choice import Plugins
from lossfw.config.schema.checked import read_config
from lossfw.config.text.source import ConfigSource
from lossfw.errors import ArgumentError, RunError
from lossfw.runs.records import RunRequest

if TYPE_CHECKING:
    from lossfw.evaluation.result import Result
    from lossfw.nn.training.records import Trained
    from lossfw.runs.compare import Comparison

PathLike: TypeAlias = "str | os.PathLike[str]"


def run(
    config: PathLike,
    *,
    overrides: Sequence[str] = (),
    out: PathLike | None = None,
    resume: bool = False,
    plugins: Sequence[PathLike] = (),
) -> Result:
    """See `lossfw.run`."""
    from lossfw.runs.execute import carry_out

    outcome = carry_out(_request(config, overrides, out, resume, plugins), warn=_warn)
    if outcome.failure is not None:
        raise outcome.failure
    return outcome.result


def train(
    config: PathLike,
    *,
    overrides: Sequence[str] = (),
    out: PathLike | None = None,
    resume: bool = False,
    plugins: Sequence[PathLike] = (),
) -> Trained:
    """See `lossfw.train`."""
    from lossfw.runs.trainings import carry_out_training, prepare_training

    request = _request(config, overrides, out, resume, plugins)
    return carry_out_training(request, prepare_training(request), warn=_warn).trained


def compare(*folders: PathLike, side_by_side: bool = False) -> Comparison:
    """See `lossfw.compare`."""
    from lossfw.runs.compare import compare as compared
    from lossfw.runs.compare import find_runs

    runs, left_out = find_runs([Path(folder) for folder in folders], Plugins())
    for told in left_out:
        _warn(told)
    if not runs:
        raise RunError("no run in these folders is done, so there is nothing to compare.")
    return compared(runs, side_by_side=side_by_side)


def _request(
    config: PathLike,
    overrides: Sequence[str],
    out: PathLike | None,
    resume: bool,
    plugins: Sequence[PathLike],
) -> RunRequest:
    if isinstance(overrides, str):
        raise ArgumentError(f"overrides is a list of texts: overrides=[{overrides!r}].")
    if resume and out is None:
        raise ArgumentError("resume=True goes on with the run in a folder: give out too.")
    local = tuple(os.fspath(plugin) for plugin in plugins)
    source = ConfigSource(os.fspath(config), tuple(overrides), Plugins(local))
    return RunRequest(read_config(source), folder=None if out is None else Path(out), resume=resume)


def _warn(text: str) -> None:
    warnings.warn(text, RuntimeWarning, stacklevel=2)

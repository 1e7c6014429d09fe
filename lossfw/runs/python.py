"""Run, train and compare from Python, as the command line does, with results as objects."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from lossfw.components.plugin_choice import Plugins
from lossfw.config.schema.checked import read_config
from lossfw.config.text.source import ConfigSource
from lossfw.errors import ArgumentError, LossfwError
from lossfw.runs.records import RunRequest
from lossfw.runs.sweep_results import SweepResults

if TYPE_CHECKING:
    from lossfw.evaluation.result import Result
    from lossfw.nn.training.records import Trained
    from lossfw.runs.compare import Comparison, TrainingComparison

PathLike: TypeAlias = "str | os.PathLike[str]"
_R = TypeVar("_R")


def run(
    config: PathLike,
    *,
    overrides: Sequence[str] = (),
    out: PathLike | None = None,
    resume: bool = False,
    plugins: Sequence[PathLike] = (),
) -> Result:
    """See `lossfw.run`."""
    return _run(_request(config, overrides, out, resume, plugins))


def train(
    config: PathLike,
    *,
    overrides: Sequence[str] = (),
    out: PathLike | None = None,
    resume: bool = False,
    plugins: Sequence[PathLike] = (),
) -> Trained:
    """See `lossfw.train`."""
    return _train(_request(config, overrides, out, resume, plugins))


def run_all(
    config: PathLike,
    *,
    overrides: Sequence[str] = (),
    out: PathLike | None = None,
    resume: bool = False,
    plugins: Sequence[PathLike] = (),
) -> SweepResults[Result]:
    """See `lossfw.run_all`."""
    return _all(_request(config, overrides, out, resume, plugins), _run)


def train_all(
    config: PathLike,
    *,
    overrides: Sequence[str] = (),
    out: PathLike | None = None,
    resume: bool = False,
    plugins: Sequence[PathLike] = (),
) -> SweepResults[Trained]:
    """See `lossfw.train_all`."""
    return _all(_request(config, overrides, out, resume, plugins), _train, trains=True)


def _run(request: RunRequest) -> Result:
    from lossfw.runs.execute import carry_out

    outcome = carry_out(request, warn=_warn)
    if outcome.failure is not None:
        raise outcome.failure
    return outcome.result


def _train(request: RunRequest) -> Trained:
    from lossfw.runs.trainings import carry_out_training, prepare_training

    return carry_out_training(request, prepare_training(request), warn=_warn).trained


def _all(
    request: RunRequest, one: Callable[[RunRequest], _R], *, trains: bool = False
) -> SweepResults[_R]:
    """Carry out each run of a configuration; one that fails does not stop the others."""
    from lossfw.config.build.resolved import resolved
    from lossfw.runs.compare.settings import flat
    from lossfw.runs.parallel_runs import requests_of

    requests = requests_of([request.config], request.folder, resume=request.resume, trains=trains)
    results: dict[str, _R] = {}
    settings: dict[str, Mapping[str, Any]] = {}
    failures: dict[str, LossfwError] = {}
    for each in requests:
        try:
            results[each.name] = one(each)
            settings[each.name] = flat(resolved(each.config).root.plain())
        except LossfwError as error:
            failures[each.name] = error
            _warn(f"{each.name} failed: {error}")
    if not results:
        raise next(iter(failures.values()))
    return SweepResults(results, settings, failures)


def compare(*folders: PathLike, side_by_side: bool = False) -> Comparison | TrainingComparison:
    """See `lossfw.compare`."""
    from lossfw.runs.compare import compare_folders

    comparison, left_out = compare_folders(
        [Path(folder) for folder in folders], Plugins(), side_by_side=side_by_side
    )
    for told in left_out:
        _warn(told)
    return comparison


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

"""Run, train and compare from Python, as the command line does, with results as objects."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from lossfw.components.plugin_choice import Plugins
from lossfw.config.schema.checked import read_config
from lossfw.config.text.source import ConfigSource
from lossfw.errors import ArgumentError, LossfwError
from lossfw.runs.files import check_folder
from lossfw.runs.records import RunRequest
from lossfw.runs.sweep_results import SweepResults
from lossfw.temporary import temporary_folder

if TYPE_CHECKING:
    from lossfw.evaluation.plan import Plan
    from lossfw.evaluation.result import Result
    from lossfw.losses.loss import Loss
    from lossfw.metrics import Metric
    from lossfw.models.training.records import TrainingResult
    from lossfw.runs.compare import Comparison

PathLike: TypeAlias = "str | os.PathLike[str]"
# The name of a YAML file, or a mapping with the same keys.
ConfigLike: TypeAlias = "PathLike | Mapping[str, Any]"
_R = TypeVar("_R")


def run(
    config: ConfigLike,
    *,
    overrides: Sequence[str] = (),
    out: PathLike | None = None,
    resume: bool = False,
    plugins: Sequence[PathLike] = (),
) -> Result:
    """Evaluate a configuration, as ``lossfw run`` does.

    Parameters
    ----------
    config : path or mapping
        A configuration of one run: the name of a YAML file, or a mapping with the same keys; or the
        folder of a training, whose model is evaluated on its data. In a mapping, ``data`` may have
        arrays as `inputs`, `targets` and `sample_weight`, or as `file` a data frame or a mapping of
        arrays; ``network`` may have arrays as `predictions` or `logits`, or a mapping of arrays as
        `weights`; and a component object can be given instead of its name.
    overrides : sequence of str
        ``"loss.delta=1e-6"`` each, as for ``-o``.
    out : path, optional
        The folder of the run; without it nothing is written. Arrays of a mapping are
        written to files in it.
    resume : bool
        Continue an interrupted run in the folder.
    plugins : sequence of path
        Files with components, in addition to those that the configuration names.

    Returns
    -------
    Result
        With `loss`, `metrics` by name, `count`, `warnings` and `to_dict`; a notebook
        shows it as a table. A loss of NaN does not raise an error, but gives a warning.

    Raises
    ------
    ConfigError
        All mistakes of the configuration, each with its place.
    LossfwError
        If the run fails.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "run.yaml"
    >>> _ = file.write_text('''
    ... lossfw: 1
    ... data: {name: inline, targets: [0.0, 1.0]}
    ... network: {predictions: [0.5, 1.0]}
    ... loss: squared_error
    ... ''')
    >>> run(file, overrides=["loss.factor=0.5"]).loss
    0.0625

    >>> import numpy as np
    >>> data = {"targets": np.array([0.0, 1.0])}
    >>> network = {"predictions": np.array([0.5, 1.0])}
    >>> run({"data": data, "network": network, "loss": "squared_error"}).loss
    0.125
    """
    return _run(_make_request(*_as_evaluation(config, overrides), out, resume, plugins))


def train(
    config: ConfigLike,
    *,
    overrides: Sequence[str] = (),
    out: PathLike | None = None,
    resume: bool = False,
    plugins: Sequence[PathLike] = (),
) -> TrainingResult:
    """Train the model of a configuration, as ``lossfw train`` does.

    For parameters and errors see `run`.

    Returns
    -------
    TrainingResult
        With `predict`, which makes predictions of inputs, `predictor`, `content`, the bytes of
        the model's file, `history`, `kept_epoch` and `to_dict`; of layers also with `network`,
        and `weights`, which a run of a mapping takes. A notebook shows its learning curve.
    """
    return _train(_make_request(config, overrides, out, resume, plugins))


def run_all(
    config: ConfigLike,
    *,
    overrides: Sequence[str] = (),
    out: PathLike | None = None,
    resume: bool = False,
    plugins: Sequence[PathLike] = (),
) -> SweepResults[Result]:
    """Carry out every run of a configuration with a sweep, one after the other.

    For parameters see `run`; each run has a folder of its own in `out`.

    Returns
    -------
    SweepResults
        A mapping of names, such as ``"loss.delta=1e-07"``, to results, with the differing
        `settings` of each run and the `failures`; a notebook shows a table.

    Raises
    ------
    ConfigError
        All mistakes of the sweep and of its runs, each with its place.
    LossfwError
        If every run fails. If only some fail, they raise a warning.
    """
    return _carry_out_all(
        _make_request(*_as_evaluation(config, overrides), out, resume, plugins), _run
    )


def train_all(
    config: ConfigLike,
    *,
    overrides: Sequence[str] = (),
    out: PathLike | None = None,
    resume: bool = False,
    plugins: Sequence[PathLike] = (),
) -> SweepResults[TrainingResult]:
    """Carry out every training of a configuration with a sweep, or with folds; see `run_all`.

    Returns
    -------
    SweepResults
        A mapping of names to what `train` returns; a notebook shows the learning curves
        over each other. With folds, its `held_out` has the result of all rows by the models
        that have not seen them.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(12.0).reshape(12, 1)
    >>> trained = train_all(
    ...     {
    ...         "data": {"inputs": x, "targets": 2 * x[:, 0]},
    ...         "network": {"layers": [{"units": 1, "activation": "identity"}]},
    ...         "loss": "squared_error",
    ...         "train": {"epochs": 1, "optimizer": "sgd", "hold_out": {"folds": 3}},
    ...     }
    ... )
    >>> list(trained), trained.held_out[""].count
    (['fold=0', 'fold=1', 'fold=2'], 12)
    """
    request = _make_request(config, overrides, out, resume, plugins)
    if out is None and "folds" in str(request.config.root.to_plain()):
        # Folds, of the training or of a sweep, are put together from their files.
        with temporary_folder() as folder:
            return train_all(config, overrides=overrides, out=folder, plugins=plugins)
    return _carry_out_all(request, _train, trains=True)


def compare(
    *folders: PathLike,
    by: str | None = None,
    bins: Sequence[float] = (),
    allow_different_data: bool = False,
    stars: Literal["all", "each"] = "all",
    loss: str | Mapping[str, Any] | Loss | None = None,
    metrics: Sequence[str | Mapping[str, Any] | Metric | Loss] = (),
    plugins: Sequence[PathLike] = (),
    trust: bool = False,
) -> Comparison:
    """Compare the runs or the trainings in folders, as ``lossfw compare`` does.

    Parameters
    ----------
    *folders : path
        Folders of runs or of trainings, or folders that hold such folders.
    by : str, optional
        Also compare parts of the rows of runs: by ``"target"``, or by a column that the rows
        have, as ``"column.region"``.
    bins : sequence of float
        With `by`, the edges between bins of a number.
    allow_different_data : bool
        Allow runs on different data, without differences.
    stars : {"all", "each"}
        Whether a star is corrected for all differences of a measure in the table, or holds for each
        difference on its own.
    loss : str, mapping or Loss, optional
        Score the stored rows of all runs by this loss instead of their own: a name, a mapping
        with ``name`` and parameters, or a loss.
    metrics : sequence of str, mapping, Metric or Loss
        Also score them by these metrics and losses.
    plugins : sequence of path
        Plugin files to use; they are executed.
    trust : bool
        Whether to execute the plugin files that the configurations of the runs name.

    Returns
    -------
    Comparison, or TrainingComparison for trainings
        It has `settings`, `sorted` and `to_dict`. A comparison of runs also has `numbers`, and
        `differences` from the first run; one of trainings has their curves. A notebook shows tables
        and curves.

    Raises
    ------
    LossfwError
        If a folder holds no finished run, or the runs have different data.
    """
    from lossfw.runs.compare import compare_folders
    from lossfw.runs.compare.by_slice import slice_of_runs
    from lossfw.runs.compare.scores import Scores

    if isinstance(metrics, str | Mapping):
        raise ArgumentError(f"metrics should be a list: metrics=[{metrics!r}].")
    chosen = Plugins(tuple(os.fspath(file) for file in plugins), trusted=trust)
    comparison, left_out = compare_folders(
        [Path(folder) for folder in folders],
        chosen,
        allow_different_data=allow_different_data,
        stars=stars,
        scores=Scores(loss, metrics),
        by=None if by is None else slice_of_runs(by, bins),
    )
    for told in left_out:
        _warn(told)
    return comparison


def plan(config: ConfigLike, *overrides: str) -> Plan:
    """Return the plan of an evaluation that a configuration describes, for `evaluate`.

    Parameters
    ----------
    config : path or mapping
        The name of a YAML file, or a mapping; see `run`.
    *overrides : str
        As ``-o`` takes them: ``"loss.delta=1e-6"``.

    Raises
    ------
    ConfigError
        All mistakes of the configuration, each with its place.
    """
    from lossfw.config.plan.evaluation import plan_of_source

    return plan_of_source(_make_source(*_as_evaluation(config, overrides)))


def evaluate(
    plan: Plan, *, client: Any = None, progress: Callable[[int, int], None] | None = None
) -> Result:
    """Evaluate a plan, in this process or on a Dask cluster, with bit-for-bit the same result.

    Parameters
    ----------
    plan : Plan
        The plan; see `plan`.
    client : distributed.Client, optional
        A client of the cluster. Its workers need the same code, and the data files under the same
        paths; otherwise the evaluation raises an error.
    progress : callable, optional
        Called with the number of rows done and the total number of rows.

    Returns
    -------
    Result
    """
    if client is None:
        from lossfw.evaluation.evaluate import evaluate as evaluate_here

        return evaluate_here(plan, progress=progress)
    from lossfw.runs.cluster_runs import evaluate_on

    return evaluate_on(client, plan, progress)


def _run(request: RunRequest) -> Result:
    from lossfw.runs.execute import carry_out

    outcome = carry_out(request, warn=_warn)
    if outcome.failure is not None:
        raise outcome.failure
    return outcome.result


def _train(request: RunRequest) -> TrainingResult:
    from lossfw.runs.trainings import carry_out_training, prepare_training

    return carry_out_training(request, prepare_training(request), warn=_warn).trained


def _carry_out_all(
    request: RunRequest, one: Callable[[RunRequest], _R], *, trains: bool = False
) -> SweepResults[_R]:
    """Carry out each run of a configuration; one that fails does not stop the others."""
    from lossfw.config.plan.resolved import resolve_checked
    from lossfw.runs.compare.settings import flatten_settings
    from lossfw.runs.folder import locked_folder
    from lossfw.runs.folds import CrossValidation
    from lossfw.runs.parallel_runs import common_folder, requests_of

    asked = requests_of([request.config], request.folder, resume=request.resume, trains=trains)
    with_folds = [CrossValidation.of(each) for each in asked]
    requests = [each for whole in with_folds for each in whole.requests]
    results: dict[str, _R] = {}
    settings: dict[str, Mapping[str, Any]] = {}
    failures: dict[str, LossfwError] = {}
    with locked_folder(common_folder(requests)):
        for whole in with_folds:
            whole.begin()
        for each in requests:
            try:
                results[each.name] = one(each)
                settings[each.name] = flatten_settings(resolve_checked(each.config).root.to_plain())
            except LossfwError as error:
                failures[each.name] = error
                _warn(f"{each.name} failed: {error}")
    if not results:
        raise next(iter(failures.values()))
    held_out = {
        whole.request.name: _run(whole.join_held_out())
        for whole in with_folds
        if whole.is_complete(results)
    }
    return SweepResults(results, settings, failures, held_out)


def _as_evaluation(
    config: ConfigLike, overrides: Sequence[str]
) -> tuple[ConfigLike, Sequence[str]]:
    """Return a configuration and its overrides; those of its training for a folder."""
    if not isinstance(config, str | os.PathLike) or not Path(config).is_dir():
        return config, overrides
    from lossfw.runs.trained_folder import evaluation_of_folder

    return evaluation_of_folder(os.fspath(config), _check_overrides(overrides))


def _check_overrides(overrides: Sequence[str]) -> Sequence[str]:
    """Refuse overrides that are one text, or not texts."""
    if isinstance(overrides, str):
        raise ArgumentError(f"overrides should be a list of strings: overrides=[{overrides!r}].")
    kinds = {type(item).__name__ for item in overrides} - {"str"}
    if kinds:
        raise ArgumentError(
            f'an override is a string such as "loss.delta=1e-6"; got {", ".join(sorted(kinds))}.'
        )
    return overrides


def _make_request(
    config: ConfigLike,
    overrides: Sequence[str],
    out: PathLike | None,
    resume: bool,
    plugins: Sequence[PathLike],
) -> RunRequest:
    if isinstance(plugins, str | os.PathLike):
        raise ArgumentError(f"plugins should be a list of files: plugins=[{os.fspath(plugins)!r}].")
    if resume and out is None:
        raise ArgumentError("resume=True continues the run in a folder: give out too.")
    local = tuple(os.fspath(plugin) for plugin in plugins)
    folder = None if out is None else Path(out)
    source = _make_source(config, overrides, Plugins(local), folder)
    return RunRequest(read_config(source), folder=folder, resume=resume)


def _make_source(
    config: ConfigLike,
    overrides: Sequence[str],
    plugins: Plugins | None = None,
    folder: Path | None = None,
) -> ConfigSource:
    """Return the source of a configuration; arrays of a mapping are written to a folder."""
    overrides = _check_overrides(overrides)
    plugins = plugins or Plugins()
    if isinstance(config, str | os.PathLike):
        return ConfigSource(os.fspath(config), tuple(overrides), plugins)
    if not isinstance(config, Mapping):
        raise ArgumentError(
            "config should be the name of a YAML file, or a mapping with the same keys; got "
            f"{type(config).__name__}."
        )
    from lossfw.config.text.mapping import NAME, MappingConfig

    given = MappingConfig.of(config)
    if folder is not None and given.held:
        check_folder(folder)
        folder.mkdir(parents=True, exist_ok=True)
        given = given.save_arrays(folder)
    return ConfigSource(NAME, tuple(overrides), plugins, given)


def _warn(text: str) -> None:
    warnings.warn(text, RuntimeWarning, stacklevel=2)

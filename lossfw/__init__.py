"""lossfw: write a loss once, prove it, use it everywhere.

>>> import lossfw
>>> loss = lossfw.loss("squared_error", factor=0.5)
>>> loss([0.1, 0.9], [0.0, 1.0], reduction="sum")
0.009999999999999998
"""

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, cast

from lossfw.components.claims import ActivationClaims, Claims
from lossfw.components.hookspecs import hookimpl
from lossfw.components.registry import Registry
from lossfw.components.registry import registry as _registry
from lossfw.components.spaces import (
    BINARY,
    CLASS_INDEX,
    COUNT,
    LOGITS,
    NONNEGATIVE,
    POSITIVE,
    REAL,
    SIGN,
    SIMPLEX,
    UNIT,
    Interval,
    Space,
)
from lossfw.errors import (
    ArgumentError,
    BrokenPluginError,
    ConfigError,
    DataError,
    DisabledPluginError,
    DivergenceError,
    DomainError,
    DtypeError,
    DuplicateNameError,
    EmptyReductionError,
    IncompatiblePluginError,
    LossfwError,
    MissingExtraError,
    OutputError,
    ParameterError,
    PluginError,
    RunError,
    ShapeError,
    UnknownNameError,
)
from lossfw.losses.bodies import PointwiseBody, RowBody
from lossfw.losses.capabilities import GuardedLoss, LinkedLoss, LogGuard
from lossfw.losses.engine.partial import Partial
from lossfw.losses.engine.threads import threads
from lossfw.losses.kinds import CategoricalLoss, DistanceLoss, MarginLoss, PointwiseLoss
from lossfw.losses.loss import Loss
from lossfw.losses.wrappers.base import ChangingWrapper
from lossfw.metrics import (
    ElementMetric,
    LossMetric,
    Metric,
    RowMetric,
    ScoreMetric,
    SumMetric,
    Term,
)
from lossfw.nn.activation import Activation, RowActivation
from lossfw.nn.optimizer import Memory, Optimizer, OptimizerStep
from lossfw.numerics.arrays import Array, Namespace, NDArray
from lossfw.numerics.exact.reference import Order

if TYPE_CHECKING:
    from lossfw.evaluation.plan import Plan
    from lossfw.evaluation.result import Result
    from lossfw.nn.training.records import Trained
    from lossfw.runs.compare import Comparison, TrainingComparison
    from lossfw.runs.sweep_results import SweepResults

__version__ = "0.1.0"


def loss(spec: str | Mapping[str, Any] | Loss, /, **parameters: Any) -> Loss:
    """Return the loss of this name, from any plugin.

    Parameters
    ----------
    spec : str, mapping or Loss
        A name or alias; a mapping with ``name`` and parameters, as in YAML; or
        a loss, whose parameters may be changed.
    **parameters
        Its parameters.

    Raises
    ------
    UnknownNameError, ParameterError, PluginError
        If there is no such loss, a parameter is wrong, or its plugin is.

    Examples
    --------
    >>> loss("mse")
    SquaredError(factor=1.0)
    >>> loss({"name": "squared_error", "factor": 0.5}).name
    'squared_error'
    """
    return cast(Loss, registry().create("loss", spec, **parameters))


def activation(spec: str | Mapping[str, Any] | Activation, /, **parameters: Any) -> Activation:
    """Return the activation of this name, from any plugin; see `loss`.

    Examples
    --------
    >>> activation("relu")([-1.0, 2.0])
    array([0., 2.])
    """
    return cast(Activation, registry().create("activation", spec, **parameters))


def metric(spec: str | Mapping[str, Any] | Metric, /, **parameters: Any) -> Metric:
    """Return the metric of this name, or the loss of this name as a metric; see `loss`.

    Examples
    --------
    >>> metric("accuracy")([[0.9, 0.1], [0.2, 0.8]], [0, 0])
    0.5
    >>> metric("brier").label
    'brier'
    """
    try:
        return cast(Metric, registry().create("metric", spec, **parameters))
    except UnknownNameError as unknown:
        try:
            return LossMetric(of=loss(cast(str, spec), **parameters))
        except UnknownNameError:
            raise unknown from None


def run(
    config: "str | PathLike[str]",
    *,
    overrides: Sequence[str] = (),
    out: "str | PathLike[str] | None" = None,
    resume: bool = False,
    plugins: "Sequence[str | PathLike[str]]" = (),
) -> "Result":
    """Evaluate the configuration in a file, as ``lossfw run`` does.

    Parameters
    ----------
    config : path
        A configuration of one run.
    overrides : sequence of str
        ``"loss.delta=1e-6"`` each, as for ``-o``.
    out : path, optional
        The folder of the run; without it nothing is written.
    resume : bool
        Continue an interrupted run in the folder.
    plugins : sequence of path
        Files with components, beside those that the configuration names.

    Returns
    -------
    Result
        With `loss`, `metrics` by name, `count`, `warnings` and `to_dict`; a notebook
        shows it as a table. A loss that is NaN is no exception, and has a warning.

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
    """
    from lossfw.runs import python

    return python.run(config, overrides=overrides, out=out, resume=resume, plugins=plugins)


def train(
    config: "str | PathLike[str]",
    *,
    overrides: Sequence[str] = (),
    out: "str | PathLike[str] | None" = None,
    resume: bool = False,
    plugins: "Sequence[str | PathLike[str]]" = (),
) -> "Trained":
    """Train the network of the configuration in a file, as ``lossfw train`` does.

    For parameters and errors see `run`.

    Returns
    -------
    Trained
        With `network`, whose `forward` makes predictions, `history`, `kept` and
        `to_dict`; a notebook shows its learning curve.
    """
    from lossfw.runs import python

    return python.train(config, overrides=overrides, out=out, resume=resume, plugins=plugins)


def run_all(
    config: "str | PathLike[str]",
    *,
    overrides: Sequence[str] = (),
    out: "str | PathLike[str] | None" = None,
    resume: bool = False,
    plugins: "Sequence[str | PathLike[str]]" = (),
) -> "SweepResults[Result]":
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
        If every run fails. A single one that fails is a warning.
    """
    from lossfw.runs import python

    return python.run_all(config, overrides=overrides, out=out, resume=resume, plugins=plugins)


def train_all(
    config: "str | PathLike[str]",
    *,
    overrides: Sequence[str] = (),
    out: "str | PathLike[str] | None" = None,
    resume: bool = False,
    plugins: "Sequence[str | PathLike[str]]" = (),
) -> "SweepResults[Trained]":
    """Carry out every training of a configuration with a sweep; see `run_all`.

    Returns
    -------
    SweepResults
        A mapping of names to what `train` returns; a notebook shows the learning curves
        over each other.
    """
    from lossfw.runs import python

    return python.train_all(config, overrides=overrides, out=out, resume=resume, plugins=plugins)


def compare(
    *folders: "str | PathLike[str]", side_by_side: bool = False
) -> "Comparison | TrainingComparison":
    """Compare the runs or the trainings in folders, as ``lossfw compare`` does.

    Parameters
    ----------
    *folders : path
        Folders of runs or of trainings, or folders that hold such folders.
    side_by_side : bool
        Allow runs on different data, without differences.

    Returns
    -------
    Comparison, or TrainingComparison for trainings
        With `settings`, `sorted` and `to_dict`; runs with `numbers` and `differences` from
        the first of them, trainings with their curves. A notebook shows tables and curves.

    Raises
    ------
    LossfwError
        If a folder holds no finished run, or the runs have different data.
    """
    from lossfw.runs import python

    return python.compare(*folders, side_by_side=side_by_side)


def plan(config: str, *overrides: str) -> "Plan":
    """Return the plan of an evaluation that a configuration describes, for `evaluate`.

    Parameters
    ----------
    config : str
        The name of a YAML file.
    *overrides : str
        As ``-o`` takes them: ``"loss.delta=1e-6"``.

    Raises
    ------
    ConfigError
        All mistakes of the configuration, each with its place.
    """
    # Imported on use: a loss needs no configuration.
    from lossfw.config.build.evaluation import build
    from lossfw.config.text.source import ConfigSource

    return build(ConfigSource(config, overrides))


def evaluate(
    plan: "Plan", *, client: Any = None, progress: Callable[[int, int], None] | None = None
) -> "Result":
    """Evaluate a plan, in this process or on a cluster of Dask, to the same bits.

    Parameters
    ----------
    plan : Plan
        The plan; see `plan`.
    client : distributed.Client, optional
        A client of the cluster. Its workers have the files of the data under the
        same names.
    progress : callable, optional
        Called with the rows done and the rows in all.

    Returns
    -------
    Result
    """
    if client is None:
        from lossfw.evaluation.evaluate import evaluate as evaluate_here

        return evaluate_here(plan, progress=progress)
    from lossfw.scale import evaluate_on

    return evaluate_on(client, plan, progress=progress)


def registry() -> Registry:
    """Return the registry of everything installed: built-ins and plugins.

    Examples
    --------
    >>> [entry.name for entry in registry().entries("metric") if entry.name == "accuracy"]
    ['accuracy']
    """
    return _registry()


__all__ = [
    "BINARY",
    "CLASS_INDEX",
    "COUNT",
    "LOGITS",
    "NONNEGATIVE",
    "POSITIVE",
    "REAL",
    "SIGN",
    "SIMPLEX",
    "UNIT",
    "Activation",
    "ActivationClaims",
    "ArgumentError",
    "Array",
    "BrokenPluginError",
    "CategoricalLoss",
    "ChangingWrapper",
    "Claims",
    "ConfigError",
    "DataError",
    "DisabledPluginError",
    "DistanceLoss",
    "DivergenceError",
    "DomainError",
    "DtypeError",
    "DuplicateNameError",
    "ElementMetric",
    "EmptyReductionError",
    "GuardedLoss",
    "IncompatiblePluginError",
    "Interval",
    "LinkedLoss",
    "LogGuard",
    "Loss",
    "LossfwError",
    "MarginLoss",
    "Memory",
    "Metric",
    "MissingExtraError",
    "NDArray",
    "Namespace",
    "Optimizer",
    "OptimizerStep",
    "Order",
    "OutputError",
    "ParameterError",
    "Partial",
    "PluginError",
    "PointwiseBody",
    "PointwiseLoss",
    "Registry",
    "RowActivation",
    "RowBody",
    "RowMetric",
    "RunError",
    "ScoreMetric",
    "ShapeError",
    "Space",
    "SumMetric",
    "Term",
    "UnknownNameError",
    "__version__",
    "activation",
    "compare",
    "evaluate",
    "hookimpl",
    "loss",
    "metric",
    "plan",
    "registry",
    "run",
    "run_all",
    "threads",
    "train",
    "train_all",
]

"""lossfw: write a loss once, prove it, use it everywhere.

>>> import lossfw
>>> loss = lossfw.loss("squared_error", factor=0.5)
>>> loss([0.1, 0.9], [0.0, 1.0], reduction="sum")
0.009999999999999998
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from lossfw.components.claims import ActivationClaims, Claims
from lossfw.components.columns import Columns
from lossfw.components.hookspecs import hookimpl
from lossfw.components.ranges import Range
from lossfw.components.registry import Registry
from lossfw.components.registry import registry as _registry
from lossfw.components.spaces import (
    BINARY,
    CLASS_INDEX,
    COUNT,
    LOG,
    LOGITS,
    NONNEGATIVE,
    POSITIVE,
    REAL,
    SIGN,
    SIMPLEX,
    UNIT,
    VECTOR,
    Interval,
    Members,
    Space,
    Vector,
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
from lossfw.losses.capabilities import DistributionLoss, GuardedLoss, LinkedLoss, LogGuard
from lossfw.losses.engine.group_partial import GroupPartial
from lossfw.losses.engine.partial import Partial
from lossfw.losses.engine.threads import threads
from lossfw.losses.kinds import (
    CategoricalLoss,
    DistanceLoss,
    GroupLoss,
    MarginLoss,
    PointwiseLoss,
)
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
from lossfw.nn.optimizer import Optimizer, OptimizerState, OptimizerStep
from lossfw.numerics.arrays import Array, Namespace, NDArray
from lossfw.numerics.exact.reference import Order
from lossfw.version import __version__

if TYPE_CHECKING:
    from lossfw.runs.python import compare, evaluate, plan, run, run_all, train, train_all


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


def registry() -> Registry:
    """Return the registry of everything installed: built-ins and plugins.

    Examples
    --------
    >>> [entry.name for entry in registry().entries("metric") if entry.name == "accuracy"]
    ['accuracy']
    """
    return _registry()


if not TYPE_CHECKING:
    # Type checkers see the imports above, and so tell a misspelt name.

    def __getattr__(name: str) -> Any:
        """Import the functions of configurations on use: a loss needs none of them."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from lossfw.runs import python

        return getattr(python, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


__all__ = [
    "BINARY",
    "CLASS_INDEX",
    "COUNT",
    "LOG",
    "LOGITS",
    "NONNEGATIVE",
    "POSITIVE",
    "REAL",
    "SIGN",
    "SIMPLEX",
    "UNIT",
    "VECTOR",
    "Activation",
    "ActivationClaims",
    "ArgumentError",
    "Array",
    "BrokenPluginError",
    "CategoricalLoss",
    "ChangingWrapper",
    "Claims",
    "Columns",
    "ConfigError",
    "DataError",
    "DisabledPluginError",
    "DistanceLoss",
    "DistributionLoss",
    "DivergenceError",
    "DomainError",
    "DtypeError",
    "DuplicateNameError",
    "ElementMetric",
    "EmptyReductionError",
    "GroupLoss",
    "GroupPartial",
    "GuardedLoss",
    "IncompatiblePluginError",
    "Interval",
    "LinkedLoss",
    "LogGuard",
    "Loss",
    "LossfwError",
    "MarginLoss",
    "Members",
    "Metric",
    "MissingExtraError",
    "NDArray",
    "Namespace",
    "Optimizer",
    "OptimizerState",
    "OptimizerStep",
    "Order",
    "OutputError",
    "ParameterError",
    "Partial",
    "PluginError",
    "PointwiseBody",
    "PointwiseLoss",
    "Range",
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
    "Vector",
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

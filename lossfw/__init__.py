"""lossfw: write a loss once, prove it, use it everywhere.

>>> import lossfw
>>> loss = lossfw.loss("squared_error", factor=0.5)
>>> loss([0.1, 0.9], [0.0, 1.0], reduction="sum")
0.009999999999999998
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

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
from lossfw.version import __version__

if TYPE_CHECKING:
    from lossfw.components.claims import ActivationClaims, Claims
    from lossfw.components.columns import Columns
    from lossfw.components.hookspecs import hookimpl
    from lossfw.components.ranges import PromisedRange
    from lossfw.components.registry import Registry
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
        FiniteSpace,
        Interval,
        Space,
        Vector,
    )
    from lossfw.losses.bodies import PointwiseBody, RowBody
    from lossfw.losses.capabilities import DistributionLoss, GuardedLoss, LogGuard, RawOutputLoss
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
    from lossfw.losses.wrappers.base import TargetChangingWrapper
    from lossfw.metrics import (
        ElementMetric,
        Metric,
        RowMetric,
        ScoreMetric,
        SumMetric,
        SumTerm,
    )
    from lossfw.nn.activation import Activation, RowActivation
    from lossfw.nn.optimizer import Optimizer, OptimizerState, OptimizerStep
    from lossfw.numerics.arrays import Array, Namespace, NDArray
    from lossfw.numerics.exact.reference import DerivativeOrder
    from lossfw.runs.python import compare, evaluate, plan, run, run_all, train, train_all

# Where the names above are. Each is imported on use: the command line needs none of them to print
# its help, and a person who imports lossfw for one loss needs few.
_PLACES = {
    "components.claims": "ActivationClaims Claims",
    "components.columns": "Columns",
    "components.hookspecs": "hookimpl",
    "components.ranges": "PromisedRange",
    "components.registry": "Registry",
    "components.spaces": "BINARY CLASS_INDEX COUNT LOG LOGITS NONNEGATIVE POSITIVE REAL SIGN "
    "SIMPLEX UNIT VECTOR Interval FiniteSpace Space Vector",
    "losses.bodies": "PointwiseBody RowBody",
    "losses.capabilities": "DistributionLoss GuardedLoss RawOutputLoss LogGuard",
    "losses.engine.group_partial": "GroupPartial",
    "losses.engine.partial": "Partial",
    "losses.engine.threads": "threads",
    "losses.kinds": "CategoricalLoss DistanceLoss GroupLoss MarginLoss PointwiseLoss",
    "losses.loss": "Loss",
    "losses.wrappers.base": "TargetChangingWrapper",
    "metrics": "ElementMetric Metric RowMetric ScoreMetric SumMetric SumTerm",
    "nn.activation": "Activation RowActivation",
    "nn.optimizer": "Optimizer OptimizerState OptimizerStep",
    "numerics.arrays": "Array Namespace NDArray",
    "numerics.exact.reference": "DerivativeOrder",
    "runs.python": "compare evaluate plan run run_all train train_all",
}
_PLACE_OF = {name: place for place, names in _PLACES.items() for name in names.split()}

# Packages that ``import lossfw`` gives access to, as in ``lossfw.metrics.SumTerm``.
_PACKAGES = ("components", "losses", "metrics", "nn", "numerics")


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
    return cast("Loss", registry().create("loss", spec, **parameters))


def activation(spec: str | Mapping[str, Any] | Activation, /, **parameters: Any) -> Activation:
    """Return the activation of this name, from any plugin; see `loss`.

    Examples
    --------
    >>> activation("relu")([-1.0, 2.0])
    array([0., 2.])
    """
    return cast("Activation", registry().create("activation", spec, **parameters))


def metric(spec: str | Mapping[str, Any] | Metric, /, **parameters: Any) -> Metric:
    """Return the metric of this name, or the loss of this name as a metric; see `loss`.

    Examples
    --------
    >>> metric("accuracy")([[0.9, 0.1], [0.2, 0.8]], [0, 0])
    0.5
    >>> metric("brier").label
    'brier'
    """
    from lossfw.metrics import LossMetric

    try:
        return cast("Metric", registry().create("metric", spec, **parameters))
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
    from lossfw.components import registry

    return registry.registry()


if not TYPE_CHECKING:
    # Type checkers see the imports above, and so tell a misspelt name.

    def __getattr__(name: str) -> Any:
        """Import a public name on its first use."""
        if name in _PACKAGES:
            return importlib.import_module(f"lossfw.{name}")
        if name not in _PLACE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f"lossfw.{_PLACE_OF[name]}"), name)
        globals()[name] = value
        return value


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
    "Claims",
    "Columns",
    "ConfigError",
    "DataError",
    "DerivativeOrder",
    "DisabledPluginError",
    "DistanceLoss",
    "DistributionLoss",
    "DivergenceError",
    "DomainError",
    "DtypeError",
    "DuplicateNameError",
    "ElementMetric",
    "EmptyReductionError",
    "FiniteSpace",
    "GroupLoss",
    "GroupPartial",
    "GuardedLoss",
    "IncompatiblePluginError",
    "Interval",
    "LogGuard",
    "Loss",
    "LossfwError",
    "MarginLoss",
    "Metric",
    "MissingExtraError",
    "NDArray",
    "Namespace",
    "Optimizer",
    "OptimizerState",
    "OptimizerStep",
    "OutputError",
    "ParameterError",
    "Partial",
    "PluginError",
    "PointwiseBody",
    "PointwiseLoss",
    "PromisedRange",
    "RawOutputLoss",
    "Registry",
    "RowActivation",
    "RowBody",
    "RowMetric",
    "RunError",
    "ScoreMetric",
    "ShapeError",
    "Space",
    "SumMetric",
    "SumTerm",
    "TargetChangingWrapper",
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

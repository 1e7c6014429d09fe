"""The built-in components: a plugin like any other.

One line for each component or alias, sorted by name. A component is a text,
``"lossfw_std.losses.squared_error:SquaredError"``, so that listing imports
nothing; an alias is the name that it stands for, ``"squared_error"``.
"""

from lossfw import hookimpl

lossfw_api = 1

_LOSSES: dict[str, str] = {
    "cross_entropy": "lossfw_std.losses.cross_entropy:CrossEntropy",
    "l2": "squared_error",
    "mean_squared_error": "squared_error",
    "mse": "squared_error",
    "softmax_cross_entropy": "cross_entropy",
    "squared_error": "lossfw_std.losses.squared_error:SquaredError",
}

_ACTIVATIONS: dict[str, str] = {
    "identity": "lossfw_std.activations.identity:Identity",
    "linear": "identity",
    "relu": "lossfw_std.activations.relu:Relu",
    "sigmoid": "lossfw_std.activations.sigmoid:Sigmoid",
    "softmax": "lossfw_std.activations.softmax:Softmax",
    "step": "lossfw_std.activations.step:Step",
}

_METRICS: dict[str, str] = {
    "accuracy": "lossfw_std.metrics.accuracy:Accuracy",
}

_SOURCES: dict[str, str] = {
    "arrays": "lossfw_std.sources.arrays:Arrays",
    "digits": "lossfw_std.sources.digits:Digits",
    "idx": "lossfw_std.sources.idx:Idx",
    "inline": "lossfw_std.sources.inline:Inline",
}


@hookimpl
def lossfw_losses() -> dict[str, str]:
    """Offer the losses."""
    return _LOSSES


@hookimpl
def lossfw_activations() -> dict[str, str]:
    """Offer the activations."""
    return _ACTIVATIONS


@hookimpl
def lossfw_metrics() -> dict[str, str]:
    """Offer the metrics."""
    return _METRICS


@hookimpl
def lossfw_sources() -> dict[str, str]:
    """Offer the data sources."""
    return _SOURCES

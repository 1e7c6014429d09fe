"""The built-in components: a plugin like any other.

One line for each component or alias, sorted by name. A component is a text,
``"lossfw_std.losses.squared_error:SquaredError"``, so that listing imports
nothing; an alias is the name that it stands for, ``"squared_error"``.
"""

from lossfw.hookspecs import hookimpl

lossfw_api = 1

_LOSSES: dict[str, str] = {}

_ACTIVATIONS: dict[str, str] = {}

_METRICS: dict[str, str] = {}

_SOURCES: dict[str, str] = {}


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

"""The seam: what a plugin may offer, and how it says so.

A plugin is a module (or any object) that an entry point of group ``lossfw``
names. It implements the hooks below as plain functions marked with
`hookimpl`. Each takes nothing and returns a mapping from names to components::

    from lossfw import hookimpl

    lossfw_api = 1        # optional: the version of the hooks it is written for

    @hookimpl
    def lossfw_losses():
        return {
            "fair": "lossfw_fair.fair:Fair",    # imported on first use
            "huberish": Huberish,               # or the class itself
            "fair_loss": "fair",                # an alias of a name in this mapping
        }
"""

from __future__ import annotations

from typing import Final, TypeAlias

import pluggy

# The name of the pluggy project, of the entry point group and of the
# distribution whose plugins are the built-in ones.
PROJECT: Final = "lossfw"

# The version of the hooks. It grows when a plugin that was right has to change.
API: Final = 1

# What a hook returns: "module:Class", a class, or (a text without a colon) an alias.
Table: TypeAlias = dict[str, str | type]

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

# Each kind of component and the hook through which it is offered.
HOOKS: Final = {
    "loss": "lossfw_losses",
    "activation": "lossfw_activations",
    "metric": "lossfw_metrics",
    "source": "lossfw_sources",
    "optimizer": "lossfw_optimizers",
}


@hookspec
def lossfw_losses() -> Table:  # type: ignore[empty-body]  # a spec is a docstring
    """Return the losses that the plugin offers, by name."""


@hookspec
def lossfw_activations() -> Table:  # type: ignore[empty-body]  # a spec is a docstring
    """Return the activations that the plugin offers, by name."""


@hookspec
def lossfw_metrics() -> Table:  # type: ignore[empty-body]  # a spec is a docstring
    """Return the metrics that the plugin offers, by name."""


@hookspec
def lossfw_sources() -> Table:  # type: ignore[empty-body]  # a spec is a docstring
    """Return the data sources that the plugin offers, by name."""


@hookspec
def lossfw_optimizers() -> Table:  # type: ignore[empty-body]  # a spec is a docstring
    """Return the optimizers that the plugin offers, by name."""

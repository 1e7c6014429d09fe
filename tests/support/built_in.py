"""The built-in losses and activations, to parametrise tests with."""

from lossfw.check.instances import variants
from lossfw.components.plugin_choice import Plugins


def built_in():
    """Return each at its defaults and in each of its forms."""
    registry = Plugins(installed=False).registry()
    return [
        component
        for kind in ("loss", "activation")
        for entry in registry.entries(kind)
        for component in variants(registry.class_of(entry), others=False)
    ]

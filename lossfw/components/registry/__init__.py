"""The registry of components: find plugins, load them, index their components."""

from lossfw.components.hookspecs import KINDS
from lossfw.components.registry.find import find_plugins
from lossfw.components.registry.index import Registry, registry
from lossfw.components.registry.load import load_plugin
from lossfw.components.registry.records import Entry, Plugin, PluginMetadata

__all__ = [
    "KINDS",
    "Entry",
    "Plugin",
    "PluginMetadata",
    "Registry",
    "find_plugins",
    "load_plugin",
    "registry",
]

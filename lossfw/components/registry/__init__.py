"""The registry of components: find plugins, load them, index their components."""

from lossfw.components.hookspecs import KINDS
from lossfw.components.registry.find import find
from lossfw.components.registry.index import Registry, registry
from lossfw.components.registry.load import load
from lossfw.components.registry.records import Entry, Plugin, PluginMetadata

__all__ = ["KINDS", "Entry", "Plugin", "PluginMetadata", "Registry", "find", "load", "registry"]

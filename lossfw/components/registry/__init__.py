"""The registry of components: find plugins, load them, index what they offer."""

from lossfw.components.registry.find import find
from lossfw.components.registry.index import Registry, registry
from lossfw.components.registry.load import load
from lossfw.components.registry.records import KINDS, Entry, Found, Plugin

__all__ = ["KINDS", "Entry", "Found", "Plugin", "Registry", "find", "load", "registry"]

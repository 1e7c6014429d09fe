"""The registry of components: find plugins, load them, index what they offer."""

from lossfw.registry.find import find
from lossfw.registry.index import Registry, registry
from lossfw.registry.load import load
from lossfw.registry.records import KINDS, Entry, Found, Plugin

__all__ = ["KINDS", "Entry", "Found", "Plugin", "Registry", "find", "load", "registry"]

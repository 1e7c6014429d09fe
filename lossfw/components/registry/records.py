"""Records of plugins and components.

`PluginMetadata` is what is known before a plugin is loaded, `Plugin` what is known afterwards, and
`Entry` one component that it offers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from lossfw.components.hookspecs import PROJECT
from lossfw.errors import PluginError

# The beginning of the names of the modules that local plugin files become.
LOCAL_MODULE = "lossfw_local_"

# listed: known by name, not imported yet. loaded: imported and in order. broken: the import
# failed, or the object is not a component of the offered kind. disabled: by the user, hence not
# imported. conflict: a name is offered twice. incompatible: written for another version of
# the hooks.
PluginState: TypeAlias = Literal[
    "listed", "loaded", "broken", "disabled", "conflict", "incompatible"
]


def normalise_name(distribution: str) -> str:
    """Return a distribution's normalised name, as package indexes compare it.

    Examples
    --------
    >>> normalise_name("Acme_Losses")
    'acme-losses'
    """
    return re.sub(r"[-_.]+", "-", distribution).lower()


@dataclass(frozen=True)
class PluginMetadata:
    """The metadata of a plugin, read without importing it.

    Attributes
    ----------
    distribution : str
        The installed distribution; for a local file, its name without ``.py``.
    version : str
        The distribution's version; empty for a local file.
    entry : str
        The name of the entry point; empty for a local file.
    target : str
        The object to import: ``module``, ``module:object`` or a path.
    path : Path or None
        The local file, None for an installed plugin.
    problem : str
        Why its metadata cannot be read; empty if it can.
    """

    distribution: str
    version: str
    entry: str
    target: str
    path: Path | None = None
    problem: str = ""

    @property
    def label(self) -> str:
        """``distribution[entry]``, or the path of a local file."""
        return f"{self.distribution}[{self.entry}]" if self.path is None else str(self.path)

    @property
    def builtin(self) -> bool:
        """Whether it belongs to the distribution lossfw itself."""
        return self.path is None and normalise_name(self.distribution) == PROJECT

    def is_called(self, word: str) -> bool:
        """Tell whether a word names this plugin: its distribution, label or file name."""
        names = {self.label} if self.path is None else {self.label, self.path.name}
        return word in names or normalise_name(word) == normalise_name(self.distribution)

    def __str__(self) -> str:
        return f"{self.label} {self.version}".rstrip()


@dataclass(frozen=True)
class Entry:
    """A component that a plugin offers.

    Attributes
    ----------
    kind : str
        One of `lossfw.components.hookspecs.KINDS`.
    name : str
        The canonical name.
    aliases : tuple of str
        Other names of the component, sorted.
    target : str or type
        ``"module:Class"``, or the class.
    plugin : PluginMetadata
        The plugin that offers it.
    state : str
        ``listed``, ``loaded``, ``broken`` or ``conflict``.
    reason : str
        Why it is broken, or the plugin that it conflicts with; else empty.
    """

    kind: str
    name: str
    aliases: tuple[str, ...]
    target: str | type
    plugin: PluginMetadata
    state: PluginState = "listed"
    reason: str = ""

    @property
    def distribution(self) -> str:
        """The distribution's name, or the stem of a local file."""
        return self.plugin.distribution

    @property
    def version(self) -> str:
        """The distribution's version; empty for a local file."""
        return self.plugin.version

    @property
    def label(self) -> str:
        """``distribution[entry]``, or the path of a local file."""
        return self.plugin.label

    @property
    def names(self) -> tuple[str, ...]:
        """The canonical name, then the aliases."""
        return (self.name, *self.aliases)


@dataclass(frozen=True)
class Plugin:
    """A plugin with its state.

    Attributes
    ----------
    metadata : PluginMetadata
        Its metadata.
    state : str
        ``listed``, ``loaded``, ``broken``, ``disabled``, ``conflict`` or
        ``incompatible``.
    reason : str
        The reason for the state, in one line; may be empty.
    entries : tuple of Entry
        Its components; empty for a plugin that could not be loaded.
    error : PluginError or None
        The error for a use of the plugin by name, if it cannot be used.
    """

    metadata: PluginMetadata
    state: PluginState = "listed"
    reason: str = ""
    entries: tuple[Entry, ...] = ()
    error: PluginError | None = field(default=None, compare=False, repr=False)

    @property
    def distribution(self) -> str:
        """The distribution's name, or the stem of a local file."""
        return self.metadata.distribution

    @property
    def version(self) -> str:
        """The distribution's version; empty for a local file."""
        return self.metadata.version

    @property
    def label(self) -> str:
        """``distribution[entry]``, or the path of a local file."""
        return self.metadata.label

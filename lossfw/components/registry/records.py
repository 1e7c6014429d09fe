"""What the registry tells about plugins and components.

A plugin is first `Found` (its metadata was read), then a `Plugin` (it was
loaded, or why it was not); each component that it offers is an `Entry`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from lossfw.components.hookspecs import HOOKS, PROJECT
from lossfw.errors import PluginError

KINDS: tuple[str, ...] = tuple(HOOKS)

# listed: known by name, not imported yet. loaded: imported and in order.
# broken: importing failed, or what came is not what was promised. disabled: by
# the user, hence not imported. conflict: a name is offered twice.
# incompatible: written for another version of the hooks.
PluginState: TypeAlias = Literal[
    "listed", "loaded", "broken", "disabled", "conflict", "incompatible"
]


def normalised(distribution: str) -> str:
    """Return a distribution's name as package indexes compare it.

    Examples
    --------
    >>> normalised("Acme_Losses")
    'acme-losses'
    """
    return re.sub(r"[-_.]+", "-", distribution).lower()


@dataclass(frozen=True)
class Found:
    """A plugin before it is imported.

    Attributes
    ----------
    distribution : str
        The installed distribution; for a local file, its name without ``.py``.
    version : str
        The distribution's version; empty for a local file.
    entry : str
        The name of the entry point; empty for a local file.
    target : str
        What will be imported: ``module``, ``module:object`` or a path.
    path : Path or None
        The local file, None for an installed plugin.
    problem : str
        Why its metadata cannot be read; empty where it can.
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
        return self.path is None and normalised(self.distribution) == PROJECT

    def called(self, word: str) -> bool:
        """Tell whether `word` means this plugin: its distribution, label or file name."""
        names = {self.label} if self.path is None else {self.label, self.path.name}
        return word in names or normalised(word) == normalised(self.distribution)

    def __str__(self) -> str:
        return f"{self.label} {self.version}".rstrip()


@dataclass(frozen=True)
class Entry:
    """A component that a plugin offers.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    name : str
        The canonical name.
    aliases : tuple of str
        Other names that mean the same component, sorted.
    target : str or type
        ``"module:Class"``, or the class.
    plugin : Found
        Where it comes from; `distribution`, `version`, `entry` and `label`
        are short for this record's.
    state : str
        ``listed``, ``loaded``, ``broken`` or ``conflict``.
    reason : str
        Why it is broken, or with whom it is in conflict; else empty.
    """

    kind: str
    name: str
    aliases: tuple[str, ...]
    target: str | type
    plugin: Found
    state: PluginState = "listed"
    reason: str = ""

    @property
    def distribution(self) -> str:
        """The distribution that it comes from, or the stem of the local file."""
        return self.plugin.distribution

    @property
    def version(self) -> str:
        """The version of that distribution; empty for a local file."""
        return self.plugin.version

    @property
    def entry(self) -> str:
        """The name of the entry point; empty for a local file."""
        return self.plugin.entry

    @property
    def label(self) -> str:
        """``distribution[entry]``, or the path of the local file."""
        return self.plugin.label

    @property
    def names(self) -> tuple[str, ...]:
        """The canonical name, then the aliases."""
        return (self.name, *self.aliases)


@dataclass(frozen=True)
class Plugin:
    """A plugin with what became of it.

    Attributes
    ----------
    found : Found
        Its metadata; `label`, `distribution`, `version`, `entry` and `target`
        are short for this record's.
    state : str
        ``listed``, ``loaded``, ``broken``, ``disabled``, ``conflict`` or
        ``incompatible``.
    reason : str
        Why it is in that state, in one line; empty where there is nothing to say.
    entries : tuple of Entry
        What it offers; empty for a plugin that could not be loaded.
    error : PluginError or None
        What is raised when the plugin is asked for by name and cannot be used.
    """

    found: Found
    state: PluginState = "listed"
    reason: str = ""
    entries: tuple[Entry, ...] = ()
    error: PluginError | None = field(default=None, compare=False, repr=False)

    @property
    def label(self) -> str:
        """``distribution[entry]``, or the path of a local file."""
        return self.found.label

    @property
    def distribution(self) -> str:
        """The distribution's name, or the stem of a local file."""
        return self.found.distribution

    @property
    def version(self) -> str:
        """The distribution's version; empty for a local file."""
        return self.found.version

    @property
    def entry(self) -> str:
        """The name of the entry point; empty for a local file."""
        return self.found.entry

    @property
    def target(self) -> str:
        """What is imported: ``module``, ``module:object`` or a path."""
        return self.found.target

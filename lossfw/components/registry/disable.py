"""Plugins that the user has disabled."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from lossfw.components.registry.records import PluginMetadata

VARIABLE = "LOSSFW_DISABLE"


@dataclass(frozen=True)
class Disabled:
    """The plugins that are not imported, by the user's choice.

    Attributes
    ----------
    words : tuple of str
        Distributions, labels or entry names that were given as an argument.
    environment : tuple of str
        The same from the environment variable ``LOSSFW_DISABLE``.
    plugins : bool
        False disables every installed plugin but the built-in one.
    """

    words: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    plugins: bool = True

    @classmethod
    def read(cls, words: Iterable[str], plugins: bool) -> Disabled:
        """Combine the arguments of a call with the environment variable."""
        return cls(
            tuple(_split(words)), tuple(_split([os.environ.get(VARIABLE, "")])), bool(plugins)
        )

    def by(self, metadata: PluginMetadata) -> str:
        """Return the option that disables a plugin, as a phrase; empty if none does."""
        if any(_means(word, metadata) for word in self.words):
            return "the argument disable (--disable)"
        if any(_means(word, metadata) for word in self.environment):
            return VARIABLE
        if not self.plugins and not metadata.builtin and metadata.path is None:
            return "the argument plugins=False (--no-plugins)"
        return ""

    def unmatched(self, plugins: Iterable[PluginMetadata]) -> str | None:
        """Return the first word of the argument that is no plugin's name, or None."""
        known = list(plugins)
        return next((w for w in self.words if not any(_means(w, p) for p in known)), None)


def _means(word: str, metadata: PluginMetadata) -> bool:
    return metadata.called(word) or (metadata.path is None and word == metadata.entry)


def _split(words: Iterable[str]) -> list[str]:
    texts = [words] if isinstance(words, str) else words
    return [word for text in texts for word in map(str.strip, text.split(",")) if word]

"""The components of a site: their descriptions, samples, links and measured figures."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lossfw.bridges.bridge import Bridge
from lossfw.components.component import Component
from lossfw.components.registry import Entry, Registry
from lossfw.errors import LossfwError, UnknownNameError
from lossfw.losses.wrappers import ClassWeighted
from lossfw.report.site.measured import MeasuredFigures
from lossfw.report.text.component import describe

# The kinds that have pages; bridges appear on the pages of what crosses them.
KINDS = ("loss", "activation", "metric", "source", "optimizer")

# Weights of classes for a picture, which leads through rows of two.
_TWO_WEIGHTS = (1.0, 3.0)

# The title of each kind's chapter.
CHAPTERS = {
    "loss": "Losses",
    "activation": "Activations",
    "metric": "Metrics",
    "source": "Data sources",
    "optimizer": "Optimizers",
}


@dataclass(frozen=True)
class PageSubject:
    """A component with the texts of its page.

    Attributes
    ----------
    description : mapping
        From `lossfw.report.text.component.describe`.
    cls : type
    sample : Component or None
        At its defaults, or at parameters that it takes; None where it needs what no one knows.
    """

    description: Mapping[str, Any]
    cls: type[Component]
    sample: Component | None

    @property
    def kind(self) -> str:
        """Its kind."""
        return str(self.description["kind"])

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.description["name"])

    @property
    def document(self) -> str:
        """Its page, as a path from the root of the site without an ending."""
        return document(self.kind, self.name)


def document(kind: str, name: str) -> str:
    """Return the page of a component, as a path from the root of the site without an ending."""
    # The index of its folder is the page of all of its kind; no name has a hyphen.
    return f"components/{kind}/{f'{name}-{kind}' if name == 'index' else name}"


@dataclass(frozen=True)
class SiteContent:
    """All that the pages of components are made of.

    Attributes
    ----------
    subjects : sequence of PageSubject
        By kind, then by name.
    measured : MeasuredFigures
        Figures by commands, as far as there are any.
    bridges : sequence of Bridge
        To libraries that train with losses.
    """

    subjects: Sequence[PageSubject]
    measured: MeasuredFigures = field(default_factory=MeasuredFigures)
    bridges: Sequence[Bridge] = ()

    def find(self, kind: str, name: str) -> PageSubject | None:
        """Return the subject of a name or alias; None where it has no page here."""
        for one in self.subjects:
            if one.kind == kind and name in (one.name, *one.description["aliases"]):
                return one
        return None

    def href(self, subject: PageSubject, start: str) -> str:
        """Return the address of a subject's page, from another page."""
        return f"{posixpath.relpath(subject.document, posixpath.dirname(start))}.html"


def collect(
    registry: Registry, measured: MeasuredFigures | None = None, plugin: str | None = None
) -> SiteContent:
    """Return the content of a site.

    Parameters
    ----------
    registry : Registry
    measured : MeasuredFigures, optional
    plugin : str, optional
        Only the components of this distribution, plugin or file; all by default.

    Raises
    ------
    UnknownNameError
        If no plugin has this name, or none of its components has a page.
    BrokenPluginError
        If the plugin cannot be imported.
    """
    entries = [entry for kind in KINDS for entry in registry.entries(kind)]
    if plugin is not None:
        entries = [entry for entry in entries if entry.plugin.called(plugin)]
    if not entries:
        _refuse(registry, plugin)
    subjects = [_subject(registry, entry) for entry in entries]
    classes = [registry.class_of(entry) for entry in registry.entries("bridge")]
    bridges = [cls() for cls in classes if issubclass(cls, Bridge)]
    return SiteContent(subjects, measured or MeasuredFigures(), bridges)


def _refuse(registry: Registry, plugin: str | None) -> None:
    for one in registry.plugins():
        if one.error is not None and plugin is not None and one.metadata.called(plugin):
            raise one.error
    known = ", ".join(sorted({one.distribution for one in registry.plugins()})) or "none"
    raise UnknownNameError(
        f"there is no plugin {plugin!r} with components to describe. Installed: {known}."
    )


def _subject(registry: Registry, entry: Entry) -> PageSubject:
    cls = registry.class_of(entry)
    sample = _sample(registry, entry, cls)
    return PageSubject(describe(entry, cls, sample), cls, sample)


def _sample(registry: Registry, entry: Entry, cls: type[Component]) -> Component | None:
    from lossfw.check.jobs import KINDS as CHECKED
    from lossfw.check.jobs import sample

    if issubclass(cls, ClassWeighted):
        # Those that the harness tries have three, which no curve shows.
        return cls(of=registry.create("loss", "cross_entropy"), weights=_TWO_WEIGHTS)
    if entry.kind in CHECKED:
        return sample(registry, entry)
    try:
        return cls()
    except LossfwError:
        return None

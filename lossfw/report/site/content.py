"""The components of a site: descriptions, samples, links, and the figures that were measured.

::

    make checks                                          checks.json: tries of each claim
    make accuracy reference                              accuracy.json: units in the last place

The costs of a component are in its description, if its package has measured them.
"""

from __future__ import annotations

import functools
import json
import math
import posixpath
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lossfw.check.instances import variants
from lossfw.components.component import Component
from lossfw.components.registry import Entry, Registry
from lossfw.errors import DataError, LossfwError, MissingExtraError, UnknownNameError
from lossfw.learning.bridge import Bridge
from lossfw.losses.loss import Loss
from lossfw.losses.wrappers import ClassWeighted
from lossfw.models import Model
from lossfw.nn.activation import Activation
from lossfw.nn.sample_curve import SampledCurve, curve, line_of
from lossfw.report.text.component import describe
from lossfw.report.text.show_component import CHAPTERS

# The files, in one folder.
CHECKS, ACCURACY = "checks.json", "accuracy.json"

# Weights of classes for a picture, which leads through rows of two.
_TWO_WEIGHTS = (1.0, 3.0)

# The kinds that have pages; bridges appear on the pages of what crosses them.
KINDS = tuple(kind for kind in CHAPTERS if kind != "bridge")


@dataclass(frozen=True)
class MeasuredFigures:
    """The content of the files; an empty mapping means a file that is missing."""

    checks: Mapping[str, Any] = field(default_factory=dict)
    accuracy: Mapping[str, Any] = field(default_factory=dict)

    def report(self, text: str) -> Mapping[str, Any]:
        """Return the harness report of a component, which is named as in Python.

        Without a report at exactly these parameters, it is the only report of the class, if
        there is one; its ``name`` has the parameters. It is empty if there is none.
        """
        reports = self.checks.get("reports", ())
        same = [one for one in reports if one["name"] == text]
        cls = text.partition("(")[0]
        alike = [one for one in reports if one["name"].partition("(")[0] == cls]
        found: Mapping[str, Any] = (same or (alike if len(alike) == 1 else [{}]))[0]
        return found

    def accuracies(self, kind: str, name: str) -> list[Mapping[str, Any]]:
        """Return the rows of accuracy of a component, at all parameters that were measured."""
        rows = self.accuracy.get("rows", ())
        return [row for row in rows if (row["kind"], row["name"]) == (kind, name)]


def read_measured(folder: Path | None) -> MeasuredFigures:
    """Return the figures in a folder."""
    if folder is None:
        return MeasuredFigures()
    return MeasuredFigures(*(_read(folder / name) for name in (CHECKS, ACCURACY)))


def _read(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path} is not valid JSON: {error}.") from None
    if not isinstance(content, dict):
        raise DataError(f"{path} holds a {type(content).__name__}; expected an object.")
    return content


@dataclass(frozen=True)
class PageSubject:
    """A component with the texts of its page, from `lossfw.report.text.component.describe`.

    The sample is the component at its defaults or sample parameters; None if it needs unknown ones.
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
        """Its page, as a path from the root of the site without suffix."""
        return document_of(self.kind, self.name)

    @functools.cached_property
    def claims_of_variants(self) -> Sequence[Mapping[str, Any]]:
        """The claims of a loss or an activation at each of its variants, the defaults first."""
        instances = variants(self.cls) or [self.sample]
        return [one.claims().to_dict() for one in instances if isinstance(one, Loss | Activation)]

    @functools.cached_property
    def curve(self) -> SampledCurve | None:
        """Its curve; None if it cannot be drawn along a line."""
        return self.curve_up_to(math.inf)

    def curve_up_to(self, reach: float) -> SampledCurve | None:
        """Return its curve between -reach and reach; None if it cannot be drawn."""
        if not isinstance(self.sample, Loss | Activation):
            return None
        try:
            line = line_of(self.sample)
            return curve(self.sample, span=(max(line.low, -reach), min(line.high, reach)))
        except LossfwError:
            return None


def document_of(kind: str, name: str) -> str:
    """Return the page of a component, as a path from the root of the site without suffix."""
    # The index of its folder is the page of all of its kind; no name has a hyphen.
    return f"components/{kind}/{f'{name}-{kind}' if name == 'index' else name}"


@dataclass(frozen=True)
class SiteContent:
    """Everything for the pages of components."""

    subjects: Sequence[PageSubject]
    measured: MeasuredFigures = field(default_factory=MeasuredFigures)
    bridges: Sequence[Bridge] = ()
    left_out: Sequence[Entry] = ()  # those that cannot be used

    def find(self, kind: str, name: str) -> PageSubject | None:
        """Return the subject of a name or alias; None if it has no page."""
        for one in self.subjects:
            if one.kind == kind and name in (one.name, *one.description["aliases"]):
                return one
        return None

    def find_related(self, subject: PageSubject, name: str) -> PageSubject | None:
        """Return a related subject of the same kind, otherwise of another."""
        kinds = (subject.kind, *KINDS)
        return next((one for kind in kinds if (one := self.find(kind, name)) is not None), None)

    def href(self, subject: PageSubject, start: str) -> str:
        """Return the address of a subject's page, from another page."""
        return f"{posixpath.relpath(subject.document, posixpath.dirname(start))}.html"


def collect_content(
    registry: Registry, measured: MeasuredFigures | None = None, plugin: str | None = None
) -> SiteContent:
    """Return the content of a site."""
    entries = [entry for kind in KINDS for entry in registry.import_all(kind)]
    if plugin is not None:
        entries = [entry for entry in entries if entry.plugin.is_called(plugin)]
    if not entries:
        _refuse_plugin(registry, plugin)
    subjects, usable = [], [entry for entry in entries if entry.state != "broken"]
    if not usable:
        registry.class_of(entries[0])  # it raises the reason
    for entry in usable:
        cls = registry.class_of(entry)
        sample = _sample_component(registry, entry, cls)
        subjects.append(PageSubject(describe(entry, cls, sample), cls, sample))
    known = (entry for entry in registry.import_all("bridge") if entry.state != "broken")
    classes = [registry.class_of(entry) for entry in known]
    bridges = [cls() for cls in classes if issubclass(cls, Bridge)]
    left_out = [entry for entry in entries if entry.state == "broken"]
    return SiteContent(subjects, measured or MeasuredFigures(), bridges, left_out)


def _refuse_plugin(registry: Registry, plugin: str | None) -> None:
    for one in registry.plugins():
        if one.error is not None and plugin is not None and one.metadata.is_called(plugin):
            raise one.error
    known = ", ".join(sorted({one.distribution for one in registry.plugins()})) or "none"
    raise UnknownNameError(f"no plugin {plugin!r} has components to describe. Installed: {known}.")


def _sample_component(registry: Registry, entry: Entry, cls: type[Component]) -> Component | None:
    from lossfw.check.jobs import KINDS as CHECKED
    from lossfw.check.jobs import sample_component

    if issubclass(cls, ClassWeighted):
        # Those that the harness tries have three, which no curve shows.
        return cls(of=registry.create("loss", "cross_entropy"), weights=_TWO_WEIGHTS)
    if issubclass(cls, Loss | Activation) and (known := variants(cls, others=False)):
        # All instances that the harness tries take a tenth of a second.
        return known[0]  # type: ignore[no-any-return]  # of this class
    if entry.kind not in CHECKED:
        with suppress(LossfwError):
            return cls()
        return None
    found = None
    with suppress(MissingExtraError):
        found = sample_component(registry, entry)
        if (
            not isinstance(found, Model)
            or found.training_mode is None
            or found.missing_reason() is None
        ):
            return found
    # A page shows the same whether the library that makes an example is installed or not.
    return next((cls.model_construct(**dict(one)) for one in cls.examples()), found)

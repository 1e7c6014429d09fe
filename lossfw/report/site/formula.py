"""The typeset formula of a component."""

from __future__ import annotations

from collections.abc import Iterator

from lossfw.report.site.content import PageSubject
from lossfw.report.site.markup import prose


def formula(subject: PageSubject) -> Iterator[str]:
    """Yield the formula, as Markdown; the words of the summary where it has none."""
    rest = subject.description["summary"].removeprefix(subject.description["title"])
    yield prose(rest.lstrip(",:; "))

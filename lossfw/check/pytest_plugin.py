"""The part of the pytest plugin that makes cases; imported when its option is used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from lossfw.check.api import suite_of_component
from lossfw.check.jobs import components
from lossfw.check.runner import CheckSuite
from lossfw.check.testing import CheckCase, cases_of
from lossfw.errors import LossfwError


class Checks:
    """Adds a case for each check of the named components, before the collected tests."""

    def __init__(self, names: Sequence[str], *, strict: bool = False) -> None:
        self._strict = strict
        try:
            self._suites = [suite_of_component(one) for name in names for one in components(name)]
        except LossfwError as error:
            raise pytest.UsageError(f"--lossfw-check: {error}") from None

    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[Any]) -> None:
        """Add the cases."""
        root: Any = _Root.from_parent(session, name="lossfw", path=Path("lossfw"), nodeid="lossfw")
        root.suites, root.strict = self._suites, self._strict
        items[:0] = list(root.collect())


class _Root(pytest.Collector):
    """Holds the cases."""

    suites: list[CheckSuite]
    strict: bool

    def collect(self) -> Iterator[pytest.Item]:
        for suite in self.suites:
            for case in cases_of(suite, strict=self.strict):
                item: Any = _Item.from_parent(self, name=f"check[{suite.name}-{case.name}]")
                item.component, item.case = suite.component, case
                yield item


class _Item(pytest.Item):
    """One check of one component."""

    component: Any
    case: CheckCase

    def runtest(self) -> None:
        self.case(self.component)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, self.name

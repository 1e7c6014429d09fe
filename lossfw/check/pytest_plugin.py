"""The part of the pytest plugin that makes cases; imported when its option is used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from lossfw.check.component import prepared
from lossfw.check.core.search import Search
from lossfw.check.runner import Prepared, Told
from lossfw.check.selection import components
from lossfw.check.testing import CheckCase
from lossfw.errors import LossfwError


class Checks:
    """Adds a case for each check of the named components, in front of the collected tests.

    Parameters
    ----------
    names : sequence of str
        Losses, activations or distributions.
    """

    def __init__(self, names: Sequence[str]) -> None:
        try:
            self._prepared = [prepared(one) for name in names for one in components(name)]
        except LossfwError as error:
            raise pytest.UsageError(f"--lossfw-check: {error}") from None

    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[Any]) -> None:
        """Add the cases."""
        root: Any = _Root.from_parent(session, name="lossfw", path=Path("lossfw"), nodeid="lossfw")
        root.every = self._prepared
        items[:0] = list(root.collect())


class _Root(pytest.Collector):
    """Holds the cases."""

    every: list[Prepared]

    def collect(self) -> Iterator[pytest.Item]:
        for of in self.every:
            search, told = Search(0, 200), Told()
            for check in of.checks:
                item: Any = _Item.from_parent(self, name=f"check[{of.name}-{check}]")
                item.of, item.case = of, CheckCase(of, check, search, told)
                yield item


class _Item(pytest.Item):
    """One check of one component."""

    of: Prepared
    case: CheckCase

    def runtest(self) -> None:
        assert self.of.component is not None
        self.case(self.of.component)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, self.name

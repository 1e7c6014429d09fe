"""The pytest plugin of lossfw: ``pytest --lossfw-check NAME``.

Every session of pytest loads it wherever lossfw is installed. So it stands
outside of the package and imports nothing until its option is used.
"""

from __future__ import annotations

from typing import Any


def pytest_addoption(parser: Any) -> None:
    """Add the option."""
    parser.getgroup("lossfw").addoption(
        "--lossfw-check",
        action="append",
        default=[],
        metavar="NAME",
        help="also check what a loss, an activation or a distribution promises",
    )


def pytest_configure(config: Any) -> None:
    """Register what makes the cases, where the option is used."""
    names = config.getoption("--lossfw-check")
    if names:
        from lossfw.check.pytest_plugin import Checks

        config.pluginmanager.register(Checks(names), "lossfw-checks")

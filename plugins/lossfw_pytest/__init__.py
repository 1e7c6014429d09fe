"""The pytest plugin of lossfw: ``pytest --lossfw-check NAME``.

Every pytest session loads it if lossfw is installed. So it is outside of the package, and imports
nothing until its option is used.
"""

from __future__ import annotations

from typing import Any


def pytest_addoption(parser: Any) -> None:
    """Add the options."""
    group = parser.getgroup("lossfw")
    group.addoption(
        "--lossfw-check",
        action="append",
        default=[],
        metavar="NAME",
        help="also check the promises of a loss, an activation or a distribution",
    )
    group.addoption(
        "--lossfw-strict",
        action="store_true",
        default=False,
        help="fail on notes of --lossfw-check too, such as lost digits",
    )
    parser.addini("lossfw_strict", "as --lossfw-strict", type="bool", default=False)


def pytest_configure(config: Any) -> None:
    """Register the class that makes the cases, if the option is used."""
    names = config.getoption("--lossfw-check")
    if names:
        from lossfw.check.pytest_plugin import Checks

        strict = config.getoption("--lossfw-strict") or config.getini("lossfw_strict")
        config.pluginmanager.register(Checks(names, strict=strict), "lossfw-checks")


def pytest_runtest_teardown(item: Any) -> None:
    """Copy the note of a case into result files, which do not contain warnings."""
    case = getattr(getattr(item, "callspec", None), "params", {}).get("check")
    case = getattr(item, "case", case)
    note = getattr(case, "note", "")
    if isinstance(note, str) and note:
        item.user_properties.append(("note", note))

"""Checks as pytest cases, one per component and check.

::

    from lossfw.check import parametrize_with_checks

    @parametrize_with_checks(["fair", Tilted(t=0.3)], expected_failures={"convex": "because ..."})
    def test_my_losses(component, check):
        check(component)
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from lossfw.check.api import suite_of_component
from lossfw.check.core.search import NotApplicable, Search
from lossfw.check.core.subject import Subject
from lossfw.check.options import Options
from lossfw.check.refutation import Refutation
from lossfw.check.report import NotJudged, NotRun, Report
from lossfw.check.runner import (
    CheckSuite,
    FindingDeduplicator,
    attempt,
    expectations,
    suite_of_subject,
)
from lossfw.check.severity import NOTES, is_convention
from lossfw.components.component import Component
from lossfw.errors import ArgumentError, CheckNote, HarnessError, MissingExtraError
from lossfw.extras import install_command


class CheckCase:
    """One check of a suite, to be called with a component in the body of a test.

    The cases of a suite share a search, so that points are drawn once, and findings, so that an
    error that ends several checks fails only one case. A note is a warning, or in a strict case a
    failure; `note` keeps its text.
    """

    def __init__(
        self,
        suite: CheckSuite,
        name: str,
        search: Search,
        findings: FindingDeduplicator,
        *,
        strict: bool = False,
    ) -> None:
        self.name, self.strict, self.note = name, strict, ""
        self._suite, self._search, self._findings = suite, search, findings

    def __call__(self, component: Component | Subject) -> None:
        """Run the check: the test fails where it is wrong, and is skipped where it does not apply.

        Parameters
        ----------
        component : Component or Subject
            The one of the case, or another one that the check applies to.

        Raises
        ------
        HarnessError
            If the harness itself fails.
        """
        __tracebackhide__ = True
        pytest = _pytest()
        suite, search, findings = self._suite, self._search, self._findings
        if component != _argument(suite):
            suite = _suite(component, bridges=self.name.startswith("bridge:"))
            search, findings = Search(search.seed, search.examples), FindingDeduplicator()
        if self.name not in suite.checks:
            pytest.skip(f"{suite.name} does not claim {self.name.removeprefix('claim:')}")
        if findings.blocked_by not in ("", self.name):
            pytest.skip(f"not run: {findings.reason}")
        outcome = findings.deduplicate(attempt(suite, self.name, search))
        if isinstance(outcome, NotApplicable):
            pytest.skip(str(outcome))
        if isinstance(outcome, NotRun):
            pytest.skip(f"not run: {outcome.reason}")
        if isinstance(outcome, NotJudged):
            raise HarnessError(f"{self.name} could not be checked: {outcome.line}")
        if isinstance(outcome, Refutation):
            text = "\n".join(Report(suite.name, [outcome]).lines())
            if outcome.grade not in NOTES or self.strict:
                pytest.fail(text, pytrace=False)
            self.note = text
            warnings.warn(CheckNote(text), stacklevel=2)

    def __repr__(self) -> str:
        return f"<check {self.name}>"


def cases_of(
    suite: CheckSuite,
    seed: int = 0,
    examples: int = 200,
    expected: Mapping[str, str] | None = None,
    *,
    strict: bool = False,
) -> Iterator[CheckCase]:
    """Yield the cases of a suite."""
    search, findings = Search(seed, examples), FindingDeduplicator()
    for name in suite.checks:
        # An error that is expected must be reported by each case that expects it, and so must a
        # note.
        is_expected = name in (expected or {})
        own = FindingDeduplicator() if is_expected else findings
        yield CheckCase(suite, name, search, own, strict=strict or is_expected)


def parametrize_with_checks(
    components: Iterable[str | Mapping[str, Any] | Component | Subject],
    *,
    expected_failures: Mapping[str, str | Mapping[str, str]] | None = None,
    seed: int = 0,
    examples: int = 200,
    bridges: bool = False,
    conventions: bool = False,
    strict: bool = False,
) -> Any:
    """Return a decorator that runs a test with each component and each of its checks.

    The test has the arguments ``component`` and ``check``, and its body is
    ``check(component)``.

    Parameters
    ----------
    components : iterable of str, mapping, Component or Subject
        Names, mappings with ``name`` and parameters, losses, activations, or outside
        functions, each as a `subject`.
    expected_failures : mapping, optional
        The name of a check or of a claim to the reason why it is expected to fail, for every
        component that it applies to; or the name of a component to such a mapping only for it. An
        expected failure that does not fail is a failure.
    seed, examples
        As in `lossfw.check.check`.
    bridges : bool
        Check every installed bridge too.
    conventions : bool
        Whether differences of convention of outside functions count as failures.
    strict : bool
        Whether notes, such as lost digits, are failures instead of warnings.

    Returns
    -------
    pytest.MarkDecorator

    Raises
    ------
    ArgumentError
        If there is no component, or an expected failure matches no test case.
    UnknownNameError
        If there is no such component.

    Examples
    --------
    >>> @parametrize_with_checks(["fair"], examples=20)
    ... def test_fair(component, check):
    ...     check(component)
    """
    if isinstance(components, str | Mapping | Component | Subject):
        raise ArgumentError(f"components should be a list: [{components!r}].")
    Options(seed, examples)  # refuses what is not a number
    suites = [_suite(component, conventions, bridges) for component in components]
    if not suites:
        raise ArgumentError("parametrize_with_checks got no components.")
    pytest = _pytest()
    params = []
    for suite, expected in zip(
        suites, _expected_failures(expected_failures or {}, suites), strict=True
    ):
        for case in cases_of(suite, seed, examples, expected, strict=strict):
            reason, marks = expected.get(case.name), []
            if reason:
                raises = pytest.fail.Exception
                marks = [pytest.mark.xfail(reason=reason, strict=True, raises=raises)]
            name = f"{suite.name}-{case.name}"
            params.append(pytest.param(_argument(suite), case, id=name, marks=marks))
    return pytest.mark.parametrize(("component", "check"), params)


def _suite(
    component: str | Mapping[str, Any] | Component | Subject,
    conventions: bool = True,
    bridges: bool = False,
) -> CheckSuite:
    """Return a component or an outside function with its checks, without those not asked for."""
    if not isinstance(component, Subject):
        return suite_of_component(component, bridges)
    suite = suite_of_subject(component)
    checks = {
        name: check
        for name, check in suite.checks.items()
        if conventions or not is_convention(name)
    }
    return replace(suite, checks=checks)


def _argument(suite: CheckSuite) -> Component | Subject:
    """Return the argument of a test: the component, or the subject of an outside function."""
    if suite.component is not None:
        return suite.component
    assert isinstance(suite.subject, Subject)
    return suite.subject


def _expected_failures(
    failures: Mapping[str, str | Mapping[str, str]], suites: list[CheckSuite]
) -> list[dict[str, str]]:
    """Return for each suite its expected failures, by the name of the check."""
    common = {name: reason for name, reason in failures.items() if isinstance(reason, str)}
    by_component = {name: of for name, of in failures.items() if not isinstance(of, str)}
    names = [suite.name if suite.component is None else suite.component.name for suite in suites]
    for name in by_component:
        if name not in names:
            raise ArgumentError(
                f"expected_failures has an entry for {name!r}, which is none of the components: "
                f"{', '.join(names)}."
            )
    # A name that is wrong for all of them is a mistake.
    expectations(common, {check for suite in suites for check in suite.checks})
    expected = []
    for suite, name in zip(suites, names, strict=True):
        known = {k: v for k, v in common.items() if {k, f"claim:{k}"} & suite.checks.keys()}
        expected.append(expectations({**known, **by_component.get(name, {})}, suite.checks))
    return expected


def _pytest() -> Any:
    """Return pytest, which comes with the extra ``check``.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    try:
        import pytest
    except ImportError:
        raise MissingExtraError(
            f"parametrize_with_checks needs pytest: {install_command('check')}."
        ) from None
    return pytest

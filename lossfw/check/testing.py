"""Checks as cases of pytest, one for each component and check.

::

    from lossfw.check import parametrize_with_checks

    @parametrize_with_checks(["fair", Tilted(t=0.3)], expected_failures={"convex": "because ..."})
    def test_my_losses(component, check):
        check(component)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from lossfw.check.component import prepared
from lossfw.check.core.search import NotApplicable, Search
from lossfw.check.core.subject import Subject
from lossfw.check.options import Options
from lossfw.check.report import NotRun, Refutation
from lossfw.check.runner import Prepared, Told, attempt, expectations, prepare
from lossfw.check.severity import severity
from lossfw.components.component import Component
from lossfw.errors import ArgumentError, MissingExtraError


class CheckCase:
    """One check, to be called with a component in the body of a test.

    Parameters
    ----------
    of : Prepared
        The component that the check was found for, with all its checks.
    name : str
        The check.
    search : Search
        Shared by the cases of a component: points are drawn once.
    told : Told, optional
        Shared by them too: an error that ends several checks fails one case.
    """

    def __init__(self, of: Prepared, name: str, search: Search, told: Told | None = None) -> None:
        self._of = of
        self._search = search
        self._told = told or Told()
        self.name = name

    def __call__(self, component: Component | Subject) -> None:
        """Run the check: the test fails where it refutes, and is skipped where it does not apply.

        Parameters
        ----------
        component : Component or Subject
            The one of the case, or another one that the check applies to.
        """
        __tracebackhide__ = True
        pytest = _pytest()
        of, search, told = self._of, self._search, self._told
        if component != _checked(of):
            bridges = self.name.startswith("bridge:")
            of, told = _prepared(component, bridges=bridges), Told()
            search = Search(search.seed, search.examples)
        if self.name not in of.checks:
            pytest.skip(f"{of.name} does not claim {self.name.removeprefix('claim:')}")
        if told.blocked not in ("", self.name):
            pytest.skip(f"not run: {told.reason}")
        outcome = told.once(attempt(of, self.name, search))
        if isinstance(outcome, NotApplicable):
            pytest.skip(str(outcome))
        if isinstance(outcome, NotRun):
            pytest.skip(f"not run: {outcome.reason}")
        if isinstance(outcome, Refutation):
            pytest.fail(f"{of.name}\n{outcome}", pytrace=False)

    def __repr__(self) -> str:
        return f"<check {self.name}>"


def parametrize_with_checks(
    components: Iterable[str | Mapping[str, Any] | Component | Subject],
    *,
    expected_failures: Mapping[str, str | Mapping[str, str]] | None = None,
    seed: int = 0,
    examples: int = 200,
    bridges: bool = False,
    conventions: bool = False,
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
        The name of a check or of a claim to the reason why it is expected to
        fail, for every component that it applies to; or the name of a
        component to such a mapping for it alone. A case that is expected to
        fail and does not is a failure.
    seed, examples
        As in `lossfw.check.check`.
    bridges : bool
        Check every installed bridge too.
    conventions : bool
        Hold outside functions to conventions too.

    Returns
    -------
    pytest.MarkDecorator

    Raises
    ------
    ArgumentError
        If there is no component, or an expected failure fits none of the cases.
    UnknownNameError
        If there is no such component.

    Examples
    --------
    >>> @parametrize_with_checks(["fair"], examples=20)
    ... def test_fair(component, check):
    ...     check(component)
    """
    if isinstance(components, str | Mapping | Component | Subject):
        raise ArgumentError(f"components is a list: [{components!r}].")
    Options(seed, examples)  # refuses what is no number
    every = [_prepared(component, conventions, bridges) for component in components]
    if not every:
        raise ArgumentError("parametrize_with_checks was given no components.")
    failures = _failures(expected_failures or {}, every)
    cases = []
    for of, reasons in zip(every, failures, strict=True):
        search, told = Search(seed, examples), Told()
        for name in of.checks:
            reason = reasons.get(name, "")
            # An error that is expected must be told by each case that expects it.
            case = CheckCase(of, name, search, None if reason else told)
            cases.append(_case(of, case, reason))
    return _pytest().mark.parametrize(("component", "check"), cases)


def _case(of: Prepared, case: CheckCase, reason: str) -> Any:
    pytest = _pytest()
    xfail = pytest.mark.xfail(reason=reason, strict=True, raises=pytest.fail.Exception)
    return pytest.param(
        _checked(of),
        case,
        id=f"{of.name}-{case.name}",
        marks=[xfail] if reason else [],
    )


def _prepared(
    component: str | Mapping[str, Any] | Component | Subject,
    conventions: bool = True,
    bridges: bool = False,
) -> Prepared:
    """Return a component or an outside function with its checks, without those not asked for."""
    if not isinstance(component, Subject):
        return prepared(component, bridges)
    of = prepare(component)
    counted = {
        name: check
        for name, check in of.checks.items()
        if conventions or severity(name) != "convention"
    }
    return replace(of, checks=counted)


def _checked(of: Prepared) -> Component | Subject:
    """Return the argument of a test: the component, or the subject of an outside function."""
    if of.component is not None:
        return of.component
    assert isinstance(of.subject, Subject)
    return of.subject


def _failures(
    given: Mapping[str, str | Mapping[str, str]], every: list[Prepared]
) -> list[dict[str, str]]:
    """Return for each component its expected failures, by the name of the check."""
    alone = {name: reasons for name, reasons in given.items() if not isinstance(reasons, str)}
    common = {name: reason for name, reason in given.items() if isinstance(reason, str)}
    names = [of.component.name if of.component is not None else of.name for of in every]
    for name in alone:
        if name not in names:
            raise ArgumentError(
                f"expected_failures has an entry for {name!r}, which is none of the components: "
                f"{', '.join(names)}."
            )
    # A name that is wrong for all of them is a mistake.
    expectations(common, {check for of in every for check in of.checks})
    found = []
    for of, name in zip(every, names, strict=True):
        here = {k: v for k, v in common.items() if k in of.checks or f"claim:{k}" in of.checks}
        found.append(expectations({**here, **alone.get(name, {})}, of.checks))
    return found


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
            "parametrize_with_checks needs pytest: pip install 'lossfw[check]'."
        ) from None
    return pytest

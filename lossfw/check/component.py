"""check: the harness for components, built in or a plugin's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lossfw.check.bridges.installed import bridge_checks
from lossfw.check.checks import COMPONENT_CHECKS
from lossfw.check.core.reproduce import setup
from lossfw.check.core.subject import of_component
from lossfw.check.laws import activations
from lossfw.check.options import Options
from lossfw.check.report import Report
from lossfw.check.runner import Prepared, prepare, run
from lossfw.components.claims import need_claims
from lossfw.components.component import Component
from lossfw.errors import ArgumentError
from lossfw.losses.loss import Loss
from lossfw.nn.activation import Activation


def check(
    component: str | Mapping[str, Any] | Component,
    *,
    seed: int = 0,
    examples: int = 200,
    time_limit: float | None = None,
    allow_unfinished: bool = False,
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    expected_failures: Mapping[str, str] | None = None,
    bridges: bool = False,
) -> Report:
    """Try to refute everything that a loss or an activation promises.

    Parameters
    ----------
    component : str, mapping or Component
        A name, a mapping with ``name`` and parameters, a loss or an activation.
    seed : int
        The same seed gives the same report.
    examples : int
        About how many pairs each check tries in each dtype.
    time_limit : float, optional
        Seconds after which no further check is begun: the others are not run.
    allow_unfinished : bool
        A report may be ok although the time limit left checks that did not run.
    only, skip : sequence of str
        The checks to run (all unless given), and those not to run: names, claims, or
        first parts of names such as ``"dtype"`` and ``"claim"``.
    expected_failures : mapping of str to str, optional
        Name of a check or of a claim to the reason why it is expected to fail.
        One that holds all the same makes the report not ok.
    bridges : bool
        Check every installed bridge too: what its library gets from the loss.

    Returns
    -------
    Report

    Raises
    ------
    UnknownNameError
        If there is no such component.
    ArgumentError
        If an expected failure, `only` or `skip` names no check, or the component is no loss and
        no activation.

    Examples
    --------
    >>> report = check("absolute_error", examples=50)
    >>> report.ok, report.refuted
    (True, [])
    """
    return run(
        prepared(component, bridges),
        Options(seed, examples, time_limit, allow_unfinished, only, skip, bridges=bridges),
        expected_failures=expected_failures,
    )


def prepared(component: str | Mapping[str, Any] | Component, bridges: bool = False) -> Prepared:
    """Return a loss or an activation with the checks that apply to it.

    With `bridges` they are followed by those of the installed bridges.

    Raises
    ------
    UnknownNameError, ArgumentError
        As in `check`.
    """
    made = _made(component)
    if isinstance(made, Activation | Loss):
        need_claims(made)
    if isinstance(made, Activation):
        if bridges:
            raise ArgumentError(f"{made.name} is no loss: no bridge trains with an activation.")
        checks, not_claimed = activations.checks(made), made.claims().not_made()
        return Prepared(repr(made), made, checks, not_claimed, setup(made), made)
    if isinstance(made, Loss):
        more = {**COMPONENT_CHECKS, **(bridge_checks(made) if bridges else {})}
        return prepare(of_component(made), more)
    raise ArgumentError(f"{made!r} is a {made.kind}: losses and activations can be checked.")


def _made(component: str | Mapping[str, Any] | Component) -> Component:
    """Return a component for a name, which is looked for among losses, then activations."""
    if isinstance(component, Component):
        return component
    if isinstance(component, type):
        name = component.__name__
        raise ArgumentError(f"{name} is a class: give an object of it, {name}().")
    if not isinstance(component, str | Mapping):
        raise ArgumentError(
            f"{component!r} is no component: give a name, a mapping with 'name', a loss or an "
            "activation; `check_function` and `subject` take functions."
        )
    from lossfw.components.registry import registry

    name = component if isinstance(component, str) else str(component.get("name", ""))
    entries = registry().entries("activation")
    activation = any(name == e.name or name in e.aliases for e in entries)
    made: Component = registry().create("activation" if activation else "loss", component)
    return made

"""check and check_function: the harness for components, and for functions of any library."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lossfw.check.bridges.laws import bridge_checks
from lossfw.check.checks import CHECKS, COMPONENT_CHECKS, METRIC_CHECKS, MODEL_CHECKS
from lossfw.check.core.reproduce import import_code, setup_code
from lossfw.check.core.subject import (
    Kind,
    Subject,
    call,
    find_space,
    kind_of,
    spaces_of_kind,
    subject_of_component,
    with_flat_rows,
)
from lossfw.check.foreign.conventions import adapt, load_function
from lossfw.check.laws import activations
from lossfw.check.options import Options
from lossfw.check.report import Report
from lossfw.check.runner import CheckSuite, run, suite_of_subject
from lossfw.components.claims import check_values, require_claims
from lossfw.components.component import Component
from lossfw.components.naming import did_you_mean
from lossfw.components.ranges import PROMISED, PromisedRange, SizeRange, parse_range
from lossfw.components.spaces import LOGITS, Space
from lossfw.errors import ArgumentError
from lossfw.losses.capabilities import RawOutputLoss, without_guard
from lossfw.losses.loss import Loss
from lossfw.metrics import Metric
from lossfw.models import Model
from lossfw.models.trained import TrainedModel
from lossfw.nn.activation import Activation


def check(
    component: str | Mapping[str, Any] | Component,
    *,
    seed: int = 0,
    examples: int = 200,
    time: float | None = None,
    allow_unfinished: bool = False,
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    expected_failures: Mapping[str, str] | None = None,
    bridges: bool = False,
    within: SizeRange | None = None,
    strict: bool = False,
) -> Report:
    """Search for counterexamples to the claims and the laws of a loss, activation, model or metric.

    Parameters
    ----------
    component : str, mapping or Component
        A name, a mapping with ``name`` and parameters, a loss, an activation, a model or a metric.
    seed : int
        The same seed gives the same report.
    examples : int
        The approximate number of examples per check and dtype.
    time : float, optional
        Time limit in seconds: no further check starts after it. The results of the checks that ran
        do not depend on it; `Report.late_checks` lists those that are missing.
    allow_unfinished : bool
        Whether the report may be ok although the time limit was reached before all checks had run.
    only, skip : sequence of str
        The checks to run (all unless given), and those not to run: names, claims, or
        first parts of names such as ``"dtype"`` and ``"claim"``.
    expected_failures : mapping of str to str, optional
        Name of a check or of a claim to the reason why it is expected to fail.
        If it does not fail, the report is not ok.
    bridges : bool
        Whether to check every installed bridge too, and what its library gets from the loss.
    within : PromisedRange, tuple of float or str, optional
        The magnitudes of predictions and targets for which results and claims are checked, such as
        ``(1e-6, 1e6)``; by default those that the loss promises.
    strict : bool
        Whether the report is not ok if there are notes, such as lost digits.

    Returns
    -------
    Report

    Raises
    ------
    UnknownNameError
        If there is no such component.
    ArgumentError
        If an expected failure, `only` or `skip` names no check, or the component is not a loss,
        an activation, a model or a metric.

    Examples
    --------
    >>> report = check("absolute_error", examples=50)
    >>> report.ok, report.refuted
    (True, [])
    """
    return run(
        suite_of_component(component, bridges).restrict_to(within),
        Options(seed, examples, time, allow_unfinished, only, skip, bridges=bridges, strict=strict),
        expected_failures=expected_failures,
    )


def subject(
    value: Callable[..., Any] | str,
    *,
    kind: Kind | None = None,
    prediction: str | Space | None = None,
    target: str | Space | None = None,
    gradient: Callable[..., Any] | str | None = None,
    hessian: Callable[..., Any] | str | None = None,
    reduce: Callable[..., Any] | None = None,
    against: str | Loss | None = None,
    params: Mapping[str, Any] | None = None,
    claims: Mapping[str, Any] | None = None,
    name: str | None = None,
    subnormal: bool = True,
    fewest_classes: int = 0,
    setup: str = "",
    within: SizeRange | None = None,
) -> Subject:
    """Describe outside functions, for `check_function` and `parametrize_with_checks`.

    Parameters
    ----------
    value : callable or str
        ``value(y, t)``, the unreduced loss: one result per element, for ``"categorical"`` one per
        row. A string ``"module:function"`` is imported and called by the convention of its library.
    kind : {"distance", "margin", "pointwise", "categorical"}, optional
        The kind of argument that the loss depends on; by default the kind of `against`.
    prediction, target : str or Space, optional
        Spaces or their names, such as ``"LOGITS"`` and ``"BINARY"``; by default the spaces of
        `against`, or the usual ones of the kind. ``"pointwise"`` has no default.
    gradient, hessian : callable or str, optional
        First derivative and diagonal second derivative of the unreduced loss; a string is imported.
    reduce : callable, optional
        ``reduce(y, t, sample_weight=None, where=None)``, the weighted mean.
    against : str or Loss, optional
        A loss whose 60-digit formula is the reference; it may have named columns. The functions get
        arrays in the shapes that it takes. Without it, gradient and Hessian are compared with
        finite differences of the function's own values.
    params : mapping, optional
        Parameters of `against`.
    claims : mapping, optional
        The claims of the function, with the names of `Claims`.
    name : str, optional
        The name in the report.
    subnormal : bool
        False accepts that a function flushes subnormal numbers to 0, as XLA does on CPUs.
    fewest_classes : int
        The smallest number of classes that the function takes; 1 by default (2 for a hinge).
    setup : str
        Code that defines ``value`` (and the others) in the snippets.
    within : PromisedRange, tuple of float or str, optional
        The magnitudes of predictions and targets for which results and claims are checked, such as
        ``(1e-6, 1e6)``; by default the promised ones.

    Raises
    ------
    ArgumentError
        If kind, a space or a claim is not known, or the function cannot be imported.

    Examples
    --------
    >>> square = subject(lambda y, t: (y - t) ** 2, against="squared_error", name="mine")
    >>> square.name, square.kind, square.prediction.name
    ('mine', 'distance', 'REAL')
    """
    parameters = dict(params or {})
    loss = against
    if isinstance(against, str):
        from lossfw.components.registry import registry

        loss = registry().create("loss", against, **parameters)
    assert loss is None or isinstance(loss, Loss)
    spaces = {"kind": kind, "prediction": prediction, "target": target}
    known = kind_and_spaces(loss, spaces)
    refuse_groups(loss)
    space = find_space(known["prediction"])
    if isinstance(value, str):
        rows = known["kind"] == "categorical"
        adapted = adapt(value, load_function(value), params, rows=rows)
        name, setup = name or value, setup or adapted.setup
        gradient, hessian = gradient or adapted.gradient, hessian or adapted.hessian
        reduce, value = reduce or adapted.reduce, adapted.value
    setup = setup or import_code(value)
    derivatives: dict[str, Any] = {"gradient": gradient, "hessian": hessian}
    for role, function in derivatives.items():
        if isinstance(function, str):
            derivatives[role] = load_function(function)
            module = function.partition(":")[0]
            setup += f"\nimport {module}\n{role} = {function.replace(':', '.')}"
    if not callable(value):
        raise ArgumentError(f"value is {value!r}; expected a function.")
    described = Subject(
        name=name or str(getattr(value, "__name__", "function")),
        kind=known["kind"],
        prediction=space,
        target=find_space(known["target"]),
        value=value,
        **derivatives,
        reduce=reduce,
        truth=textbook_form(loss, parameters, space) if isinstance(against, str) else loss,
        claims=_positive_claims(claims or {}),
        denied=tuple(name for name, claim in (claims or {}).items() if claim is False),
        parameters=parameters,
        setup=setup,
        subnormal=subnormal,
        fewest=fewest_classes,
        prediction_range=_given_or_promised_range(within, loss, "prediction_range"),
        target_range=_given_or_promised_range(within, loss, "target_range"),
    )
    if loss is not None and loss.has_columns:
        return with_flat_rows(described)
    if loss is None and described.rows and not fewest_classes:
        # Two are the least if one class is refused and two are not.
        two = [_accepts_columns(described, columns) for columns in (1, 2)] == [False, True]
        described = replace(described, fewest=2 if two else 0)
    return described


def _given_or_promised_range(
    within: SizeRange | None, loss: Loss | None, name: str
) -> PromisedRange:
    """Return the sizes that are given, else those that the loss promises which is compared with."""
    return getattr(loss, name, PROMISED) if within is None else parse_range(within)


def check_function(
    value: Callable[..., Any] | str,
    *,
    seed: int = 0,
    examples: int = 200,
    time: float | None = None,
    allow_unfinished: bool = False,
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    rtol: float = 0.0,
    conventions: bool = False,
    strict: bool = False,
    expected_failures: Mapping[str, str] | None = None,
    watch: Callable[[str], None] | None = None,
    **description: Any,
) -> Report:
    """Check loss functions of other libraries against the laws and their claims.

    Parameters
    ----------
    value : callable or str
        ``value(y, t)``, the unreduced loss, or ``"module:function"``.
    seed, examples, time, allow_unfinished, only, skip, strict, expected_failures
        As in `check`.
    rtol : float
        The relative tolerance of values and derivatives.
    conventions : bool
        Whether differences of convention count as failures.
    watch : callable, optional
        Called with the name of each check before it runs.
    **description
        The description of the function, as in `subject`: `kind`, `prediction` and `target`, or
        `against`; `gradient`, `claims` and others.

    Returns
    -------
    Report

    Raises
    ------
    ArgumentError
        If kind, a space, a claim or a check is not known.

    Examples
    --------
    >>> import numpy as np
    >>> def value(y, t):
    ...     return (y - t) ** 2
    >>> report = check_function(value, kind="distance", prediction="REAL", target="REAL",
    ...                         claims={"lipschitz": 1.0}, examples=50)
    >>> "claim:lipschitz" in [refutation.check for refutation in report.refuted]
    True
    """
    options = Options(
        seed,
        examples,
        time,
        allow_unfinished,
        only,
        skip,
        rtol=rtol,
        conventions=conventions,
        strict=strict,
    )
    suite = suite_of_subject(subject(value, **description))
    return run(suite, options, expected_failures=expected_failures, watch=watch)


def refuse_groups(against: Loss | None) -> None:
    """Refuse a loss of groups: an outside function has no groups to give it.

    Raises
    ------
    ArgumentError
        If it is one.
    """
    if against is not None and against.takes_groups:
        raise ArgumentError(
            f"against={against.name!r} is a loss of groups; an outside function is compared with a "
            "loss of elements or of rows."
        )


def kind_and_spaces(
    against: Loss | None, given: Mapping[str, Any], option: str = ""
) -> dict[str, Any]:
    """Return kind and spaces: given ones, or those of the reference loss or of the kind.

    Messages put `option`, such as ``--``, before the names.

    Raises
    ------
    ArgumentError
        If one of them is neither given nor known.
    """
    usual: dict[str, Any] = dict(spaces_of_kind(given["kind"]))
    if against is not None:
        usual = {
            "kind": kind_of(against),
            "prediction": against.prediction_space,
            "target": against.target_space,
        }
    known = usual | {key: value for key, value in given.items() if value}
    missing = [f"{option}{key}" for key in given if key not in known]
    if missing:
        raise ArgumentError(
            f"{', '.join(missing)} must be given for an outside function, or {option}against, the "
            "loss that it is compared with."
        )
    return known


def suite_of_component(
    component: str | Mapping[str, Any] | Component, bridges: bool = False
) -> CheckSuite:
    """Return a component with its checks, and a loss with those of installed bridges.

    It raises as `check` does.
    """
    component = _to_component(component)
    if isinstance(component, Activation | Loss):
        require_claims(component)
    if isinstance(component, Activation | Model | Metric) and bridges:
        raise ArgumentError(
            f"{component.name} is not a loss: no bridge trains with this {component.kind}."
        )
    if isinstance(component, Model):
        if why := uncheckable_reason(component):
            raise ArgumentError(f"{component.name} {why}")
        return CheckSuite(
            repr(component), component, MODEL_CHECKS, (), setup_code(component), component
        )
    if isinstance(component, Metric):
        return CheckSuite(
            repr(component), component, METRIC_CHECKS, (), setup_code(component), component
        )
    if isinstance(component, Activation):
        checks, unclaimed = activations.checks(component), component.claims().unclaimed_names()
        return CheckSuite(
            repr(component), component, checks, unclaimed, setup_code(component), component
        )
    if isinstance(component, Loss):
        more = {**COMPONENT_CHECKS, **(bridge_checks(component) if bridges else {})}
        return suite_of_subject(subject_of_component(component), more)
    raise ArgumentError(
        f"{component!r} is a {component.kind}: losses, activations, models and metrics can be "
        "checked."
    )


def uncheckable_reason(model: Model) -> str:
    """Return why a model cannot be checked, as the end of a sentence; empty if it can."""
    if isinstance(model, TrainedModel):
        return "stands for the model in a folder: check that by its name, with -p file=FILE."
    if (library := model.missing_library()) is not None:
        return f"needs {library}, which is not installed: {model.install_command()}"
    if model.file is None and (why := model.missing_reason()):
        return f"cannot learn yet: {why}"
    if model.training_mode is None and model.file is None:
        return (
            "only makes predictions, and has no file to make them by: name one with -p file=FILE, "
            f"or in {type(model).__name__}.examples()."
        )
    return ""


def _to_component(component: str | Mapping[str, Any] | Component) -> Component:
    """Return the component of a name: a loss, else an activation, a model or a metric."""
    if isinstance(component, Component):
        return component
    if isinstance(component, type):
        name = component.__name__
        raise ArgumentError(f"{name} is a class: give an object of it, {name}().")
    if not isinstance(component, str | Mapping):
        raise ArgumentError(
            f"{component!r} is not a component: give a name, a mapping with 'name', a loss, an "
            "activation, a model or a metric; `check_function` and `subject` take functions."
        )
    from lossfw.components.registry import registry

    name = component if isinstance(component, str) else str(component.get("name", ""))
    others = [kind for kind in ("activation", "model") if _is_registered(kind, name)]
    if not others and not _is_registered("loss", name) and _is_registered("metric", name):
        others = ["metric"]
    created: Component = registry().create(others[0] if others else "loss", component)
    return created


def _is_registered(kind: str, name: str) -> bool:
    from lossfw.components.registry import registry

    return any(name in entry.names for entry in registry().entries(kind))


def _positive_claims(claims: Mapping[str, Any]) -> dict[str, Any]:
    """Return the claims that are made, and neither denied nor None, after a check of all."""
    known = {name.removeprefix("claim:") for name in CHECKS if name.startswith("claim:")}
    for name in claims:
        if name not in known:
            raise ArgumentError(
                f"there is no claim {name!r}. {did_you_mean(name, known)} Known are: "
                f"{', '.join(sorted(known))}."
            )
    check_values(claims)
    return {name: c for name, c in claims.items() if c is not None and c is not False}


def _accepts_columns(subject: Subject, columns: int) -> bool:
    y = np.full((1, columns), 1 / columns)
    t = np.zeros(1, int) if subject.by_index else np.full((1, columns), 1 / columns)
    try:
        call(subject.value, y, t)
    except Exception:
        return False
    return True


def textbook_form(loss: Loss | None, parameters: Mapping[str, Any], prediction: Space) -> Any:
    """Return the form for logits if predictions are logits, otherwise without a default guard."""
    if prediction is LOGITS and isinstance(loss, RawOutputLoss):
        return loss.on_raw_outputs() or loss
    return loss if loss is None or "guard" in parameters else without_guard(loss)

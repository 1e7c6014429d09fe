"""check_function: the harness for functions of any library."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lossfw.check.checks import CHECKS
from lossfw.check.core.reproduce import importing
from lossfw.check.core.subject import Kind, Subject, call, kind_of, space_named, spaces_of_kind
from lossfw.check.foreign.adapters import adapt
from lossfw.check.foreign.loading import load
from lossfw.check.options import Options
from lossfw.check.report import Report
from lossfw.check.runner import prepare, run
from lossfw.components.claims import check_values
from lossfw.components.naming import did_you_mean
from lossfw.components.spaces import LOGITS, Space
from lossfw.errors import ArgumentError
from lossfw.losses.capabilities import LinkedLoss, without_guard
from lossfw.losses.loss import Loss


def subject(
    value: Callable[..., Any] | str,
    *,
    kind: Kind | None = None,
    prediction: str | Space | None = None,
    target: str | Space | None = None,
    gradient: Callable[..., Any] | None = None,
    hessian: Callable[..., Any] | None = None,
    reduce: Callable[..., Any] | None = None,
    against: str | Loss | None = None,
    params: Mapping[str, Any] | None = None,
    claims: Mapping[str, Any] | None = None,
    name: str | None = None,
    subnormal: bool = True,
    fewest_classes: int = 0,
    setup: str = "",
) -> Subject:
    """Describe outside functions, for `check_function` and `parametrize_with_checks`.

    Parameters
    ----------
    value : callable or str
        ``value(y, t)``, the unreduced loss: one result per element, for
        ``"categorical"`` one per row. A text ``"module:function"`` is imported, and
        called by the convention of its library.
    kind : {"distance", "margin", "pointwise", "categorical"}, optional
        The kind of argument that the loss depends on; that of `against` unless given.
    prediction, target : str or Space, optional
        Names of the spaces, ``"LOGITS"`` and ``"BINARY"`` among them; those of
        `against` unless given, or the usual ones of the kind. ``"pointwise"`` has none.
    gradient, hessian : callable, optional
        First derivative and diagonal second derivative of the unreduced loss.
    reduce : callable, optional
        ``reduce(y, t, sample_weight=None, where=None)``, the weighted mean.
    against : str or Loss, optional
        A loss whose 60-digit formula is the truth. Without it, gradient and
        Hessian are judged by differences of the function's own values.
    params : mapping, optional
        Parameters of `against`.
    claims : mapping, optional
        The function's promises: names and meanings are those of `Claims`.
    name : str, optional
        For the report.
    subnormal : bool
        False forgives functions that take subnormal numbers for 0, as XLA does on processors.
    fewest_classes : int
        The least number of classes that the function takes, 1 unless given (of a
        hinge 2).
    setup : str
        Code that defines ``value`` (and the others) in the snippets.

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
    known = _described(against, params, kind=kind, prediction=prediction, target=target)
    space = space_named(known["prediction"])
    if isinstance(value, str):
        adapted = adapt(value, load(value), params, rows=known["kind"] == "categorical")
        name, setup = name or value, setup or adapted.setup
        gradient, hessian = gradient or adapted.gradient, hessian or adapted.hessian
        reduce, value = reduce or adapted.reduce, adapted.value
    if not callable(value):
        raise ArgumentError(f"value is {value!r}, and a function was wanted.")
    made = Subject(
        name=name or str(getattr(value, "__name__", "function")),
        kind=known["kind"],
        prediction=space,
        target=space_named(known["target"]),
        value=value,
        gradient=gradient,
        hessian=hessian,
        reduce=reduce,
        truth=_truth(against, dict(params or {}), space),
        claims=_made_claims(claims or {}),
        denied=tuple(name for name, claim in (claims or {}).items() if claim is False),
        parameters=dict(params or {}),
        setup=setup or importing(value),
        subnormal=subnormal,
        fewest=fewest_classes,
    )
    if made.truth is None and not fewest_classes:
        made = replace(made, fewest=_fewest_classes(made))
    return made


def check_function(
    value: Callable[..., Any] | str,
    *,
    seed: int = 0,
    examples: int = 200,
    time_limit: float | None = None,
    allow_unfinished: bool = False,
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    rtol: float = 0.0,
    conventions: bool = False,
    expected_failures: Mapping[str, str] | None = None,
    watch: Callable[[str], None] | None = None,
    **description: Any,
) -> Report:
    """Hold outside functions to the contract and to their claims.

    Parameters
    ----------
    value : callable or str
        ``value(y, t)``, the unreduced loss, or ``"module:function"``.
    seed, examples, time_limit, allow_unfinished, only, skip, expected_failures
        As in `check`.
    rtol : float
        Values and derivatives may be off by this part of the true ones.
    conventions : bool
        Conventions that the function does not share count as failures too.
    watch : callable, optional
        Told the name of each check before it runs.
    **description
        What the function is, as in `subject`: `kind`, `prediction` and `target`, or
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
        time_limit,
        allow_unfinished,
        only,
        skip,
        rtol=rtol,
        conventions=conventions,
    )
    made = prepare(subject(value, **description))
    return run(made, options, expected_failures=expected_failures, watch=watch)


def _described(
    against: str | Loss | None, params: Mapping[str, Any] | None, **given: Any
) -> dict[str, Any]:
    """Return kind and spaces: those given, else those of the loss to compare with or of the kind.

    Raises
    ------
    ArgumentError
        If one of them is neither given nor known.
    """
    found = {key: value for key, value in given.items() if value is not None}
    usual = spaces_of_kind(given["kind"])
    if against is None:
        found = {**usual, **found}
    missing = [key for key in given if key not in found]
    if missing and against is None:
        raise ArgumentError(
            f"{', '.join(missing)} must be given for an outside function, or against, the loss "
            "that it is compared with."
        )
    if missing:
        from lossfw.components.registry import registry

        loss = against
        if not isinstance(loss, Loss):
            loss = registry().create("loss", {"name": against, **(params or {})})
        assert isinstance(loss, Loss)
        own = {"kind": kind_of(loss), "prediction": loss.prediction_space,
               "target": loss.target_space}  # fmt: skip
        found = {**own, **found}
    return found


def _made_claims(claims: Mapping[str, Any]) -> dict[str, Any]:
    _check_claims(claims)
    check_values(claims)
    return {name: c for name, c in claims.items() if c is not None and c is not False}


def _fewest_classes(subject: Subject) -> int:
    """Return 2 if one class is refused and two are not, else 0."""
    if not subject.rows:
        return 0
    refused = [not _takes(subject, columns) for columns in (1, 2)]
    return 2 if refused == [True, False] else 0


def _takes(subject: Subject, columns: int) -> bool:
    y = np.full((1, columns), 1 / columns)
    t = np.zeros(1, int) if subject.by_index else np.full((1, columns), 1 / columns)
    try:
        call(subject.value, y, t)
    except Exception:
        return False
    return True


def _check_claims(claims: Mapping[str, Any]) -> None:
    known = {name.removeprefix("claim:") for name in CHECKS if name.startswith("claim:")}
    for name in claims:
        if name not in known:
            raise ArgumentError(
                f"there is no claim {name!r}. {did_you_mean(name, known)} Known are: "
                f"{', '.join(sorted(known))}."
            )


def _truth(against: str | Loss | None, params: dict[str, Any], prediction: Space) -> Loss | None:
    """Return the loss to compare with, in the form for logits where predictions are such."""
    if against is None or isinstance(against, Loss):
        return against
    from lossfw.components.registry import registry

    cls = registry().component_class("loss", against)
    loss = cls(**params)
    assert isinstance(loss, Loss)
    if prediction is LOGITS and isinstance(loss, LinkedLoss):
        return loss.on_logits() or loss
    # The textbook formula has no guard.
    return loss if "guard" in params else without_guard(loss)

"""check_function: the harness for functions of any library."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, get_args

import numpy as np

from lossfw.check.core.reproduce import importing
from lossfw.check.core.subject import Kind, Subject, call, space_named
from lossfw.check.report import Report
from lossfw.check.runner import CHECKS, prepare, run
from lossfw.components.naming import did_you_mean
from lossfw.components.spaces import LOGITS, Space
from lossfw.errors import ArgumentError
from lossfw.losses.capabilities import LinkedLoss, without_guard
from lossfw.losses.loss import Loss


def check_function(
    value: Callable[..., Any],
    *,
    kind: Kind,
    prediction: str | Space,
    target: str | Space,
    gradient: Callable[..., Any] | None = None,
    hessian: Callable[..., Any] | None = None,
    reduce: Callable[..., Any] | None = None,
    against: str | Loss | None = None,
    params: Mapping[str, Any] | None = None,
    claims: Mapping[str, Any] | None = None,
    name: str | None = None,
    subnormal: bool = True,
    fewest_classes: int = 0,
    seed: int = 0,
    examples: int = 200,
    time_limit: float | None = None,
    allow_unfinished: bool = False,
    expected_failures: Mapping[str, str] | None = None,
    setup: str = "",
    watch: Callable[[str], None] | None = None,
) -> Report:
    """Hold outside functions to the contract and to their claims.

    Parameters
    ----------
    value : callable
        ``value(y, t)``, the unreduced loss: one result per element, for
        ``"categorical"`` one per row.
    kind : {"distance", "margin", "pointwise", "categorical"}
        The kind of argument that the loss depends on.
    prediction, target : str or Space
        Names of the spaces; ``"LOGITS"`` and ``"BINARY"`` among them.
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
    seed, examples, time_limit, allow_unfinished, expected_failures
        As in `check`.
    setup : str
        Code that defines ``value`` (and the others) in the snippets.
    watch : callable, optional
        Told the name of each check before it runs.

    Returns
    -------
    Report

    Raises
    ------
    ArgumentError
        If kind, a space or a claim is not known.

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
    if kind not in get_args(Kind):
        raise ArgumentError(
            f"kind={kind!r} is not known: choose one of {', '.join(get_args(Kind))}."
        )
    made = {
        key: claim
        for key, claim in (claims or {}).items()
        if claim is not None and claim is not False
    }
    _check_claims(made)
    space = space_named(prediction)
    subject = Subject(
        name=name or str(getattr(value, "__name__", "function")),
        kind=kind,
        prediction=space,
        target=space_named(target),
        value=value,
        gradient=gradient,
        hessian=hessian,
        reduce=reduce,
        truth=_truth(against, dict(params or {}), space),
        claims=made,
        parameters=dict(params or {}),
        setup=setup or importing(value),
        subnormal=subnormal,
        fewest=fewest_classes,
    )
    if subject.truth is None and not fewest_classes:
        subject = replace(subject, fewest=_fewest_classes(subject))
    return run(
        prepare(subject),
        seed=seed,
        examples=examples,
        time_limit=time_limit,
        allow_unfinished=allow_unfinished,
        expected_failures=expected_failures,
        watch=watch,
    )


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

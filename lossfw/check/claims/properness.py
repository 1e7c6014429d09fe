"""Attacks on properness: the true probabilities minimise the expected loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from lossfw.check.claims.expected_loss import (
    CERTAIN,
    risk_of,
    rounded,
    values_of,
    without_nan,
)
from lossfw.check.core.points import first
from lossfw.check.core.session import NotApplicable, Refuted, Search, check
from lossfw.check.core.subject import Subject
from lossfw.components.spaces import SIMPLEX, UNIT
from lossfw.numerics.arrays import NDArray

_PROBABILITIES = (0.02, 0.1, 0.25, 0.4, 0.6, 0.7, 0.9, 0.98)

_RISK = (
    "[sum(w * value(row[None], np.array([k]))[0] for k, w in enumerate(q)) for row in y] "
    "if y.ndim > 1 else q * value(y, np.ones(2)) + (1 - q) * value(y, np.zeros(2))"
)


@check("claim:proper")
def check_proper(subject: Subject, search: Search) -> None:
    """Claim: the true probabilities minimise the expected loss."""
    _check_proper(subject, search, strict=False)


@check("claim:strictly_proper")
def check_strictly_proper(subject: Subject, search: Search) -> None:
    """Claim: the true probabilities alone minimise the expected loss."""
    _check_proper(subject, search, strict=True)


def _check_proper(subject: Subject, search: Search, *, strict: bool) -> None:
    if subject.prediction is UNIT and not subject.rows:
        _proper_binary(subject, strict)
        return
    if subject.rows and subject.prediction is SIMPLEX and subject.by_index:
        _proper_rows(subject, search, strict)
        return
    raise NotApplicable("predictions are no probabilities")


def _proper_binary(subject: Subject, strict: bool) -> None:
    grid = np.unique(
        np.concatenate(
            [np.arange(1, 400) / 400, 10.0 ** -np.arange(3.0, 7), 1 - 10.0 ** -np.arange(3.0, 7)]
        )
    )
    for q in _PROBABILITIES:
        p = np.append(grid, q)
        ones, zeros = np.ones_like(p), np.zeros_like(p)
        risk = q * values_of(subject, p, ones) + (1 - q) * values_of(subject, p, zeros)
        _judge_proper(risk[:-1], float(risk[-1]), grid, np.abs(grid - q) > 1e-2, q, strict)


def _judge_proper(
    risk: NDArray, own: float, others: NDArray, far: NDArray, truth: Any, strict: bool
) -> None:
    risk, slack = without_nan(risk), CERTAIN * (1 + abs(own))
    at, text = int(np.argmin(risk)), ""
    as_good = far & (risk <= own + slack)
    if risk[at] < own - slack:
        text = (
            f"the expected loss of saying so is {own:.9g}, and of saying {rounded(others[at])} "
            f"only {risk[at]:.9g}."
        )
    elif strict and as_good.any():
        at = first(as_good)
        text = (
            f"saying {rounded(others[at])} is as good as saying so: the expected loss of both is "
            f"{own:.9g}."
        )
    if text:
        said = np.stack([np.broadcast_to(truth, np.shape(others[at])), others[at]])
        text = f"where the label has probabilities {rounded(truth)}, {text}"
        raise Refuted(text, _RISK, y=said, q=np.asarray(truth))


def _proper_rows(subject: Subject, search: Search, strict: bool) -> None:
    rng = search.rng("proper")
    for columns in (2, 3, 4):
        for q in [np.array([0.5, 0.3, 0.15, 0.05])[:columns], *rng.dirichlet(np.ones(columns), 4)]:
            q = q / q.sum()
            others = [rng.dirichlet(np.full(columns, a), 60) for a in (1.0, 5.0)]
            for step in (0.2, 0.05, 0.01, 0.002):
                others.append((1 - step) * q + step * np.eye(columns))
                others.append(_between_two(q, step))
                away = rng.normal(size=(30, columns))
                away -= away.mean(-1, keepdims=True)
                others.append(
                    np.abs(q + step * away / np.linalg.norm(away, axis=-1, keepdims=True))
                )
            rows = np.concatenate(others)
            rows /= rows.sum(-1, keepdims=True)
            risk = risk_of(subject, rows, q)
            own = float(risk_of(subject, q[None], q)[0])
            far = np.abs(rows - q).max(-1) > 1e-2
            _judge_proper(risk, own, rows, far, q, strict)


def _between_two(q: NDArray, step: float) -> NDArray:
    """Return the distributions for which one class gives a share to one other."""
    unit = np.eye(q.size)
    moved = q + step * (unit[:, None] - unit[None]).reshape(-1, q.size)
    return np.asarray(moved[(moved >= 0).all(-1) & (moved != q).any(-1)])

"""Attacks on calibration: the least risk is reached by the most probable class alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lossfw.check.claims.expected_loss import (
    risk_of,
    rounded,
    values_of,
    without_nan,
)
from lossfw.check.core.session import NotApplicable, Refuted, Search, check
from lossfw.check.core.subject import Subject
from lossfw.components.spaces import SIMPLEX, UNIT
from lossfw.numerics.arrays import NDArray

# Risks this close to the least one count as reaching it.
_REACHED = 1e-7

# From so many examples on, decisions are looked for under every distribution.
_WHOLE = 100

# A random search makes so many steps, each shorter by this factor: the last are of 1e-6.
_STEPS, _SHRINK = 48, 0.75

# It begins from so many predictions, follows so many of them, and tries so many moves of each.
_DRAWN, _FOLLOWED, _MOVES = 400, 12, 16


@check("claim:calibrated")
def check_calibrated(subject: Subject, search: Search) -> None:
    """Claim: predictions that name another class cannot reach the least risk."""
    if subject.kind == "margin":
        _calibrated_margin(subject)
        return
    if subject.rows and subject.by_index:
        _calibrated_rows(subject, search)
        return
    if subject.prediction is UNIT and not subject.rows:
        _calibrated_unit(subject)
        return
    raise NotApplicable("predictions name no class")


def _calibrated_margin(subject: Subject) -> None:
    grid = np.concatenate(
        [np.arange(-400, 401) / 50, np.outer([-1, 1], 10.0 ** np.linspace(-6, 2, 60)).ravel()]
    )
    grid = np.unique(grid)
    ones = np.ones_like(grid)
    up, down = values_of(subject, grid, ones), values_of(subject, grid, -ones)
    for q in (0.55, 0.6, 0.75, 0.9, 0.99):
        for probability in (q, 1 - q):
            risk = probability * up + (1 - probability) * down
            wrong = grid <= 0 if probability > 0.5 else grid >= 0
            _judge_calibrated(risk, wrong, grid, probability)


def _calibrated_unit(subject: Subject) -> None:
    grid = np.concatenate([np.arange(1, 400) / 400, 10.0 ** -np.arange(3.0, 7)])
    ones, zeros = np.ones_like(grid), np.zeros_like(grid)
    up, down = values_of(subject, grid, ones), values_of(subject, grid, zeros)
    for q in (0.55, 0.75, 0.95, 0.45, 0.25, 0.05):
        wrong = grid <= 0.5 if q > 0.5 else grid >= 0.5
        _judge_calibrated(q * up + (1 - q) * down, wrong, grid, q)


def _judge_calibrated(risk: NDArray, wrong: NDArray, places: NDArray, q: Any) -> None:
    risk = without_nan(risk)
    least = float(risk.min())
    at = int(np.flatnonzero(wrong)[np.argmin(risk[wrong])])
    if risk[at] <= least + _REACHED * (1 + abs(least)):
        raise Refuted(
            f"where the label has probabilities {rounded(q)}, the prediction {rounded(places[at])} "
            f"does not name the most probable class, and reaches the least risk {least:.9g}.",
            "value(y, t)",
            y=places[at : at + 1],
            q=np.asarray(q),
            t=np.zeros(1, int) if np.ndim(q) else np.ones(1),
        )


def _calibrated_rows(subject: Subject, search: Search) -> None:
    rng = search.rng("calibrated")
    fixed = [np.array([0.4, 0.3, 0.3]), np.array([0.45, 0.4, 0.15]), np.array([0.6, 0.25, 0.15]),
             np.array([0.6, 0.4]), np.array([0.3, 0.25, 0.25, 0.2])]  # fmt: skip
    for q in fixed[: max(2, round(len(fixed) * search.examples / _WHOLE))]:
        top = int(np.argmax(q))

        def names_another(y: NDArray, top: int = top) -> NDArray:
            rest = np.delete(y, top, axis=-1).max(-1)
            return np.asarray(y[:, top] <= rest)

        free, free_risk = _descend(subject, q, rng, lambda y: np.ones(len(y), bool))
        wrong, wrong_risk = _descend(subject, q, rng, names_another)
        if wrong_risk <= free_risk + _REACHED * (1 + abs(free_risk)):
            raise Refuted(
                f"where the classes have probabilities {rounded(q)}, the prediction "
                f"{rounded(wrong)} does not name the most probable class, and reaches the least "
                f"risk {min(free_risk, wrong_risk):.9g}.",
                "[sum(w * value(r[None], np.array([k]))[0] for k, w in enumerate(q)) for r in y]",
                y=np.stack([wrong, free]),
                q=q,
            )


def _descend(
    subject: Subject, q: NDArray, rng: np.random.Generator, allowed: Callable[[NDArray], NDArray]
) -> tuple[NDArray, float]:
    """Return the best allowed prediction that a shrinking random search finds, and its risk."""
    start = _starts(subject, q, rng)
    start = start[allowed(start)]
    risk = without_nan(risk_of(subject, start, q))
    keep = np.argsort(risk)[:_FOLLOWED]
    best, best_risk = start[keep], risk[keep]
    rows = np.arange(len(best))
    step = 1.0
    for _ in range(_STEPS):
        near = _neighbours(subject, best, q, rng, step)
        risk = without_nan(risk_of(subject, near, q))
        risk = np.where(allowed(near), risk, np.inf).reshape(len(best), _MOVES)
        at = np.argmin(risk, axis=-1)
        lower, there = risk[rows, at], near.reshape(len(best), _MOVES, q.size)[rows, at]
        better = lower < best_risk
        best = np.where(better[:, None], there, best)
        best_risk = np.where(better, lower, best_risk)
        step *= _SHRINK
    one = int(np.argmin(best_risk))
    return best[one], float(best_risk[one])


def _starts(subject: Subject, q: NDArray, rng: np.random.Generator) -> NDArray:
    """Return predictions from all over, and those that name one class, say `q`, or say nothing."""
    even = np.full((1, q.size), 1 / q.size)
    if subject.prediction is SIMPLEX:
        one_class = np.eye(q.size) * 0.9 + 0.1 / q.size
        drawn = rng.dirichlet(np.ones(q.size), _DRAWN)
        return np.concatenate([drawn, one_class, one_class, q[None], even])
    drawn, one_class = rng.normal(size=(_DRAWN, q.size)) * 2, np.eye(q.size)
    return np.concatenate([drawn, one_class, -one_class, np.log(q)[None], even])


def _neighbours(
    subject: Subject, best: NDArray, q: NDArray, rng: np.random.Generator, step: float
) -> NDArray:
    """Return `_MOVES` predictions near each of some."""
    moves = rng.normal(size=(len(best), _MOVES, q.size)) * step
    moves[:, :4] -= moves[:, :4].mean(-1, keepdims=True)
    near = (best[:, None] + moves).reshape(-1, q.size)
    if subject.prediction is SIMPLEX:
        near = np.abs(near)
        return np.asarray(near / near.sum(-1, keepdims=True))
    # On the border between two classes: ties are where a wrong one may win.
    tied, top = near[::3], int(np.argmax(q))
    tied[:, top] = np.delete(tied, top, axis=-1).max(-1)
    return np.asarray(near)

"""Tests of the expected loss under known probabilities: calibration and elicitation.

The expected loss of a calibrated loss is least where the prediction names the most probable class;
that of a loss that elicits a functional is least at this functional of the targets.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from lossfw.check.core.points import are_promised
from lossfw.check.core.search import Counterexample, NotApplicable, Search, check, format_number
from lossfw.check.core.subject import Subject
from lossfw.components.spaces import CLASS_INDEX, REAL, SIGN, SIMPLEX, UNIT, Interval
from lossfw.numerics.arrays import NDArray

# A lower risk elsewhere refutes when it is lower by more than rounding can do.
CERTAIN = 1e-9


def expected_loss(subject: Subject, y: NDArray, q: NDArray) -> NDArray:
    """Return the expected loss of rows y (M, K) where class k has probability q_k."""
    possible = np.flatnonzero(q)
    # One call for all classes: a search makes thousands.
    index = np.repeat(possible, len(y))
    targets = index if subject.target is CLASS_INDEX else np.eye(len(q))[index]
    values = subject.losses(np.tile(y, (possible.size, 1)), targets)
    return np.asarray(q[possible] @ values.reshape(possible.size, len(y)))


def nan_to_infinity(risk: NDArray) -> NDArray:
    """Return risks with infinity for NaN, which is never the least."""
    return np.where(np.isnan(risk), np.inf, risk)


# Risks this close to the least one count as reaching it.
_REACHED = 1e-7

_WRONG_CLASS = (
    "where the {} probabilities {}, the prediction {} does not name the most probable class, and "
    "reaches the least risk {:.9g}."
)

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
        sizes = np.outer([-1, 1], 10.0 ** np.linspace(-6, 2, 60)).ravel()
        grid = np.unique(np.concatenate([np.arange(-400, 401) / 50, sizes]))
        grid = grid[are_promised(subject, grid)]
        likely = (0.55, 0.6, 0.75, 0.9, 0.99)
        _check_calibrated_binary(subject, grid, -1, 0.0, [p for q in likely for p in (q, 1 - q)])
    elif subject.rows and subject.by_index:
        _check_calibrated_rows(subject, search)
    elif subject.prediction is UNIT and not subject.rows:
        grid = np.concatenate([np.arange(1, 400) / 400, 10.0 ** -np.arange(3.0, 7)])
        _check_calibrated_binary(subject, grid, 0, 0.5, [0.55, 0.75, 0.95, 0.45, 0.25, 0.05])
    else:
        raise NotApplicable("predictions do not determine a class")


def _check_calibrated_binary(
    subject: Subject,
    grid: NDArray,
    negative_label: int,
    threshold: float,
    probabilities: list[float],
) -> None:
    """Look at numbers that name class 1 above a border, and the other class below it."""
    up = subject.losses(grid, np.ones_like(grid))
    down = subject.losses(grid, np.full_like(grid, negative_label))
    for q in probabilities:
        wrong = grid <= threshold if q > 0.5 else grid >= threshold
        risk = nan_to_infinity(q * up + (1 - q) * down)
        least, one = float(risk.min()), int(np.flatnonzero(wrong)[np.argmin(risk[wrong])])
        if risk[one] <= least + _REACHED * (1 + abs(least)):
            text = _WRONG_CLASS.format(
                "label has", format_number(q), format_number(grid[one]), least
            )
            y, t = grid[one : one + 1], np.ones(1)
            raise Counterexample(text, "value(y, t)", y=y, q=np.asarray(q), t=t)


def _check_calibrated_rows(subject: Subject, search: Search) -> None:
    rng = search.rng("calibrated")
    fixed = [np.array([0.4, 0.3, 0.3]), np.array([0.45, 0.4, 0.15]), np.array([0.6, 0.25, 0.15]),
             np.array([0.6, 0.4]), np.array([0.3, 0.25, 0.25, 0.2])]  # fmt: skip
    for q in fixed[: max(2, round(len(fixed) * search.examples / _WHOLE))]:
        top = int(np.argmax(q))

        def predicts_other_class(y: NDArray, top: int = top) -> NDArray:
            rest = np.delete(y, top, axis=-1).max(-1)
            return np.asarray(y[:, top] <= rest)

        free, free_risk = _minimise_risk(subject, q, rng, lambda y: np.ones(len(y), bool))
        wrong, wrong_risk = _minimise_risk(subject, q, rng, predicts_other_class)
        if wrong_risk <= free_risk + _REACHED * (1 + abs(free_risk)):
            least = min(free_risk, wrong_risk)
            text = _WRONG_CLASS.format(
                "classes have", format_number(q), format_number(wrong), least
            )
            code = "[sum(w * value(r[None], np.array([k]))[0] for k, w in enumerate(q)) for r in y]"
            raise Counterexample(text, code, y=np.stack([wrong, free]), q=q)


def _minimise_risk(
    subject: Subject, q: NDArray, rng: np.random.Generator, allowed: Callable[[NDArray], NDArray]
) -> tuple[NDArray, float]:
    """Return the best allowed prediction that a shrinking random search finds, and its risk."""
    start = _starting_predictions(subject, q, rng)
    start = start[allowed(start)]
    risk = nan_to_infinity(expected_loss(subject, start, q))
    keep = np.argsort(risk)[:_FOLLOWED]
    best, best_risk = start[keep], risk[keep]
    rows = np.arange(len(best))
    step = 1.0
    for _ in range(_STEPS):
        near = _neighbours(subject, best, q, rng, step)
        risk = nan_to_infinity(expected_loss(subject, near, q))
        risk = np.where(allowed(near), risk, np.inf).reshape(len(best), _MOVES)
        at = np.argmin(risk, axis=-1)
        lower, there = risk[rows, at], near.reshape(len(best), _MOVES, q.size)[rows, at]
        better = lower < best_risk
        best = np.where(better[:, None], there, best)
        best_risk = np.where(better, lower, best_risk)
        step *= _SHRINK
    one = int(np.argmin(best_risk))
    return best[one], float(best_risk[one])


def _starting_predictions(subject: Subject, q: NDArray, rng: np.random.Generator) -> NDArray:
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


@check("claim:elicits")
def check_elicits(subject: Subject, search: Search) -> None:
    """Claim: this functional of the target's distribution minimises the expected loss."""
    if subject.rows:
        raise NotApplicable("the functional is defined for numbers only")
    what = str(subject.claims["elicits"])
    rng = search.rng("elicits")
    for sample in _samples(subject, rng):
        expected = _functional(what, sample)
        span = float(np.ptp(sample)) or 1.0
        # The best prediction of a sign may be a larger number.
        beyond = span if subject.target is SIGN else 0.0
        even = np.linspace(sample.min() - beyond, sample.max() + beyond, 301)
        places = np.unique(np.concatenate([sample, even, [expected]]))
        if isinstance(subject.prediction, Interval):
            # Targets may lie where predictions do not; such a functional cannot be predicted.
            places = places[
                ~subject.prediction.outside_mask(_means_to_predictions(subject, places))
            ]
        places = places[are_promised(subject, _means_to_predictions(subject, places))]
        if expected not in places:
            continue
        y = np.repeat(places, sample.size)
        t = np.tile(sample, places.size)
        values = (
            subject.losses(_means_to_predictions(subject, y), t).reshape(places.size, -1).mean(-1)
        )
        own = float(values[np.searchsorted(places, expected)])
        at = int(np.argmin(nan_to_infinity(values)))
        is_lower = values[at] < own - CERTAIN * (1 + abs(own))
        if is_lower and abs(places[at] - expected) > 1e-6 * span:
            raise Counterexample(
                f"for targets {format_number(sample)} the expected loss at their {what}, "
                f"{expected:.6g}, is {own:.9g}; at {places[at]:.6g} it is {values[at]:.9g}.",
                "[value(np.full(t.shape, x), t).mean() for x in y]",
                y=_means_to_predictions(subject, np.array([expected, places[at]])),
                t=sample,
            )


def _means_to_predictions(subject: Subject, y: NDArray) -> NDArray:
    """Return means as predictions: their logarithms for a loss on those."""
    loss = subject.truth
    logarithms = loss is not None and loss._takes_raw_outputs and loss.output_activation == "exp"
    return np.log(y) if logarithms else y


def _samples(subject: Subject, rng: np.random.Generator) -> list[NDArray]:
    """Return samples of an odd size, so that a median is one of them."""
    space = subject.target
    if space is SIGN:
        return [rng.permutation(np.repeat([-1.0, 1.0], [k, 7 - k])) for k in range(1, 7)]
    if space is UNIT:
        return [rng.random(7) for _ in range(4)]
    if space is REAL:
        ties = np.array([0.0, 0.0, 1.0, 5.0, 9.0])
        return [rng.normal(size=7) * 2, rng.exponential(size=9), ties]
    if isinstance(space, Interval):
        return [rng.exponential(size=7) + 0.1 for _ in range(4)]
    raise NotApplicable("the targets are not real numbers")


def _functional(what: str, sample: NDArray) -> float:
    match = re.fullmatch(r"(\w+)(?:\(([\d.eE+-]+)\))?", what)
    if match is None:
        raise NotApplicable(f"lossfw has no test for {what!r}")
    name, level = match[1], float(match[2] or 0.5)
    if name == "mean":
        return float(sample.mean())
    if name == "mode" and np.isin(sample, SIGN.members).all():
        return float(np.sign(sample.sum()))
    if name in ("median", "quantile"):
        return float(np.quantile(sample, level, method="inverted_cdf"))
    if name == "expectile":
        return _expectile(sample, level)
    raise NotApplicable(f"a sample does not show its {name}")


def _expectile(sample: NDArray, level: float) -> float:
    """Return the number m for which level E(t - m)+ = (1 - level) E(m - t)+, by bisection."""
    low, high = float(sample.min()), float(sample.max())
    for _ in range(200):
        middle = (low + high) / 2
        above = level * np.maximum(sample - middle, 0).sum()
        below = (1 - level) * np.maximum(middle - sample, 0).sum()
        low, high = (middle, high) if above > below else (low, middle)
    return (low + high) / 2

"""Attacks on elicitation: the functional of the target that minimises the expected loss."""

from __future__ import annotations

import re

import numpy as np

from lossfw.check.claims.expected_loss import CERTAIN, values_of, without_nan
from lossfw.check.core.session import NotApplicable, Refuted, Search, check
from lossfw.check.core.subject import Subject
from lossfw.components.spaces import REAL, UNIT, Interval
from lossfw.numerics.arrays import NDArray


@check("claim:elicits")
def check_elicits(subject: Subject, search: Search) -> None:
    """Claim: this functional of the target's distribution minimises the expected loss."""
    if subject.rows or subject.kind == "margin":
        raise NotApplicable("the functional is one of numbers")
    what = str(subject.claims["elicits"])
    rng = search.rng("elicits")
    for sample in _samples(subject, rng):
        wanted = _functional(what, sample)
        span = float(np.ptp(sample)) or 1.0
        places = np.unique(
            np.concatenate([sample, np.linspace(sample.min(), sample.max(), 301), [wanted]])
        )
        if isinstance(subject.prediction, Interval):
            # Targets may lie where predictions do not; such a functional cannot be predicted.
            places = places[~subject.prediction.beyond(_into(subject, places))]
        if wanted not in places:
            continue
        y = np.repeat(places, sample.size)
        t = np.tile(sample, places.size)
        values = values_of(subject, _into(subject, y), t).reshape(places.size, -1).mean(-1)
        own = float(values[np.searchsorted(places, wanted)])
        at = int(np.argmin(without_nan(values)))
        if values[at] < own - CERTAIN * (1 + abs(own)) and abs(places[at] - wanted) > 1e-6 * span:
            raise Refuted(
                f"for targets {np.round(sample, 6).tolist()} the expected loss at their {what}, "
                f"{wanted:.6g}, is {own:.9g}; at {places[at]:.6g} it is {values[at]:.9g}.",
                "[value(np.full(t.shape, x), t).mean() for x in y]",
                y=_into(subject, np.array([wanted, places[at]])),
                t=sample,
            )


def _into(subject: Subject, y: NDArray) -> NDArray:
    """Return means as predictions: their logarithms for a loss on those."""
    loss = subject.truth
    logarithms = loss is not None and loss.input_form == "logits" and loss.link_name == "exp"
    return np.log(y) if logarithms else y


def _samples(subject: Subject, rng: np.random.Generator) -> list[NDArray]:
    """Return samples of an odd size, so that a median is one of them."""
    space = subject.target
    if space is UNIT:
        return [rng.random(7) for _ in range(4)]
    if space is REAL:
        return [
            rng.normal(size=7) * 2,
            rng.exponential(size=9),
            np.array([0.0, 0.0, 1.0, 5.0, 9.0]),
        ]
    if isinstance(space, Interval):
        return [rng.exponential(size=7) + 0.1 for _ in range(4)]
    raise NotApplicable("the targets are no numbers of a line")


def _functional(what: str, sample: NDArray) -> float:
    match = re.fullmatch(r"(\w+)(?:\(([\d.eE+-]+)\))?", what)
    if match is None:
        raise NotApplicable(f"nothing is known about {what!r}")
    name, level = match[1], float(match[2] or 0.5)
    if name == "mean":
        return float(sample.mean())
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

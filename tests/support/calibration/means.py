"""Means of rows, by rows and by clusters of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import NamedTuple

import numpy as np

import lossfw
from lossfw.evaluation.intervals.freedom import size_terms
from lossfw.evaluation.intervals.left_out import LeaveOneOut, ends_of
from lossfw.evaluation.intervals.paired import MeasuredNumber
from lossfw.evaluation.intervals.unit_sums import UnitCells, UnitSums
from lossfw.metrics import LossMetric, SumTerm
from lossfw.metrics.cell_sums import RowTerms
from support.calibration.setting import LEVEL, OWN, Outcome, Setting, has_star, left_out

MEAN = LossMetric(of=lossfw.loss("squared_error"))


def measured(losses, keys, weight=None) -> MeasuredNumber:
    """Return the mean of rows by the sums that an evaluation keeps."""
    weight = np.ones(len(losses)) if weight is None else weight
    rows, place = np.arange(len(losses)), np.zeros(len(losses), np.int64)
    terms = [SumTerm(place, weight * losses), SumTerm(place + 1, weight)]
    cells = UnitCells.of(keys)
    table = UnitSums.of(RowTerms.of(1, 2, rows, terms), cells)
    sizes = UnitSums.of(size_terms(rows, weight), cells)
    return MeasuredNumber(MEAN, np.asarray((weight * losses).sum() / weight.sum()), table, sizes)


class Rows(NamedTuple):
    """Losses, or differences of them, with the truth of their mean, their units and weights."""

    losses: np.ndarray
    truth: float = 0.0
    unit: np.ndarray | None = None
    weight: np.ndarray | None = None


def of_rows(rows: Rows) -> LeaveOneOut:
    """Return the mean without each unit."""
    weight = np.ones(len(rows.losses)) if rows.weight is None else rows.weight
    if rows.unit is None:
        return left_out(weight * rows.losses, weight, weight * weight)
    sums = (np.bincount(rows.unit, of) for of in (weight * rows.losses, weight, weight * weight))
    return left_out(*sums)


def star_of(draw: Callable[[np.random.Generator], Rows]) -> Callable:
    """Return the comparison of a difference."""
    return lambda random: Outcome(has_star(of_rows(draw(random))))


def miss_of(draw: Callable[[np.random.Generator], Rows]) -> Callable:
    """Return whether the interval of a number that is never negative misses the truth."""

    def missed(random):
        rows = draw(random)
        found = None if rows.unit is None else of_rows(rows).ends(LEVEL, (0.0, np.inf))
        ends = _by_moments(rows) if found is None else found
        return Outcome(not ends[0] <= rows.truth <= ends[1])

    return missed


def _by_moments(rows: Rows):
    """Return the ends for independent rows by the formula of `intervals.moments`."""
    n = len(rows.losses)
    weight = np.ones(n) if rows.weight is None else rows.weight
    square = weight * weight
    mean = (weight * rows.losses).sum() / weight.sum()
    error = np.sqrt((square * (rows.losses - mean) ** 2).sum() * n / (n - 1)) / weight.sum()
    freedom = float(square.sum() ** 2 / (square * square).sum() - 1.0)
    return ends_of(np.asarray(mean), np.asarray(error), freedom, LEVEL, (0.0, np.inf))


def sizes_of(kind, clusters, random):
    """Return the rows of each cluster, 20 on average."""
    if kind == "equal":
        return np.full(clusters, 20)
    if kind == "unequal":
        return np.maximum(1, np.round(20 * random.lognormal(-0.72, 1.2, clusters))).astype(int)
    return np.r_[10 * (clusters - 1), np.full(clusters - 1, 20)]  # one with a third of the rows


def clustered(kind, clusters, alike, *, squared=False, weights=False):
    """Return a draw of rows in clusters."""

    def draw(random):
        who = np.repeat(np.arange(clusters), sizes_of(kind, clusters, random))
        of_cluster = np.sqrt(alike) * random.normal(size=clusters)
        z = of_cluster[who] + np.sqrt(1 - alike) * random.normal(size=len(who))
        weight = random.lognormal(0, 1, len(who)) if weights else None
        return Rows(z * z, 1.0, who, weight) if squared else Rows(z, 0.0, who, weight)

    return draw


def means() -> Iterator[Setting]:
    for n, normal, tails in ((30, 3.7, 3.9), (300, 4.1, 4.9), (10_000, 5.7, 5.3)):
        draw = star_of(lambda r, n=n: Rows(r.normal(0, 1, n) * r.chisquare(1, n)))
        yield Setting(f"{n:,} rows", draw, normal)
        yield Setting(
            f"{n:,} rows, t with 3", star_of(lambda r, n=n: Rows(r.standard_t(3, n))), tails
        )
    for n, before in ((30, 5.2), (300, 4.5)):
        draw = star_of(lambda r, n=n: Rows(r.normal(0, 1, n), weight=r.lognormal(0, 1, n)))
        yield Setting(f"{n} rows, weights lognormal", draw, before)
    for clusters, kind, alike in product((10, 20, 40, 200), KINDS, (0.0, 0.05, 0.3, 0.9)):
        before = CLUSTERS_BEFORE.get((clusters, kind, alike))
        name = f"{clusters} clusters, {kind}, alike {alike}"
        yield Setting(name, star_of(clustered(kind, clusters, alike)), before)
    each = product((40, 200), KINDS[:2])
    for (clusters, kind), before in zip(each, (37.8, 57.5, 34.8, 60.4), strict=True):
        name = f"{clusters} clusters, {kind}, alike 0.5, weights lognormal"
        yield Setting(name, star_of(clustered(kind, clusters, 0.5, weights=True)), before)


KINDS = ("equal", "unequal", "one big")
CLUSTERS_BEFORE = {
    (10, "equal", 0.05): 15.1, (10, "equal", 0.9): 67.2,
    (10, "unequal", 0.05): 26.1, (10, "unequal", 0.9): 79.3,
    (10, "one big", 0.05): 26.0, (10, "one big", 0.9): 79.3,
    (20, "equal", 0.05): 14.0, (20, "equal", 0.9): 62.0,
    (20, "unequal", 0.05): 28.3, (20, "unequal", 0.9): 78.8,
    (20, "one big", 0.05): 35.5, (20, "one big", 0.9): 83.1,
    (40, "equal", 0.05): 13.2, (40, "equal", 0.9): 65.7,
    (40, "unequal", 0.05): 30.7, (40, "unequal", 0.9): 79.3,
    (40, "one big", 0.05): 47.8, (40, "one big", 0.9): 88.3,
    (200, "equal", 0.05): 14.2, (200, "equal", 0.9): 63.0,
    (200, "unequal", 0.05): 34.7, (200, "unequal", 0.9): 79.4,
    (200, "one big", 0.05): 72.2, (200, "one big", 0.9): 94.0
}  # fmt: skip


def own() -> Iterator[Setting]:
    draws = {
        "squared normal errors": (lambda r, n: Rows(r.chisquare(1, n), 1.0), (9.8, 5.2, 5.6)),
        "squares of t with 5": (
            lambda r, n: Rows(r.standard_t(5, n) ** 2, 5 / 3), (17.9, 10.0, 4.9)
        ),
        "lognormal, sigma 1.5": (
            lambda r, n: Rows(r.lognormal(0, 1.5, n), float(np.exp(1.125))), (19.4, 10.8, 5.6)
        ),
        "squared normal errors, weights lognormal": (
            lambda r, n: Rows(r.chisquare(1, n), 1.0, weight=r.lognormal(0, 1, n)), (13.4, 8.1)
        )
    }  # fmt: skip
    for what, (draw, every) in draws.items():
        for n, before in zip((30, 300, 10_000), every, strict=False):
            made = miss_of(lambda r, n=n, draw=draw: draw(r, n))
            yield Setting(f"{n:,} rows, {what}", made, before, counts=OWN)
    each = product((40, 200), KINDS[:2])
    for (clusters, kind), before in zip(each, (62.9, 75.1, 59.2, 80.8), strict=True):
        made = miss_of(clustered(kind, clusters, 0.9, squared=True))
        name = f"{clusters} clusters, {kind}, alike 0.9, squared errors"
        yield Setting(name, made, before, counts=OWN)

"""Several differences at once: slices and sweeps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lossfw.evaluation.intervals.families import simultaneous_quantile
from lossfw.evaluation.intervals.left_out import LeaveOneOut
from lossfw.evaluation.intervals.student import t_quantile
from support.calibration.setting import LEVEL, Outcome, Setting, left_out


def any_star(many: LeaveOneOut) -> Outcome:
    """Return whether any of several differences has a star that holds for all."""
    each = [
        LeaveOneOut(middle, without, many.freedom)
        for middle, without in zip(many.middle, many.without.T, strict=True)
    ]
    limit = max(simultaneous_quantile(each, LEVEL), t_quantile(LEVEL, many.freedom))
    return Outcome(bool((abs(many.middle) > limit * many.standard_error).any()))


def slices(random):
    """Compare two models in 12 slices of 50 rows."""
    losses = random.normal(size=(12, 50)) * random.chisquare(2, (12, 50)) / 2
    each = [left_out(one, np.ones(50)) for one in losses]
    middle = np.array([float(one.middle) for one in each])
    without = np.repeat(middle[np.newaxis], 600, axis=0)
    for place, one in enumerate(each):
        without[50 * place : 50 * (place + 1), place] = one.without
    return any_star(LeaveOneOut(middle, without, each[0].freedom))


def sweep(differences, units, alike, *, unequal=False, tails=False):
    """Return the comparison of a first setting with others."""

    def compared(random):
        size = np.full(units, 8.0)
        if unequal:
            size = np.maximum(1, np.round(8 * np.exp(random.normal(0, 1, units) - 0.5)))
        draw = (lambda shape: random.standard_t(4, shape)) if tails else random.standard_normal
        shared = np.sqrt(alike) * draw((units, 1))
        losses = shared + np.sqrt(1 - alike) * draw((units, differences))
        return any_star(left_out(losses * size[:, np.newaxis], size))

    return compared


def correlated_sweep(settings, clusters):
    """Return the comparison of settings whose losses on 300 rows are alike by 0.8."""
    rows = 300
    units = clusters or rows
    who = np.arange(rows) * units // rows

    def compared(random):
        def noise(*shape):
            own = random.normal(size=(*shape, rows))
            if not clusters:
                return own
            return np.sqrt(0.7) * random.normal(size=(*shape, units))[..., who] + np.sqrt(0.3) * own

        losses = np.sqrt(0.8) * noise() + np.sqrt(0.2) * noise(settings)
        less = losses[1:] - losses[0]
        sums = np.stack([np.bincount(who, one, units) for one in less], axis=1)
        return any_star(left_out(sums, np.bincount(who, minlength=units).astype(float)))

    return compared


def families() -> Iterator[Setting]:
    yield Setting("12 slices of 50 rows", slices, 41.2)
    for differences, units, alike, more, before in (
        (11, 300, 0.5, {}, 32.4),
        (11, 40, 0.5, {}, 31.4),
        (47, 40, 0.5, {}, 63.1),
        (11, 20, 0.9, {}, 15.4),
        (11, 40, 0.5, {"unequal": True}, 32.8),
        (11, 300, 0.5, {"tails": True}, 27.4),
    ):
        what = "".join(f", {'long tails' if key == 'tails' else key}" for key in more)
        name = f"sweep of {differences + 1}, {units} units, differences alike {alike}{what}"
        yield Setting(name, sweep(differences, units, alike, **more), before)
    for settings, clusters, before in (
        (12, 0, 33.0),
        (48, 0, 62.0),
        (12, 40, 29.5),
        (48, 40, 58.8),
    ):
        units = f"{clusters} clusters" if clusters else "rows"
        name = f"sweep of {settings}, 300 rows by {units}, losses alike 0.8"
        yield Setting(name, correlated_sweep(settings, clusters), before)

"""Attacks on smoothness: where value and derivatives jump, none missing, none invented."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from lossfw.check.claims.jumps import SAME, jumps, jumps_at
from lossfw.check.claims.smooth_rows import check_rows
from lossfw.check.core.curves import curves
from lossfw.check.core.session import NotApplicable, Refuted, Search, check
from lossfw.check.core.subject import Subject

_NAMES = {0: "value", 1: "derivative", 2: "second derivative"}
_CODES = {0: "value(y, t)", 1: "gradient(y, t)", 2: "hessian(y, t)"}


def _near(x: float, places: Iterable[float], scale: float) -> bool:
    return any(abs(x - place) <= SAME * max(scale, abs(place)) for place in places)


def _check_places(subject: Subject, search: Search, order: int, claimed: tuple[float, ...]) -> None:
    """Refute a break that is missing among the claimed ones, or that is invented."""
    if subject.rows:
        raise NotApplicable("places of breaks are numbers, and predictions are rows")
    confirmed: set[float] = set()
    every = curves(subject, search)
    for curve in every:
        for found in jumps(curve, order):
            residual = found - curve.target if subject.kind == "pointwise" else found
            if not _near(found, claimed, curve.scale) and not _near(residual, claimed, curve.scale):
                raise Refuted(
                    f"the {_NAMES[order]} jumps at {found:.9g}, which is not among the claimed "
                    f"breaks {claimed!r}.",
                    _CODES[order],
                    y=np.array([found - 1e-3 * curve.scale, found + 1e-3 * curve.scale]),
                    t=np.full(2, curve.target),
                )
        for place in claimed:
            here = [place, place + curve.target] if subject.kind == "pointwise" else [place]
            inner = [x for x in here if curve.low < x < curve.high]
            if any(jumps_at(curve, order, x, doubt=True) for x in inner):
                confirmed.add(place)
    for place in claimed:
        if place not in confirmed:
            raise Refuted(
                f"the {_NAMES[order]} is claimed to jump at {place!r}, and does not.",
                _CODES[order],
                y=np.array([place - 1e-3, place, place + 1e-3]),
                t=np.full(3, every[0].target),
            )


@check("claim:breaks")
def check_breaks(subject: Subject, search: Search) -> None:
    """Claim: exactly these are the places where the first derivative jumps."""
    _check_places(subject, search, 1, tuple(subject.claims["breaks"]))


@check("claim:second_breaks")
def check_second_breaks(subject: Subject, search: Search) -> None:
    """Claim: exactly these are the places where the second derivative jumps."""
    places = tuple(subject.claims["second_breaks"])
    first = tuple(subject.claims.get("breaks") or ())
    # Where the first derivative jumps there is no second one to jump or not.
    _check_places(subject, search, 2, tuple(p for p in places if p not in first) or places)


@check("claim:smooth")
def check_smooth(subject: Subject, search: Search) -> None:
    """Claim: the loss is differentiable at every inner point."""
    _check_no_jump(subject, search, (0, 1))


@check("claim:twice_smooth")
def check_twice_smooth(subject: Subject, search: Search) -> None:
    """Claim: the loss is twice differentiable at every inner point."""
    _check_no_jump(subject, search, (0, 1, 2))


def _check_no_jump(subject: Subject, search: Search, orders: tuple[int, ...]) -> None:
    if subject.rows:
        check_rows(subject, search, max(orders))
        return
    for curve in curves(subject, search):
        for order in orders:
            places = [x for x in curve.kinks if curve.low < x < curve.high and order > 0]
            found = [x for x in places if jumps_at(curve, order, x)] or jumps(curve, order)
            if found:
                raise Refuted(
                    f"the {_NAMES[order]} jumps at {found[0]:.9g}.",
                    _CODES[order],
                    y=np.array([found[0] - 1e-3 * curve.scale, found[0] + 1e-3 * curve.scale]),
                    t=np.full(2, curve.target),
                )

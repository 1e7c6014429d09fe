"""Measure the worst error of a component over its whole domain, in units in the last place.

::

    measure(component, dtype, points=20_000, seed=0) -> Accuracy

Results are compared with the textbook formula on exact numbers, at points from
all over the domain (`lossfw.check.core.dense_points`), by the rules that stand in
`lossfw.check.accuracy.worst_error`.
"""

from __future__ import annotations

import inspect
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from lossfw.check.accuracy.case import Case
from lossfw.check.accuracy.peers import Peer
from lossfw.check.accuracy.worst_error import Worst, worst
from lossfw.check.core.dense_points import dense_arguments, dense_pairs
from lossfw.check.core.subject import ArgumentArrays, Points, Subject, of_component
from lossfw.errors import LossfwError
from lossfw.losses.loss import Loss
from lossfw.nn.activation import Activation

# So many points show what the tails of a distribution of errors hold.
POINTS = 20_000

DTYPES = ("float32", "float64")

# How far results may be off, in units in the last place, by order of the derivative.
GOALS = {False: (4.0, 4.0, 8.0), True: (16.0, 16.0, 16.0)}


class PeerErrors(NamedTuple):
    """The worst errors of another library, one for each order.

    JAX takes subnormal numbers for 0 on purpose, which would hide everything else.

    Attributes
    ----------
    normal : tuple of Worst
        Without subnormal numbers.
    every : tuple of Worst
        At all points.
    """

    normal: tuple[Worst, ...]
    every: tuple[Worst, ...]


@dataclass(frozen=True)
class ComponentAccuracy:
    """The worst errors of one component in one dtype.

    Attributes
    ----------
    kind : str
        ``"loss"`` or ``"activation"``.
    text : str
        The component with its parameters.
    config : dict
        Its name and parameters.
    dtype : str
        ``"float32"`` or ``"float64"``.
    rows : bool
        Whether it takes rows, which have a goal of their own.
    results : tuple of Worst
        One for each order: the value, the first and the second derivative.
    reason : str
        The terms that cancel, where results are measured against the largest of them.
    peers : dict of str to PeerErrors
        The worst errors of other libraries on the same points.
    """

    kind: str
    text: str
    config: dict[str, Any]
    dtype: str
    rows: bool
    results: tuple[Worst, ...]
    reason: str = ""
    peers: dict[str, PeerErrors] = field(default_factory=dict)

    def goal(self, order: int) -> float:
        """Return the largest error of this order that is allowed."""
        return GOALS[self.rows][order]

    def missed(self) -> tuple[Worst, ...]:
        """Return the results that are farther off than they may be."""
        return tuple(worst for worst in self.results if worst.ulps > self.goal(worst.order))

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers and texts, as they are written to JSON."""
        return {
            "kind": self.kind,
            "component": self.text,
            "config": self.config,
            "dtype": self.dtype,
            "reason": self.reason,
            "results": [{**_plain(w), "goal": self.goal(w.order)} for w in self.results],
            "peers": {
                name: {
                    sort: [_plain(w) for w in worsts] for sort, worsts in found._asdict().items()
                }
                for name, found in self.peers.items()
            },
        }


def _plain(worst: Worst) -> dict[str, Any]:
    return {
        "derivative": worst.order,
        "ulps": worst.ulps,
        "points": worst.points,
        "unjudged": worst.unjudged,
        "of_largest_term": worst.of_terms,
        "at": worst.at,
        "computed": worst.computed,
        "truth": worst.truth,
    }


def measure(
    component: Loss | Activation,
    dtype: str,
    *,
    points: int = POINTS,
    seed: int = 0,
    peers: Sequence[Peer] = (),
) -> ComponentAccuracy:
    """Return the worst errors of a component in one dtype.

    Parameters
    ----------
    component : Loss or Activation
    dtype : {"float32", "float64"}
    points : int
        How many points to draw; at least so many are judged, but where the
        formula has no value.
    seed : int
        The same seed gives the same points.
    peers : sequence of Peer
        Other libraries, measured where they have the component.

    Raises
    ------
    MissingExtraError
        If gmpy2 is not installed.

    Examples
    --------
    >>> import lossfw
    >>> found = measure(lossfw.loss("squared_error"), "float64", points=100)
    >>> [worst.ulps <= 1 for worst in found.results]
    [True, True, True]
    """
    rng = np.random.default_rng([seed, zlib.crc32(f"{component!r} {dtype}".encode())])
    cases = list(_cases(component, dtype, rng, points))
    offers = [(peer.name, offer) for peer in peers if (offer := peer.offer(component)) is not None]
    own: dict[int, Worst] = {}
    others: dict[str, tuple[dict[int, Worst], dict[int, Worst]]] = {}
    for case in cases:
        for truth in case.truths():
            order = truth.order
            _add(own, worst(truth, case.computed(order)))
            for name, offer in offers:
                computed = offer.compute(order, case.at(order))
                if computed is not None:
                    which = None if offer.takes is None else offer.takes(*case.at(order))
                    normal, every = others.setdefault(name, ({}, {}))
                    _add(normal, worst(truth, computed, subnormal=False, which=which))
                    _add(every, worst(truth, computed, subnormal=True, which=which))
    of_terms = any(worst.of_terms for worst in own.values())
    return ComponentAccuracy(
        kind=component.kind,
        text=repr(component),
        config=component.to_config(),
        dtype=dtype,
        rows=component.takes_rows,
        results=tuple(own[order] for order in sorted(own)),
        reason=_reason(component) if of_terms else "",
        peers={
            name: PeerErrors(tuple(normal.values()), tuple(every.values()))
            for name, (normal, every) in others.items()
        },
    )


def _reason(component: Loss | Activation) -> str:
    """Return the first line of the author's text on the terms that cancel."""
    return inspect.cleandoc(type(component).terms.__doc__ or "").partition("\n")[0]


def _add(found: dict[int, Worst], worst: Worst) -> None:
    known = found.get(worst.order)
    found[worst.order] = worst if known is None else known.merge(worst)


def _cases(
    component: Loss | Activation, dtype: str, rng: np.random.Generator, points: int
) -> Iterable[Case]:
    """Yield sets of arguments, each of one shape."""
    if isinstance(component, Activation):
        kinks = component.claims().breaks or ()
        drawn = dense_arguments(kinks, component.takes_rows, dtype, rng, points)
    else:
        subject = of_component(component)
        sets = _joined(dense_pairs(subject, dtype, rng, points))
        drawn = [arrays for arrays in sets if _accepted(subject, arrays)]
    for arrays in drawn:
        some = _rows_for_derivatives(component.takes_rows, arrays, rng)
        yield Case(component, arrays, some)


def _joined(drawn: Sequence[Points]) -> list[ArgumentArrays]:
    """Join sets whose arrays are alike but for their length."""
    alike: dict[Any, list[Points]] = {}
    for points in drawn:
        shapes = tuple((x.shape[1:], x.dtype.kind) for x in (points.y, points.t))
        alike.setdefault(shapes, []).extend([points] if len(points) else [])
    return [
        (np.concatenate([points.y for points in sets]), np.concatenate([p.t for p in sets]))
        for sets in alike.values()
        if sets
    ]


def _accepted(subject: Subject, arrays: ArgumentArrays) -> bool:
    """Tell whether a loss takes arguments of this shape: some want a number of columns."""
    try:
        subject.value(*(x[:1] for x in arrays))
    except LossfwError:
        return False
    return True


def _rows_for_derivatives(rows: bool, arrays: ArgumentArrays, rng: np.random.Generator) -> Any:
    """Return the rows whose derivatives are measured: a row of K columns has K of them."""
    count = len(arrays[0])
    if not rows:
        return np.arange(count)
    wanted = -(-count // arrays[0].shape[1])
    return np.sort(rng.permutation(count)[:wanted])

"""Measure the worst error of a component over its whole domain, in units in the last place.

Results are compared with the textbook formula on exact numbers, at points from all over the
domain (`lossfw.check.core.draw`), by the rule of `lossfw.check.core.oracle`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol

import numpy as np

from lossfw.check.core.draw import LONG, draw_densely, draw_rows
from lossfw.check.core.exact import Formula
from lossfw.check.core.interval import MovableFormula
from lossfw.check.core.judge import oracle_of
from lossfw.check.core.members import numbers_of_all_magnitudes
from lossfw.check.core.moves import movable_numbers
from lossfw.check.core.oracle import Oracle
from lossfw.check.core.points import ArgumentArrays, Points
from lossfw.check.core.region import Region, regions_of_numbers, regions_of_points
from lossfw.check.core.subject import COLUMNS, Subject, call, subject_of_component
from lossfw.check.instances import variants
from lossfw.check.pool import Job, Watch
from lossfw.components.plugin_choice import Plugins
from lossfw.components.spaces import REAL
from lossfw.errors import LossfwError
from lossfw.losses.loss import Loss
from lossfw.nn.activation import Activation
from lossfw.numerics.arrays import NDArray

# So many points show what the tails of a distribution of errors hold.
POINTS = 20_000

# Parameters that are neither a default nor a form of their own have so many times fewer.
_FEWER = 4

# So do losses of groups or columns: each of their points has many arguments, and as many
# derivatives, so that all of them would take an hour.
_FEWER_OF_COLUMNS = 10

DTYPES = ("float32", "float64")

# How far results may be off, in units in the last place, by order of the derivative.
GOALS = {False: (4.0, 4.0, 8.0), True: (16.0, 16.0, 16.0)}


@dataclass(frozen=True)
class WorstError:
    """The worst error of one order (0 for the value) over all points."""

    order: int
    points: int = 0  # how many were judged
    unjudged: int = 0  # how many were not: the formula has no value there, or a kink
    ulps: float = 0.0
    # The error against the exact result itself, at ordinary numbers.
    forward: float = 0.0
    at: dict[str, Any] | None = None  # the arguments; None where nothing was judged
    computed: float = 0.0
    truth: str = ""

    def merge(self, other: WorstError) -> WorstError:
        """Return the worse of two, with the points of both."""
        better = other.at is None or (self.at is not None and self.ulps >= other.ulps)
        return replace(
            self if better else other,
            points=self.points + other.points,
            unjudged=self.unjudged + other.unjudged,
            forward=max(self.forward, other.forward),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return a dict of plain numbers and strings, as written to JSON."""
        names = ("ulps", "forward", "points", "unjudged", "at", "computed", "truth")
        return {"derivative": self.order, **{name: getattr(self, name) for name in names}}


class PeerErrors(NamedTuple):
    """The worst errors of another library by order, without subnormal numbers and with them.

    JAX flushes subnormal numbers to 0 by design, which would hide everything else.
    """

    normal: tuple[WorstError, ...]
    every: tuple[WorstError, ...]


class Peer(Protocol):
    """Another library, to be measured at the same points."""

    @property
    def name(self) -> str:
        """The name of the library."""

    def find_function(self, component: Loss | Activation) -> Any:
        """Return its function, with ``compute(order, arrays)`` and a mask ``takes``, or None."""


@dataclass(frozen=True)
class ComponentAccuracy:
    """The worst errors of one component in one dtype, and of other libraries."""

    kind: str
    text: str  # the component with its parameters
    config: dict[str, Any]
    dtype: str
    rows: bool  # whether it takes rows or groups, which have a goal of their own
    results: tuple[WorstError, ...]  # by order
    promised: str = ""  # for which sizes of numbers, which are those that are looked at
    peers: dict[str, PeerErrors] = field(default_factory=dict)

    def goal(self, order: int) -> float:
        """Return the largest error of this order that is allowed."""
        return GOALS[self.rows][order]

    def inaccurate_results(self) -> tuple[WorstError, ...]:
        """Return the results whose errors exceed the goal."""
        return tuple(worst for worst in self.results if worst.ulps > self.goal(worst.order))

    def to_dict(self) -> dict[str, Any]:
        """Return a dict of plain numbers and strings, as written to JSON."""
        return {
            "kind": self.kind,
            "component": self.text,
            "config": self.config,
            "dtype": self.dtype,
            "promised": self.promised,
            "results": [{**w.to_dict(), "goal": self.goal(w.order)} for w in self.results],
        }


class Case(NamedTuple):
    """Arguments of one shape, whose first axis runs over elements or rows."""

    component: Subject | Activation
    arrays: ArgumentArrays
    derivative_rows: NDArray  # where derivatives are measured: a row of many columns has many

    def iter_results(self) -> Iterator[tuple[Oracle, NDArray, NDArray]]:
        """Yield exact results, computed ones, and a mask of ordinary points, by order."""
        formula, orders = self._formula(), self._orders()
        derivatives = formula.derivatives(orders[-1], *self._arguments_for(1)) if orders[-1] else ()
        exact = [formula.values(*self.arrays), *derivatives]
        for order in orders:
            arrays = self._arguments_for(order)
            oracle = self._oracle(order, arrays, exact[order])
            yield oracle, self._compute(order), self._are_ordinary(arrays)

    def _are_ordinary(self, arrays: ArgumentArrays) -> NDArray:
        if isinstance(self.component, Subject):
            found = regions_of_points(self.component, Points(*arrays))
        else:
            found = regions_of_numbers(REAL, arrays[0])
        return np.asarray(found == Region.ORDINARY)

    def _oracle(self, order: int, arrays: ArgumentArrays, exact: Any) -> Oracle:
        if isinstance(self.component, Subject):
            return oracle_of(self.component, order, Points(*arrays), exact)
        return Oracle(MovableFormula(self._formula(), movable_numbers), order, arrays, exact)

    def _formula(self) -> Formula:
        if isinstance(self.component, Subject):
            return self.component.exact
        rows = self.component.takes_rows
        return Formula(self.component.formula, rows, vector=rows)

    def _orders(self) -> tuple[int, ...]:
        """Return the derivatives that there are.

        A class index changes only the way to the value; a function of rows has a Jacobian and
        no second derivative.
        """
        if isinstance(self.component, Activation):
            return (0, 1) if self.component.takes_rows else (0, 1, 2)
        y, t = self.arrays
        return (0,) if self.component.by_index and t.ndim < y.ndim else (0, 1, 2)

    def _arguments_for(self, order: int) -> ArgumentArrays:
        return self.arrays if order == 0 else tuple(x[self.derivative_rows] for x in self.arrays)

    def _compute(self, order: int) -> NDArray:
        """Return the component's results: called as by a user, or an author's derivatives."""
        component, arrays = self.component, self._arguments_for(order)
        if isinstance(component, Subject):
            function = (component.value, component.gradient, component.hessian)[order]
            return np.asarray(call(function, *arrays))
        with np.errstate(all="ignore"):
            body = (component.value, component.derivative, component.second_derivative)[order]
            return np.asarray(body(np, *arrays))


def measure(
    component: Loss | Activation,
    dtype: str,
    *,
    points: int = POINTS,
    seed: int = 0,
    peers: Sequence[Peer] = (),
) -> ComponentAccuracy:
    """Return the worst errors of a component in ``"float32"`` or ``"float64"``.

    At least so many points are judged, except where the formula has no value; the same seed
    gives the same points. Peers are measured where they have the component.

    Examples
    --------
    >>> import lossfw
    >>> accuracy = measure(lossfw.loss("squared_error"), "float64", points=100)
    >>> [worst.ulps <= 1 for worst in accuracy.results]
    [True, True, True]
    """
    rng = np.random.default_rng([seed, zlib.crc32(f"{component!r} {dtype}".encode())])
    cases = list(_cases(component, dtype, rng, points))
    offers = {
        peer.name: offer for peer in peers if (offer := peer.find_function(component)) is not None
    }
    results: dict[int, WorstError] = {}
    of_peers: dict[str, tuple[dict[int, WorstError], dict[int, WorstError]]] = {}
    for truth, computed, ordinary in (each for case in cases for each in case.iter_results()):
        _keep_worse(results, worst_error(truth, computed, ordinary=ordinary))
        for name, offer in offers.items():
            theirs = offer.compute(truth.order, truth.arrays)
            if theirs is not None:
                mask = None if offer.takes is None else offer.takes(*truth.arrays)
                normal, every = of_peers.setdefault(name, ({}, {}))
                _keep_worse(normal, worst_error(truth, theirs, subnormal=False, mask=mask))
                _keep_worse(every, worst_error(truth, theirs, mask=mask))
    return ComponentAccuracy(
        component.kind,
        repr(component),
        component.to_config(),
        dtype,
        component.takes_rows or (isinstance(component, Loss) and component.takes_groups),
        tuple(results[order] for order in sorted(results)),
        component._promise if isinstance(component, Loss) else "",
        {
            name: PeerErrors(tuple(normal.values()), tuple(every.values()))
            for name, (normal, every) in of_peers.items()
        },
    )


def _keep_worse(worst_by_order: dict[int, WorstError], worst: WorstError) -> None:
    known = worst_by_order.get(worst.order)
    worst_by_order[worst.order] = worst if known is None else known.merge(worst)


def worst_error(
    truth: Oracle,
    computed: NDArray,
    *,
    subnormal: bool = True,
    mask: NDArray | None = None,
    ordinary: NDArray | None = None,
) -> WorstError:
    """Return the worst of some results, among the elements or rows of `mask` if given.

    For ordinary ones, the error against the exact result itself is also measured.

    Without `subnormal`, such arguments and results are left out, because some libraries flush them
    to 0.
    """
    computed = np.ascontiguousarray(computed).reshape(truth.exact.shape)
    considered = (
        np.ones(computed.shape, bool) if subnormal else ~truth.subnormal_mask(computed.dtype)
    )
    if mask is not None:
        considered &= mask.reshape(-1, *[1] * (computed.ndim - 1))
    errors = truth.worst_errors(computed, considered)
    judged = considered & ~np.isnan(errors)
    n_judged, n_unjudged = int(judged.sum()), int((considered & ~judged).sum())
    forward = 0.0
    if ordinary is not None:
        own = np.where(np.isnan(errors), 0.0, truth.forward_errors(computed))
        forward = float(np.max(own[ordinary], initial=0.0))
    none = WorstError(truth.order, n_judged, n_unjudged, forward=forward)
    if not n_judged:
        return none
    worst = np.unravel_index(int(np.argmax(np.where(judged, errors, -1.0))), errors.shape)
    row, *rest = (int(i) for i in worst)
    names = ("y", "t") if len(truth.arrays) == 2 else ("x",)
    at = {name: x[row].tolist() for name, x in zip(names, truth.arrays, strict=True)}
    if rest:
        at["entry"] = rest if len(rest) > 1 else rest[0]
    return replace(
        none,
        ulps=float(errors[worst]),
        at=at,
        computed=float(computed[worst]),
        truth=repr(truth.exact[worst]),
    )


def _cases(
    component: Loss | Activation, dtype: str, rng: np.random.Generator, points: int
) -> Iterator[Case]:
    """Yield sets of arguments, each of one shape."""
    samples: list[ArgumentArrays]
    measured: Subject | Activation
    if isinstance(component, Activation):
        measured, rows = component, component.takes_rows
        if rows:
            each = points // len(COLUMNS)
            samples = [(draw_rows(REAL, k, dtype, rng, each),) for k in (*COLUMNS[:-1], LONG)]
        else:
            samples = [
                (numbers_of_all_magnitudes(component.claims().breaks or (), dtype, rng, points),)
            ]
    else:
        measured = subject = subject_of_component(component)
        rows = subject.rows
        samples = [
            x for x in _sample_points(subject, dtype, rng, points) if _is_accepted(subject, x)
        ]
    for arrays in samples:
        count = len(arrays[0])
        derivative_rows = np.arange(count)
        if rows:
            # A row of K columns has K derivatives.
            fewer = -(-count // arrays[0].shape[1])
            derivative_rows = np.sort(rng.permutation(count)[:fewer])
        yield Case(measured, arrays, derivative_rows)


def _sample_points(
    subject: Subject, dtype: str, rng: np.random.Generator, count: int
) -> list[ArgumentArrays]:
    """Return points for a loss, joined where their arrays are alike but for their length."""
    alike: dict[Any, list[ArgumentArrays]] = {}
    for points in draw_densely(subject, dtype, rng, count):
        both = points.y, points.t
        same = alike.setdefault(tuple((x.shape[1:], x.dtype.kind) for x in both), [])
        same += [both] if len(points) else []
    return [tuple(map(np.concatenate, zip(*sets, strict=True))) for sets in alike.values() if sets]


def _is_accepted(subject: Subject, arrays: ArgumentArrays) -> bool:
    """Tell whether a loss takes arguments of this shape: some require a number of columns."""
    try:
        subject.value(*(x[:1] for x in arrays))
    except LossfwError:
        return False
    return True


def measure_config(
    kind: str,
    config: dict[str, Any],
    dtype: str,
    plugins: Plugins,
    points: int,
    seed: int = 0,
    peers: Sequence[Peer] = (),
    watch: Watch | None = None,
) -> ComponentAccuracy:
    """Measure a component by name and parameters."""
    if watch is not None:
        watch(dtype)
    component = plugins.registry().create(kind, config)
    return measure(component, dtype, points=points, seed=seed, peers=peers)


def accuracy_jobs(
    components: Sequence[Any],
    plugins: Plugins | None = None,
    *,
    points: int = POINTS,
    seed: int = 0,
    measured_by: Callable[..., ComponentAccuracy] = measure_config,
) -> list[Job]:
    """Return a job for each component and dtype, in this order."""
    jobs = []
    for component in components:
        is_only_one = sum(type(other) is type(component) for other in components) == 1
        full = is_only_one or component in variants(type(component), others=False)
        config = component.to_config()
        is_wide = isinstance(component, Loss) and (component.has_columns or component.takes_groups)
        fewer = (1 if full else _FEWER) * (_FEWER_OF_COLUMNS if is_wide else 1)
        arguments = {"kind": component.kind, "config": config, "plugins": plugins or Plugins(),
                     "points": max(1, points // fewer), "seed": seed}  # fmt: skip
        jobs += [
            Job(config["name"], measured_by, {**arguments, "dtype": dtype}) for dtype in DTYPES
        ]
    return jobs

"""Stages and their effort: what looks at extremes, at other parameters, and how often."""

import json
import math

import numpy as np
import pytest

import lossfw
from lossfw import CategoricalLoss, Claims, DistanceLoss
from lossfw.check import check
from lossfw.check.api import suite_of_component
from lossfw.check.core.points import Points
from lossfw.check.core.search import Search
from lossfw.check.instances import MOVED_SHARE, instances_to_check
from lossfw.check.jobs import check_jobs, report_unchecked
from lossfw.check.operations import Operations, instructions
from lossfw.check.options import Options
from lossfw.check.pool import Job, JobSeries, run_all
from lossfw.check.runner import run_stage
from lossfw.check.stages import Effort, Stage
from lossfw.components.plugin_choice import Plugins
from lossfw.errors import TraceError
from lossfw.numerics.symbolic.trace import trace


class Bent(DistanceLoss):
    """A square whose derivative is wrong for large residuals."""

    scale: float = 1.0

    def value(self, xp, r):
        return self.scale * r * r

    def derivative(self, xp, r):
        return 2.0 * self.scale * xp.where(abs(r) > 1e6, 2.0 * r, r)

    def claims(self):
        return Claims()


@pytest.fixture
def searched(monkeypatch):
    """The checks that are searched for, and not only tried at what is known."""
    names, points = [], Search.points

    def count(search, *arguments):
        if search.only is None:
            names.append(search.running)
        return points(search, *arguments)

    monkeypatch.setattr(Search, "points", count)
    return names


@pytest.mark.parametrize(
    ("scale", "residual", "is_searched"), [(1.5, 2e6, False), (1.5, 1.0, True)]
)
def test_what_is_known_is_searched_for_only_where_it_holds(scale, residual, is_searched, searched):
    suite = suite_of_component(Bent(scale=scale)).formula_only()
    stage, options = Stage.EXTREMES, Options(only=["gradient"])
    result = run_stage(
        suite,
        stage,
        Effort(0.1, False, 1).search(stage, options),
        options,
        expected={},
        known={"gradient": Points(np.array([residual]), np.array([0.0]))},
    )
    assert bool(searched) == is_searched
    found = result.outcomes["gradient"].inputs["y"]
    assert (found == residual) != is_searched


def test_what_is_known_of_other_spaces_is_searched_for():
    suite = suite_of_component(lossfw.loss("huber"))
    row = Points(np.ones((1, 3)), np.array([0]))
    options = Options(examples=5, only=["value"])
    search = Effort().search(Stage.ORDINARY, options)
    result = run_stage(suite, Stage.ORDINARY, search, options, expected={}, known={"value": row})
    assert result.outcomes["value"].examples > 5


@pytest.fixture
def clock(monkeypatch):
    """A clock that jobs move."""
    now = [100.0]
    monkeypatch.setattr("lossfw.check.pool.time.monotonic", lambda: now[0])
    return now


def test_the_time_of_a_series_counts_only_while_one_of_its_jobs_runs(clock):
    def step(seconds, watch):
        clock[0] += seconds
        return watch("-")

    def series(*seconds):
        def parts():
            found = []
            for one in seconds:
                found += yield [Job("-", step, {"seconds": one})]
            return found

        return parts

    # While the first series runs for 50 seconds, the second one has not begun.
    both = [JobSeries(series(50.0), 1, 60.0), JobSeries(series(1.0, 1.0, 2.5, 1.0), 4, 3.0)]
    assert run_all(both, processes=1) == [[True], [True, True, False, None]]


def named(name):
    arguments = {"name": name, "reason": "-", "options": Options()}
    return Job(name, report_unchecked, arguments)


def series(*names):
    def parts():
        results = yield [named(name) for name in names]
        (last,) = yield [named("+".join(report.name for (report,) in results))]
        return last and last[0].name

    return parts


@pytest.mark.turns(2)
@pytest.mark.parametrize("processes", [1, 2])
def test_the_results_of_jobs_make_further_jobs(processes):
    jobs = [JobSeries(series("a", "b"), 3), named("c"), JobSeries(series("d"), 2, seconds=0.0)]
    steps = []
    found = run_all(jobs, processes=processes, progress=lambda *step: steps.append(step))
    first, (alone,), without_time = found
    # Without time the first job runs, and what would follow does not.
    assert (first, alone.name, without_time) == ("a+b", "c", None)
    assert steps[-1][1] == 6


@pytest.mark.slow
def test_two_runs_of_a_seed_have_the_same_reports():
    # What is left out compiles.
    options = Options(seed=3, examples=10, skip=["arrays", "purity:kernels"])
    jobs = check_jobs(["hinge"], {}, Plugins(), options=options)
    texts = [json.dumps([r.to_dict() for (found,) in [run_all(jobs, processes=n)] for r in found])
             for n in (1, 2)]  # fmt: skip
    assert texts[0] == texts[1]


class Branching(DistanceLoss):
    """A loss with a branch on its parameter."""

    c: float = 1.0

    def value(self, xp, r):
        return 0.5 * (-r if self.c > 5 else r) * r * self.c


class Pairs(CategoricalLoss):
    """A loss of rows that looks at a shape, and so cannot be traced."""

    c: float = 1.0

    def value(self, xp, y, t):
        r = y - t
        if self.c > 5:
            r = r - xp.max(r, axis=-1, keepdims=True)
        return self.c * xp.sum(r * r, axis=-1) / float(r.shape[-1] * r.shape[0])


@pytest.mark.parametrize(
    ("cls", "other", "same"),
    [
        # 0.5 is in the body too. Signs and zero are operations of their own, and so is a branch.
        *(
            (Branching, c, same)
            for c, same in [(2.0, True), (7.0, False), (-2.0, False), (0.0, False)]
        ),
        # No graph holds them: the instructions that run stand for it.
        *((Pairs, c, same) for c, same in [(2.0, True), (7.0, False)]),
    ],
)
def test_numbers_are_not_operations(cls, other, same):
    operations = Operations()
    first, second = (operations.key_of(cls(c=c)) for c in (0.5, other))
    assert (first == second) == same
    assert None not in (first, second)


def test_what_cannot_be_traced_has_instructions_or_every_law():
    with pytest.raises(TraceError):
        trace(Pairs()._unreduced, {"y": "float64", "t": "float64"}, 3)
    assert instructions(Pairs(c=0.5)) is not None


def test_an_instance_of_its_own_operations_keeps_every_law():
    instances = instances_to_check(Branching)
    moved = [(one.c, checks) for one, share, checks in instances if share >= MOVED_SHARE]
    assert moved == [(1.0, True), (0.3, False), (7.5, True)]


# Numbers that every loss is tried at, whatever the number of examples: borders, sizes, lattices of
# claims. And so many elements for each example, in all checks together.
LEAST, EACH = 150_000, 5_000


def counting(cls, counts):
    """Return a class that enters the number of elements of each call of its body."""

    class Counting(cls):
        def value(self, xp, *arguments):
            counts.append(math.prod(getattr(arguments[0], "shape", ())))
            return super().value(xp, *arguments)

    return Counting


@pytest.mark.turns(3)
@pytest.mark.parametrize(
    ("name", "examples"), [("huber", 3), ("huber", 30), ("cross_entropy", 3), ("cox", 3)]
)
def test_the_number_of_examples_bounds_what_a_loss_computes(name, examples):
    counts = []
    report = check(counting(type(lossfw.loss(name)), counts)(), examples=examples, time=None)
    assert report.passed
    assert not report.refuted
    assert sum(counts) < LEAST + EACH * examples
    assert len(counts) < 1_500

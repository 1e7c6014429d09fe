"""The harness draws from whatever spaces an author declares: a square holds in all of them."""

from itertools import product

import pytest

from lossfw import CategoricalLoss, Claims, DistanceLoss, PointwiseLoss
from lossfw.check import check
from lossfw.check.api import suite_of_component
from lossfw.check.core.search import Search
from lossfw.check.report import Refutation
from lossfw.check.runner import attempt
from lossfw.components.spaces import CLASS_INDEX, SIMPLEX, SPACES, Interval

# Bounds on either side, that are 0 or not, and that belong to the space or not.
OWN = (
    Interval("BETWEEN", "the numbers from -1 to 1", low=-1.0, high=1.0),
    Interval("BELOW", "the numbers below 0", high=0.0, high_included=False),
    Interval("ABOVE_ONE", "the numbers above 1", low=1.0, low_included=False),
    Interval("FAR", "the numbers from 200 to 300, without either", 200.0, 300.0, False, False),
)
OF_ROWS = (*SPACES.values(), *OWN)
OF_ELEMENTS = tuple(space for space in OF_ROWS if space not in (SIMPLEX, CLASS_INDEX))
OF_RESIDUALS = tuple(space for space in OF_ELEMENTS if isinstance(space, Interval))

KINDS = {
    "rows": (CategoricalLoss, OF_ROWS),
    "elements": (PointwiseLoss, OF_ELEMENTS),
    "residuals": (DistanceLoss, OF_RESIDUALS),
}

# What is true of a square in every space; the bounds of its derivative depend on the space.
TRUE = {
    "convex": True,
    "strictly_convex": True,
    "strongly_convex": 2.0,
    "gradient_lipschitz": 2.0,
    "nonnegative": True,
    "lower_bound": 0.0,
    "zero_at_target": True,
    "breaks": (),
    "smooth": True,
}
MAYBE = {"lipschitz": 100.0, "bounded": 1e300}
FALSE_IN_SOME = {f"claim:{name}" for name in MAYBE}

# They look at one set of points, as others do, and take most of the time.
LONG = ("arrays", "purity:kernels", "classes", "dtype:inputs", "many")


def square(kind, prediction, target):
    """Return the squared error in some spaces."""
    base = KINDS[kind][0]

    class Square(base):
        """The squared error."""

        def value(self, xp, *arguments):
            r = arguments[0] - arguments[1] if len(arguments) > 1 else arguments[0]
            return xp.sum(r * r, axis=-1) if kind == "rows" else r * r

        def claims(self):
            return Claims(**TRUE, **MAYBE)

    Square.prediction, Square.target = prediction, target
    return Square()


def alarms(loss, long=False):
    """Return what short or long checks say of a loss that keeps all that it promises."""
    of, search, found = suite_of_component(loss), Search(0, 10), []
    for name in of.checks:
        outcome = attempt(of, name, search) if name.startswith(LONG) == long else None
        if isinstance(outcome, Refutation):
            ended = "was ended by" in outcome.message or "raises for" in outcome.message
            if ended or name not in FALSE_IN_SOME:
                found.append(f"{name}: {outcome.message}")
    return found


PAIRS = [(kind, *pair) for kind, (_, spaces) in KINDS.items() for pair in product(spaces, spaces)]
# Each space, and neighbours in the list, which differ.
STEP = 31
QUICK = PAIRS[::STEP]


def name(pair):
    return "-".join(map(str, pair))


@pytest.mark.turns(4)
@pytest.mark.parametrize("pair", QUICK, ids=name)
def test_a_square_holds_in_any_spaces(pair):
    assert not alarms(square(*pair))


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair not in QUICK], ids=name)
def test_a_square_holds_in_all_spaces(pair):
    assert not alarms(square(*pair))


@pytest.mark.parametrize("space", [SIMPLEX, CLASS_INDEX], ids=str)
@pytest.mark.parametrize("role", ["prediction", "target"])
def test_a_space_of_rows_of_a_loss_of_single_numbers_is_one_finding(space, role):
    loss = square("residuals", OF_RESIDUALS[0], OF_RESIDUALS[0])
    setattr(type(loss), role, space)
    (finding,) = check(loss, examples=5).refuted
    assert f"the {role} space is {space}" in finding.message
    assert "Write a CategoricalLoss" in finding.message
    assert not finding.snippet

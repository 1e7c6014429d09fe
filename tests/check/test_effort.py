"""How much a check computes: the number of examples bounds it."""

import math

import pytest

import lossfw
from lossfw.check import check

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

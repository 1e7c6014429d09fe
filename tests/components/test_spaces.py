"""Spaces: membership, and messages that name index, value and space."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lossfw import DomainError, Interval
from lossfw.components.spaces import (
    BINARY,
    CLASS_INDEX,
    COUNT,
    POSITIVE,
    REAL,
    SIGN,
    SIMPLEX,
    SPACES,
    UNIT,
)

# What each space of single numbers holds, written as plain mathematics.
MEMBERS = {
    "REAL": lambda x: True,
    "LOGITS": lambda x: True,
    "POSITIVE": lambda x: x > 0,
    "NONNEGATIVE": lambda x: x >= 0,
    "UNIT": lambda x: 0 <= x <= 1,
    "SIGN": lambda x: x in (-1, 1),
    "BINARY": lambda x: x in (0, 1),
    "COUNT": lambda x: x >= 0 and x == int(x),
}
numbers = st.one_of(st.sampled_from([-1.0, 0.0, 1.0, 2.0, 1.5, 5e-324]), st.floats(-10, 10))


@pytest.mark.parametrize("name", sorted(MEMBERS))
@given(x=hnp.arrays(np.float64, st.integers(1, 6), elements=numbers))
def test_membership_is_that_of_the_set(name, x):
    wanted = [not MEMBERS[name](v) for v in x.tolist()]
    found = SPACES[name].outside(x)
    assert (found is None) == (not any(wanted))
    if found is not None:
        assert found.tolist() == wanted


@pytest.mark.parametrize("space", list(SPACES.values()), ids=str)
def test_nan_belongs_to_every_space(space):
    assert space.outside(np.full((2, 3), np.nan)) is None


@pytest.mark.parametrize("space", list(SPACES.values()), ids=str)
def test_nothing_is_inside(space):
    assert space.outside(np.zeros((0, 3))) is None


def test_infinity_belongs_where_there_is_no_bound():
    inf = np.array([np.inf])
    assert REAL.outside(inf) is None
    assert POSITIVE.outside(inf) is None
    assert UNIT.outside(inf) is not None
    assert POSITIVE.outside(-inf) is not None


@given(hnp.arrays(np.float64, (3, 4), elements=st.floats(0.01, 1)))
def test_normalised_rows_are_distributions_in_every_precision(rows):
    rows = rows / rows.sum(-1, keepdims=True)
    for dtype in ("f2", "f4", "f8"):
        assert SIMPLEX.outside(rows.astype(dtype)) is None
    rows[1, 0] += 0.1
    assert SIMPLEX.outside(rows).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("space", "x", "message"),
    [
        (UNIT, [0.5, 1.2], r"prediction\[8\] = 1\.2 lies outside UNIT, the interval \[0, 1\]"),
        (SIGN, [1.0, 0.0], r"prediction\[8\] = 0 lies outside SIGN, the set \{-1, \+1\}"),
        (BINARY, [[0.0, 2.0]], r"prediction\[7, 1\] = 2 "),
        (COUNT, [0.0, 1.5], r"prediction\[8\] = 1\.5 "),
        (SIMPLEX, [[0.5, 0.5], [1.0, 1.0]], r"prediction\[8\] = \[1, 1\] \(sum 2\)"),
    ],
)
def test_the_message_names_the_first_member_outside(space, x, message):
    with pytest.raises(DomainError, match=message):
        space.check(np.array(x), "prediction", start=7)


def test_the_sum_of_integers_does_not_leave_their_range():
    least = np.iinfo(np.int64).min
    rows = np.array([[0, 1], [least, 0], [least, least]])
    assert SIMPLEX.outside(rows).tolist() == [False, True, True]


def test_a_class_index_needs_a_column():
    CLASS_INDEX.check_below(np.array([0, 2]), 3)
    with pytest.raises(DomainError, match=r"target\[11\] = 3 is not a class.*classes are 0 \.\. 2"):
        CLASS_INDEX.check_below(np.array([0, 3]), 3, start=10)


def test_an_authors_own_interval():
    above = Interval("ABOVE_MINUS_ONE", "the numbers above -1", low=-1.0, low_included=False)
    assert above.outside(np.array([-0.5, 1e300])) is None
    assert above.outside(np.array([-1.0, 0.0])).tolist() == [True, False]

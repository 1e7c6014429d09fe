"""Spaces: membership, and messages that name index, value and space."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lossfw import ArgumentError, Columns, DomainError, ShapeError, Vector
from lossfw.components.spaces import BINARY, NONNEGATIVE, REAL, SIMPLEX, SPACES, UNIT, VECTOR

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
    found = SPACES[name].outside_or_none(x)
    assert (found is None) == (not any(wanted))
    if found is not None:
        assert found.tolist() == wanted


@given(hnp.arrays(np.float64, (3, 4), elements=st.floats(0.01, 1)))
def test_normalised_rows_are_distributions_in_every_precision(rows):
    rows = rows / rows.sum(-1, keepdims=True)
    for dtype in ("f2", "f4", "f8"):
        assert SIMPLEX.outside_or_none(rows.astype(dtype)) is None
    rows[1, 0] += 0.1
    assert SIMPLEX.outside_or_none(rows).tolist() == [False, True, False]


SURVIVAL = Columns.of(time=NONNEGATIVE, event=BINARY)
TRIPLET = Columns.of(anchor=VECTOR, positive=VECTOR, negative=VECTOR)
MIXED = Columns.of(score=REAL, embedding=VECTOR)


@pytest.mark.parametrize(
    ("space", "axes", "size", "shape_of_six"),
    [
        (REAL, 0, 1, ()),
        (SIMPLEX, 1, None, (6,)),
        (VECTOR, 1, None, (6,)),
        (Vector.of(REAL, size=3), 1, 3, (6,)),
        (SURVIVAL, 1, 2, (6,)),
        (TRIPLET, 2, None, (3, 2)),
        (MIXED, 1, None, (6,)),
        (Columns.of(a=Vector.of(REAL, size=1), b=Vector.of(REAL, size=2)), 1, 3, (6,)),
    ],
    ids=str,
)
def test_axes_and_sizes(space, axes, size, shape_of_six):
    assert (space.axes, space.of_rows, space.size) == (axes, axes > 0, size)
    assert space.row_shape(6) == shape_of_six


@pytest.mark.parametrize("space", [REAL, VECTOR, TRIPLET, MIXED, Columns.of(a=REAL, b=REAL, c=REAL,
                                   d=REAL, e=REAL, f=REAL)], ids=str)  # fmt: skip
def test_join_takes_back_what_split_gives(space):
    rows = np.arange(24.0).reshape(2, 2, 6)
    parts = space.to_record(rows)
    assert space.from_record(np, parts).tolist() == rows.tolist()
    if isinstance(space, Columns):
        by_name = {name: getattr(parts, name) for name in reversed(space.names)}
        assert space.from_record(np, by_name).tolist() == rows.tolist()
        assert [part.shape for part in parts] == [
            (2, 2, *column.row_shape(width))
            for column, width in zip(space.spaces, space.widths(6), strict=True)
        ]


@pytest.mark.parametrize(
    ("space", "bad", "message"),
    [
        (SURVIVAL, [[1.0, 1.0], [-1.0, 0.0]],
         r"target.time[8] = -1 lies outside NONNEGATIVE, the numbers at or above 0."),
        (SURVIVAL, [[np.inf, 1.0], [np.nan, 0.5]],
         "target.event[8] = 0.5 lies outside BINARY, the set {0, 1}."),
        (Vector.of(UNIT), [[0.0, 1.0], [0.5, 2.0]],
         "target[8, 1] = 2 lies outside UNIT, the interval [0, 1]."),
        (Columns.of(a=Vector.of(UNIT), b=REAL), [[0.0, 1.0, 5.0], [0.5, 2.0, 5.0]],
         "target.a[8, 1] = 2 lies outside UNIT, the interval [0, 1]."),
        (Columns.of(p=SIMPLEX, b=REAL), [[0.0, 1.0, 5.0], [0.5, 0.25, 5.0]],
         ("target.p[8] = [0.5, 0.25] (sum 0.75) lies outside SIMPLEX, the rows of non-negative "
         "numbers that sum to 1.")),
    ],
)  # fmt: skip
def test_a_message_names_the_column(space, bad, message):
    rows = np.array(bad)
    assert space.outside_or_none(rows).tolist() == [False, True]
    with pytest.raises(DomainError) as error:
        space.check(rows, "target", start=7)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("space", "size", "message"),
    [
        (SURVIVAL, 3, "prediction has 3 columns; expected 2: time, event."),
        (Vector.of(REAL, size=3), 1, "prediction has 1 column; expected 3."),
        (TRIPLET, 4, ("prediction has 4 columns; expected those of anchor, positive, negative, "
         "where vectors without a size have equally many.")),
        (MIXED, 1, ("prediction has 1 column; expected those of score, embedding, "
         "where vectors without a size have equally many.")),
    ],
)  # fmt: skip
def test_rows_of_another_size_are_refused(space, size, message):
    with pytest.raises(ShapeError) as error:
        space.check_size(size, "prediction")
    assert str(error.value) == message
    MIXED.check_size(2, "prediction")
    TRIPLET.check_size(3, "prediction")


@pytest.mark.parametrize(("parts", "message"), [
    ({"time": 0, "died": 0}, "returned the columns time, died; expected time, event."),
    ((0,), "returned 1 column; expected 2: time, event."),
])  # fmt: skip
def test_parts_that_are_not_the_columns_are_refused(parts, message):
    with pytest.raises(ShapeError, match=message):
        SURVIVAL.from_record(np, parts)


@pytest.mark.parametrize(("columns", "message"), [
    ({}, "has no columns"),
    ({"class": REAL}, "'class' cannot name a column"),
    ({"_a": REAL}, "'_a' cannot name a column"),
    ({"a": 1.0}, "column a is 1.0; expected a space"),
    ({"a": SURVIVAL}, "column a has columns itself: write them .* as a_time"),
])  # fmt: skip
def test_columns_that_cannot_be_are_refused(columns, message):
    with pytest.raises(ArgumentError, match=message):
        Columns.of(**columns)

"""Filters of rows: against Python's own comparisons, and against files of only these rows."""

import operator
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossfw.data import DataColumn, Dataset
from lossfw.data.row_filter import FilterError, RowFilter
from lossfw.data.selected_rows import SelectedColumn, select_filtered

ROWS = 40
REGIONS = ["north", "south", "", "far west", "o'hara"]
OPERATORS = {"==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le}
OPERATORS |= {">": operator.gt, ">=": operator.ge}


def table():
    """Return rows with a text, a number that may be missing, a whole number and a truth value."""
    random = np.random.default_rng(2)
    return [
        SimpleNamespace(
            region=REGIONS[random.integers(len(REGIONS))] or None,
            age=None if random.random() < 0.2 else float(random.integers(0, 6)) / 2,
            n=int(random.integers(-3, 4)),
            new=bool(random.integers(2)),
        )
        for _ in range(ROWS)
    ]


def mask_of(text, columns):
    return next(RowFilter.read(text).masks(columns, [{n: c.values for n, c in columns.items()}]))


def columns_of(rows):
    return {
        "region": DataColumn.of(np.array([row.region or "" for row in rows])),
        "age": DataColumn.of(np.array([np.nan if r.age is None else r.age for r in rows])),
        "n": DataColumn.of(np.array([row.n for row in rows])),
        "new": DataColumn.of(np.array([row.new for row in rows])),
    }


def quoted(text):
    return f'"{text}"' if " " in text or "'" in text else text


@st.composite
def comparisons(draw):
    """Return an expression, and the function of a row that it should be."""
    column = draw(st.sampled_from(["region", "age", "n", "new"]))
    values = {
        "region": st.sampled_from([r for r in REGIONS if r] + ["nowhere"]),
        "age": st.sampled_from([0.0, 0.5, 1.0, 2.5, -1.0]),
        "n": st.integers(-4, 4),
        "new": st.booleans(),
    }[column]

    def told(value):
        return quoted(value) if isinstance(value, str) else str(value).lower()

    if draw(st.booleans()):
        name = draw(st.sampled_from(list(OPERATORS)))
        value = draw(values)

        def holds(row):
            own = getattr(row, column)
            # A missing value is unequal to every value, and fulfils nothing else.
            return name == "!=" if own is None else OPERATORS[name](own, value)

        return f"column.{column} {name} {told(value)}", holds
    several = draw(st.lists(values, min_size=1, max_size=3))
    negated = draw(st.booleans())
    text = f"column.{column} {'not ' * negated}in [{', '.join(map(told, several))}]"
    return text, lambda row: (getattr(row, column) in several) != negated


def combined(inner):
    @st.composite
    def made(draw):
        word = draw(st.sampled_from(["and", "or", "not"]))
        one, f = draw(inner)
        if word == "not":
            return f"not ({one})", lambda row: not f(row)
        two, g = draw(inner)
        if word == "and":
            return f"({one}) and ({two})", lambda row: f(row) and g(row)
        return f"({one}) or ({two})", lambda row: f(row) or g(row)

    return made()


@given(pair=st.recursive(comparisons(), combined, max_leaves=6))
def test_a_filter_is_what_python_says(pair):
    text, holds = pair
    rows = table()
    columns, wanted = columns_of(rows), [bool(holds(row)) for row in rows]
    assert mask_of(text, columns).tolist() == wanted
    # It is written in one form, which is read as the same.
    written = str(RowFilter.read(text))
    assert str(RowFilter.read(written)) == written
    assert mask_of(written, columns).tolist() == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("column.n == 1 or column.n == 2 and column.new == true", [1, 2]),
        ("not column.n == 1 and column.new == true", [2]),
        ("not (column.n == 1 or column.n == 2)", [3]),
    ],
)
def test_and_binds_more_than_or_and_not_more_than_both(text, wanted):
    rows = [SimpleNamespace(region="a", age=0.0, n=n, new=n == 2) for n in (1, 2, 3)]
    mask = mask_of(text, columns_of(rows))
    assert [row.n for row, there in zip(rows, mask, strict=True) if there] == wanted


def test_keys_beyond_a_float_and_dates_are_compared_exactly():
    keys = DataColumn.of(np.array([2**53 + 1, 2**53 + 2, 7]))
    days = DataColumn.of(np.array(["2024-01-31", "2024-02-01", "2023-12-31"]))
    columns = {"key": keys, "day": days}
    for text, wanted in (
        (f"column.key > {2**53 + 1}", [False, True, False]),
        (f"column.key == {2**53 + 1}", [True, False, False]),
        ("column.key < 10", [False, False, True]),
        ("column.day >= 2024-01-01 and column.day < 2024-02-01", [True, False, False]),
    ):
        assert mask_of(text, columns).tolist() == wanted
    single = {"x": DataColumn.of(np.array([0.1, 0.2], "f4"))}
    assert mask_of("column.x == 0.1", single).tolist() == [True, False]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected a column, such as column.region, at the end"),
        ("region == a", "such as column.region, at 'region', character 1"),
        ("column.a", "expected ==, !=, <, <=, >, >=, in or not in at the end"),
        ("column.a = 1", "'=' at character 10 of 'column.a = 1' means nothing: equal is =="),
        ("column.a == 1 column.b == 2", "expected and, or, or nothing more at 'column.b'"),
        ("column.a in (1, 2)", "expected [ at '(', character 13"),
        ("column.a in []", "expected a value at ']'"),
        ("(column.a == 1", "expected ) at the end"),
        ("column.a == 'x", '"\'" at character 13'),
        ("not " * 60 + "column.a == 1", "at most 50 levels"),
        ("(" * 60 + "column.a == 1" + ")" * 60, "at most 50 levels"),
        ("column.a == " + "1" * 10_000, "at most 10000 characters"),
        ("column.a == 1; import os", "expected and, or, or nothing more at"),
    ],
)
def test_what_is_no_filter_is_told_with_its_place(text, said):
    with pytest.raises(FilterError) as error:
        RowFilter.read(text)
    assert said in str(error.value)


def test_rows_of_a_file_are_read_as_they_are_asked_for(folder):
    np.save(folder / "x.npy", np.arange(200.0).reshape(100, 2))
    mapped = np.load(folder / "x.npy", mmap_mode="r")
    data = Dataset("d", np.arange(100), mapped, columns={"n": np.arange(100) % 7})
    for text in ("column.n == 3", "column.n != 3"):
        found, _, index, _ = select_filtered(data, RowFilter.read(text))
        assert isinstance(found.inputs, SelectedColumn)
        assert np.array_equal(found.inputs, mapped[index])
        for start, stop in ((0, 0), (0, 5), (3, 9), (0, len(index))):
            assert np.array_equal(found.inputs[start:stop], mapped[index[start:stop]])
        some = np.array([4, 0, 2])
        assert np.array_equal(found.inputs[some], mapped[index[some]])
        assert found.rows.tolist() == index.tolist()
    # A mistake names the row of the file.
    mapped = np.array(mapped)
    mapped[10, 1] = np.nan
    np.save(folder / "y.npy", mapped)
    mapped = np.load(folder / "y.npy", mmap_mode="r")
    data = Dataset("d", np.arange(100), mapped, columns=data.columns)
    found = select_filtered(data, RowFilter.read("column.n == 3")).data
    with pytest.raises(Exception, match=r"\[1, 1\].*row 10|inputs\[10, 1\]"):
        list(found.batches(10))

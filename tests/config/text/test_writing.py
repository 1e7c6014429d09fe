"""What is written as YAML reads back as the same values."""

import math
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from lossfw.config.text.tree import Node, Origin, Position, Problems
from lossfw.config.text.writing import format_in_one_line, format_tree
from lossfw.config.text.yaml import FORBIDDEN, parse, split_lines

# YAML has no name for the characters that it forbids.
texts = st.text(max_size=20).filter(lambda text: not FORBIDDEN.search(text))
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), texts)
trees = st.dictionaries(
    texts,
    st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
        max_leaves=15,
    ),
    max_size=5,
)

AT = Position(Origin("run.yaml", Path("/")))


def node(value):
    if isinstance(value, dict):
        return Node({key: node(child) for key, child in value.items()}, AT)
    return Node([node(child) for child in value] if isinstance(value, list) else value, AT)


def read(text):
    problems = Problems()
    root = parse(text, Origin("x", Path("/"), split_lines(text)), problems)
    problems.raise_if_any()
    return root.to_plain()


def same(a, b):
    """Tell whether values are equal and of one type: 1 is not 1.0, nor true."""
    return repr(a) == repr(b)


@given(trees.filter(bool))
@example({"a": "no", "b": "1e-7", "c": "~", "d": "", "e": "0x1", "f": ".inf", "g": "- a"})
@example({"": {}, "a": [], "b": [[]], "c": [{}], "d": [[1, 2], [3]], "e": [{"a": []}]})
@example({"a": "\u2028 \x85 \t\n # : '\" \\ \U0001f600"})
def test_a_tree_in_lines_reads_back(tree):
    assert same(read(format_tree(node(tree), lambda node: "somewhere")), tree)
    assert same(read(format_tree(node(tree))), tree)


@given(trees)
def test_a_tree_in_one_line_reads_back(tree):
    assert same(read(format_in_one_line(tree)), tree)
    assert "\n" not in format_in_one_line(tree)


def test_numbers_keep_every_bit():
    numbers = [1e-7, 0.1, 1e300, -0.0, 5e-324, math.inf, -math.inf, math.nan]
    assert same(read(format_in_one_line(numbers)), numbers)

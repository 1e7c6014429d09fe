"""YAML is read by the core schema, with places and limits, and written to read back the same."""

import math
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from lossfw.config.text.tree import Node, Origin, Position, Problems
from lossfw.config.text.writing import format_in_one_line, format_tree
from lossfw.config.text.yaml import (
    FORBIDDEN,
    MAX_ALIASED,
    MAX_DEPTH,
    MAX_NUMBER_LENGTH,
    CoreLoader,
    core_loader,
    parse,
    split_lines,
)
from lossfw.errors import ConfigError

# The pure loader stands in where libyaml is missing; both must read alike.
LOADERS = [core_loader(yaml.SafeLoader), CoreLoader]


def read(text, loader=CoreLoader):
    """Return the root and what was found wrong."""
    problems = Problems()
    origin = Origin("run.yaml", Path("/folder"), split_lines(text))
    root = parse(text, origin, problems, loader=loader)
    try:
        problems.raise_if_any()
    except ConfigError as error:
        return root, error.problems
    return root, ()


def only(text, loader=CoreLoader):
    """Return the one problem of a text."""
    _, problems = read(text, loader)
    assert len(problems) == 1, problems
    return problems[0]


@pytest.fixture(params=LOADERS, ids=["pure", "c"])
def loader(request):
    return request.param


# YAML 1.2.2, section 10.3.2, and the values that YAML 1.1 reads otherwise.
SCALARS = {"1e-7": 1e-7, "1E3": 1000.0, "-.5": -0.5, "5.": 5.0, "+12": 12, "017": 17, "0o17": 15}
SCALARS |= {"0xFf": 255, "null": None, "~": None, "": None, "true": True, "FALSE": False}
SCALARS |= {"'1e-7'": "1e-7", '"true"': "true"}
TEXTS = "no yes On off y 1_000 12:30:45 2024-01-01 0b11 1e nul ="


@pytest.mark.parametrize(
    ("text", "value"), [*SCALARS.items(), *((text, text) for text in TEXTS.split())]
)
def test_scalars_follow_the_core_schema(text, value, loader):
    root, problems = read(f"key: {text}", loader)
    assert problems == ()
    found = root.value["key"].value
    assert (type(found), found) == (type(value), value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_is_read_back_from_its_repr(number):
    root, problems = read(f"[{number!r}]")
    assert problems == ()
    assert root.to_plain() == [number]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_all_systems_count_alike(end, loader):
    problem = only(end.join(["a: 1", "b: 2", "a: 3"]), loader)
    assert problem.where == "run.yaml:3:1"
    assert problem.source == "a: 3"


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        *((f"a: {tag} x", "1:4", "is not read")
          for tag in ("!!python/object:os.system", "!!int", "!mine", "!", "!!set")),
        ("a: !!python/tuple [1]", "1:4", "is not read"),
        ("a: &x {k: 1}\nb:\n  <<: *x\n  c: 1\n", "3:3", "merge keys"),
        *((f"? {key}\n: x\n", "1:3", "a key should be a string")
          for key in ("1.5", "true", "null", "[a]", "{a: b}")),
        ('{0: 1, "0": 2}', "1:8", "given twice"),
        ("loss: a\ndata: b\nloss: c\n", "3:1", "the key 'loss' is given twice"),
        ("a: &x [1, *x]", "1:11", "inside its own anchor"),
        ("a: *x", "1:4", "no anchor before it"),
        ("a: 1e999", "1:4", "larger than the largest float64"),
    ],
)  # fmt: skip
def test_what_is_refused_is_told_at_its_place(text, where, what, loader):
    problem = only(text, loader)
    assert problem.where == f"run.yaml:{where}"
    assert what in problem.message


def test_aliases_stand_for_their_anchor(loader):
    root, problems = read("a: &x {k: [1, 2]}\nb: *x\nc: [*x, *x]\n", loader)
    assert problems == ()
    assert root.to_plain()["c"] == [{"k": [1, 2]}] * 2


def test_a_bomb_or_a_ladder_of_aliases_is_stopped(loader):
    bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    bomb += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 30)]
    ladder = ["a0: &a0 [x]"] + [f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 100)]
    for lines, told in ((bomb, f"more than {MAX_ALIASED}"), (ladder, "nested deeper")):
        _, problems = read("\n".join(lines), loader)
        assert told in problems[-1].message


@pytest.mark.parametrize("levels", [MAX_DEPTH + 1, 100_000])
@pytest.mark.parametrize("brackets", ["[]", "{}"])
def test_deep_nests_are_refused(levels, brackets, loader):
    opening = "[" if brackets == "[]" else "{a: "
    closing = brackets[1]
    _, problems = read(opening * levels + closing * levels, loader)
    assert "nested deeper than" in problems[0].message
    assert len(problems[0].source) <= 100
    legal, problems = read("[" * MAX_DEPTH + "]" * MAX_DEPTH, loader)
    assert problems == ()
    assert isinstance(legal, Node)


def test_a_second_document_is_refused(loader):
    root, problems = read("a: 1\n---\nb: 2\n", loader)
    assert [problem.where for problem in problems] == ["run.yaml:2:1"]
    assert root.to_plain() == {"a": 1}


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        ("a: [1, 2\nb: 3\n", 2, "bracket is missing"),
        ("a: 'x\nb: 1\n", 2, "quotation mark is not closed"),
        ("a: b: c\n", 1, "needs quotes"),
        ("a: 1\n  b: 2\n", 2, "needs quotes"),
        ("a:\n\t- 1\n", 2, "indent with spaces"),
        ("a: @x\n", 1, "quote a string"),
    ],
)
def test_syntax_errors_have_a_place_and_a_hint(text, line, hint, loader):
    problem = only(text, loader)
    assert problem.where.startswith(f"run.yaml:{line}:")
    assert hint in problem.hint
    assert problem.message.startswith("not readable as YAML: ")


@pytest.mark.parametrize("character", ["\0", "\x1b", "\x07", "\udc80", "\ufffe"])
def test_control_characters_are_refused_and_not_shown(character, loader):
    problem = only(f"a: 1\nb: x{character}y\n", loader)
    assert problem.where == "run.yaml:2:5"
    assert f"U+{ord(character):04X}" in problem.message
    assert character not in str(problem)


@pytest.mark.parametrize("number", ["9" * 5_000, "0x" + "f" * 5_000, "0." + "1" * 5_000])
def test_numbers_of_thousands_of_digits_are_refused(number, loader):
    problem = only(f"a: {number}", loader)
    assert str(MAX_NUMBER_LENGTH) in problem.message
    assert len(problem.message) < 200


def test_infinite_and_not_a_number(loader):
    values = read("[.inf, -.INF, +.Inf, .nan, .NaN]", loader)[0].to_plain()
    assert values[:3] == [math.inf, -math.inf, math.inf]
    assert all(math.isnan(value) for value in values[3:])


def test_several_mistakes_come_together_in_file_order(loader):
    _, problems = read("a: !t 1\nb: 1e999\na: 2\nc: *x\n", loader)
    places = " ".join(problem.where.removeprefix("run.yaml:") for problem in problems)
    assert places == "1:4 2:4 3:1 4:4"


PIECES = ["abc01-+.:,[]{}&*!|>'\"%@#?~ \n\t\\", ": ", "- ", "\n  ", "<<", "&a ", "*a"]
PIECES += ["1e-7", "---\n", "é"]
yaml_like = st.lists(st.sampled_from([*PIECES[0], *PIECES[1:]]), max_size=60).map("".join)


@given(st.one_of(st.text(max_size=200), yaml_like))
def test_any_text_gives_a_tree_or_problems(text):
    for loader in LOADERS:
        root, problems = read(text, loader)
        lines = split_lines(text)
        for problem in problems:
            _, line, column = problem.where.rsplit(":", 2)
            assert 1 <= int(line) <= len(lines)
            assert 1 <= int(column) <= len(lines[int(line) - 1]) + 1
        if not problems and root is not None:
            root.to_plain()


trees = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text("abcno1e-", max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", min_size=1), inner),
    max_leaves=20,
)


def paths(value, path=()):
    yield path, value
    children = {dict: dict.items, list: enumerate}.get(type(value), lambda value: ())
    for step, child in children(value):
        yield from paths(child, (*path, step))


@given(trees, st.sampled_from([True, False, None]))
def test_positions_point_at_the_very_value(tree, flow):
    text = yaml.safe_dump(tree, default_flow_style=flow, allow_unicode=True)
    lines = split_lines(text)
    for loader in LOADERS:
        root, problems = read(text, loader)
        assert problems == ()
        for path, value in paths(root.to_plain()):
            at = root.locate(path)
            rest = "\n".join([lines[at.line][at.column :], *lines[at.line + 1 :]])
            if isinstance(value, bool | int) and rest[0] not in "'\"":
                assert rest.lower().startswith(str(value).lower())
            elif isinstance(value, str) and value and rest[0] not in "'\"":
                assert rest.startswith(value)


# YAML has no name for the characters that it forbids.
texts = st.text(max_size=20).filter(lambda text: not FORBIDDEN.search(text))
plain_scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts
mappings = st.dictionaries(
    texts,
    st.recursive(
        plain_scalars,
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


def read_back(text):
    problems = Problems()
    root = parse(text, Origin("x", Path("/"), split_lines(text)), problems)
    problems.raise_if_any()
    return root.to_plain()


def same(a, b):
    """Tell whether values are equal and of one type: 1 is not 1.0, nor true."""
    return repr(a) == repr(b)


@given(mappings.filter(bool))
@example({"a": "no", "b": "1e-7", "c": "~", "d": "", "e": "0x1", "f": ".inf", "g": "- a"})
@example({"": {}, "a": [], "b": [[]], "c": [{}], "d": [[1, 2], [3]], "e": [{"a": []}]})
@example({"a": "\u2028 \x85 \t\n # : '\" \\ \U0001f600"})
def test_a_tree_in_lines_reads_back(tree):
    assert same(read_back(format_tree(node(tree), lambda node: "somewhere")), tree)
    assert same(read_back(format_tree(node(tree))), tree)


@given(mappings)
def test_a_tree_in_one_line_reads_back(tree):
    assert same(read_back(format_in_one_line(tree)), tree)
    assert "\n" not in format_in_one_line(tree)


def test_numbers_keep_every_bit():
    numbers = [1e-7, 0.1, 1e300, -0.0, 5e-324, math.inf, -math.inf, math.nan]
    assert same(read_back(format_in_one_line(numbers)), numbers)

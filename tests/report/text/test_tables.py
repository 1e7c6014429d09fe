import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossfw.report.text.tables import plain_table, show_table

ROWS = [("loss", "a [red]bracket[/red]"), ("activation", "[0, 1]")]


def test_columns_are_aligned_and_lines_end_without_blanks():
    assert plain_table(("kind", "what"), ROWS) == (
        "kind        what\nloss        a [red]bracket[/red]\nactivation  [0, 1]"
    )


def test_a_table_may_have_headers_and_nothing_else():
    assert plain_table(("kind", "what"), []) == "kind  what"


@given(st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), min_size=1, max_size=5))
def test_each_row_is_one_line(rows):
    assert len(plain_table(("a", "b"), rows).split("\n")) == len(rows) + 1


def test_a_plain_output_gets_a_plain_table(capsys):
    show_table(("kind", "what"), ROWS)
    assert capsys.readouterr().out == plain_table(("kind", "what"), ROWS) + "\n"


@pytest.fixture
def terminal(monkeypatch):
    """Let standard output be a terminal of a width."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    return lambda width: monkeypatch.setenv("COLUMNS", str(width))


@pytest.mark.parametrize("headers", [("kind", "what"), ("", "")])
def test_a_terminal_gets_the_same_words(headers, terminal, capsys):
    terminal(80)
    show_table(headers, ROWS)
    shown = capsys.readouterr().out
    # Brackets are text and no markup.
    assert all(word in shown for word in ("loss", "a [red]bracket[/red]", "[0, 1]", *headers))


def test_what_does_not_fit_a_terminal_is_folded_and_not_cut(terminal, capsys):
    terminal(40)
    show_table(("kind", "what"), [("loss", "x" * 100)])
    assert capsys.readouterr().out.count("x") == 100

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossfw.report.text.tables import plain_table, show_table


class Terminal(io.StringIO):
    """A standard output that says it is a terminal."""

    def isatty(self):
        return True


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


def test_a_plain_output_gets_a_plain_table(monkeypatch, capsys):
    show_table(("kind", "what"), ROWS)
    assert capsys.readouterr().out == plain_table(("kind", "what"), ROWS) + "\n"


@pytest.mark.parametrize("headers", [("kind", "what"), ("", "")])
def test_a_terminal_gets_the_same_words(headers, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("COLUMNS", "80")
    show_table(headers, ROWS)
    # Brackets are text and no markup.
    for word in ("loss", "a [red]bracket[/red]", "[0, 1]", *headers):
        assert word in terminal.getvalue()


def test_what_does_not_fit_a_terminal_is_folded_and_not_cut(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("COLUMNS", "40")
    show_table(("kind", "what"), [("loss", "x" * 100)])
    assert terminal.getvalue().count("x") == 100

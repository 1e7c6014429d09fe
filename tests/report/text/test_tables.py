from hypothesis import given
from hypothesis import strategies as st

from lossfw.report.text.tables import plain_table, show_table

ROWS = [("loss", "a [red]bracket[/red]"), ("activation", "[0, 1]")]


@given(st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), min_size=1, max_size=5))
def test_each_row_is_one_line(rows):
    assert len(plain_table(("a", "b"), rows).split("\n")) == len(rows) + 1


def test_columns_are_aligned_and_lines_end_without_blanks(capsys):
    told = "kind        what\nloss        a [red]bracket[/red]\nactivation  [0, 1]"
    assert plain_table(("kind", "what"), ROWS) == told
    assert plain_table(("kind", "what"), []) == "kind  what"
    # A plain output gets a plain table.
    show_table(("kind", "what"), ROWS)
    assert capsys.readouterr().out == told + "\n"


def test_a_terminal_gets_the_same_words_folded_and_not_cut(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    for headers in (("kind", "what"), ("", "")):
        show_table(headers, ROWS)
        shown = capsys.readouterr().out
        # Brackets are text and no markup.
        assert all(word in shown for word in ("loss", "a [red]bracket[/red]", "[0, 1]", *headers))
    monkeypatch.setenv("COLUMNS", "40")
    show_table(("kind", "what"), [("loss", "x" * 100)])
    assert capsys.readouterr().out.count("x") == 100

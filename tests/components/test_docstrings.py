from lossfw.components.docstrings import (
    parse_entries,
    read_see_also,
    split_paragraphs,
    split_sections,
)

TEXT = """What it is.

    More, over
    two lines.

    Parameters
    ----------
    a, b : float
        Two numbers.
    word : {"x", "y"}
        A choice: one of two.

    Notes
    -----
    First.

    Second, with a - dash
    - and a list.
    """


def test_sections_by_title():
    found = split_sections(TEXT)
    assert list(found) == ["", "Parameters", "Notes"]
    assert found[""].startswith("What it is.")
    assert found["Notes"].endswith("- and a list.")


def test_a_docstring_may_be_missing_or_plain():
    assert split_sections(None) == {"": ""}
    assert split_sections("One line.") == {"": "One line."}


def test_entries_of_parameters():
    assert parse_entries(split_sections(TEXT)["Parameters"]) == {
        "a": "Two numbers.",
        "b": "Two numbers.",
        "word": "A choice: one of two.",
    }
    assert parse_entries("") == {}


def test_related_names_with_and_without_a_text():
    assert read_see_also("huber, fair : near it\n    and far.\nramp") == [
        {"names": ["huber", "fair"], "relation": "near it and far."},
        {"names": ["ramp"], "relation": ""},
    ]


def test_paragraphs_in_one_line_each():
    assert split_paragraphs(split_sections(TEXT)[""]) == ["What it is.", "More, over two lines."]
    assert split_paragraphs("") == []

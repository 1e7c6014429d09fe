from lossfw.components.docstrings import parse_entries, split_sections

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


def test_entries_of_parameters():
    assert parse_entries(split_sections(TEXT)["Parameters"]) == {
        "a": "Two numbers.",
        "b": "Two numbers.",
        "word": "A choice: one of two.",
    }
    assert parse_entries("") == {}

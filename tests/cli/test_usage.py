"""Mistakes in a command line look as those in a file do: error, line, caret and hint."""

import shlex

import pytest

# A command, what is wrong with it, the word above the caret, and a part of the hint.
MISTAKES = [
    ("lst", "there is no command 'lst'.", "lst", "did you mean 'list'?"),
    ("new lss", "there is no command 'lss'.", "lss", "did you mean 'loss'?"),
    ("--foo", "there is no option --foo.", "--foo", "--help"),
    ("check --exampels 3", "there is no option --exampels.", "--exampels", "--examples"),
    ("check huber --seed=a", "--seed: 'a' is not a valid integer.", "a", "check --help"),
    ("check huber --seed a", "--seed: 'a' is not a valid integer.", "a", "check --help"),
    ("check huber --seed", "--seed needs a value.", "", "--help"),
    ("run", "CONFIG is missing.", "", "run [OPTIONS] CONFIG..."),
    ("plot huber", "--out-file is missing.", "", "plot --help"),
    ("list los", "KIND: 'los' is not one of", "los", "did you mean 'loss'?"),
    ("plugins two words", "unexpected argument: two words.", "two words", "plugins --help"),
    ("rerun a loss.delta=1", "unexpected argument", "loss.delta=1", "write -o loss.delta=1"),
    ("compare a --bins 3", "--bins needs --by WHAT.", "--bins 3", "compare --help"),
]


@pytest.mark.parametrize(("command", "what", "word", "hint"), MISTAKES)
def test_a_mistake_has_its_place_and_a_hint(command, what, word, hint, refused):
    first, line, caret, last = refused(*shlex.split(command)).splitlines()
    assert first.startswith(f"lossfw: error: {what}")
    assert line.strip() == f"lossfw {command}"
    assert line[caret.index("^") :].startswith(word)
    assert last.startswith("  hint: ")
    assert hint in last


def test_a_mistake_of_no_single_word_has_no_caret(refused):
    text = refused("show")
    assert "lossfw: error: give a NAME, or --all." in text
    assert "^" not in text

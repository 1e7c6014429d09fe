"""What the tests draw: the same in every run, whatever has run before."""

import importlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

PROFILES = ("usual", "thorough")


@pytest.fixture
def drawn():
    """Return what a test with a profile draws."""

    def draw(profile):
        found = []

        @settings(settings.get_profile(profile), max_examples=100)
        @given(st.integers() | st.floats() | st.text())
        def test(value):
            found.append(repr(value))

        test()
        return found

    return draw


@pytest.mark.parametrize("profile", PROFILES)
def test_a_run_draws_what_the_last_one_drew(drawn, profile):
    assert drawn(profile) == drawn(profile)


def test_other_examples_are_drawn_on_request(drawn):
    assert drawn("others") != drawn("others")


def test_numbers_of_modules_imported_in_between_are_not_drawn(drawn, tmp_path, monkeypatch):
    before = drawn("usual")
    numbers = ", ".join(f"{number}.25" for number in range(1_000, 2_000))
    (tmp_path / "full_of_numbers.py").write_text(f"NUMBERS = [{numbers}]\n")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("full_of_numbers")
    assert drawn("usual") == before


@pytest.mark.parametrize("profile", PROFILES)
def test_no_example_of_an_earlier_run_and_no_clock_decides(profile):
    found = settings.get_profile(profile)
    assert (found.database, found.deadline) == (None, None)

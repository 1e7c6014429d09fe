"""Losses of other libraries: what is found is what has been looked at.

Not in the default suite: ``pytest -m wild tests/wild``, or ``make wild``, where they are installed.
"""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.wild.cases import CASES
from support.wild.findings import RULES, rule_for
from support.wild.others import FOUND
from support.wild.trying import attempt, missing

LIBRARIES = ("pycox", "torchmetrics", "keras", "optax", "sklearn", "xgboost", "torch")

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "in-the-wild.md"


def snippets():
    """Return the code of each counterexample of the page, with the library that it needs."""
    code = re.findall(r"^```py\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
    return [(library_of(c), c) for c in code]


def library_of(code):
    """Return the library that a piece of code needs, beside those that it needs itself."""
    named = r"^(?:import|from) (?:.*, )?({})\b"
    return next(name for name in LIBRARIES if re.search(named.format(name), code, re.M))


def ran(code, folder):
    """Run a piece of code in a folder."""
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=folder, env=environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def skip_what_is_missing(case):
    gone = missing(case)
    if gone:
        pytest.skip(f"{gone} is not installed")


# Of others than the library that is tried.
pytestmark = [pytest.mark.wild, pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_somebody_has_looked_at_all_that_is_found(case):
    skip_what_is_missing(case)
    report = attempt(case, examples=40)
    for refutation in report.refuted:
        assert rule_for(case, refutation.to_dict()) is not None, str(refutation)


def test_every_rule_is_about_something():
    for rule in RULES:
        assert any(str(case).startswith(rule.case) for case in CASES), rule


@pytest.mark.parametrize(("library", "code"), snippets(), ids=lambda x: x if len(x) < 20 else "")
def test_the_code_of_the_page_runs(library, code, tmp_path):
    pytest.importorskip(library)
    done = ran(code, tmp_path)
    # Where the finding is an exception, the last line is its name.
    raised = re.search(r"^\w*(Error|Exception)\b", done.stderr, re.M)
    assert done.returncode == 0 or raised


@pytest.mark.parametrize("found", FOUND, ids=lambda found: found.library)
def test_what_was_found_by_hand_is_still_so(found, tmp_path):
    if importlib.util.find_spec(library_of(found.code)) is None:
        pytest.skip("the library is not installed")
    done = ran(found.code, tmp_path)
    assert done.stdout == found.printed, done.stderr

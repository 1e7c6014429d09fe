"""Losses of other libraries: what is found is what has been looked at.

Not in the default suite: ``pytest -m wild tests/wild``, or ``make wild``, where they are installed.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.wild.cases import CASES
from support.wild.findings import RULES, rule_for
from support.wild.trying import attempt, missing

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "in-the-wild.md"


def snippets():
    """Return the code of each counterexample of the page, with the library that it needs."""
    code = re.findall(r"^```py\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
    return [(re.search(r"import (torchmetrics|keras|optax|sklearn|torch)", c)[1], c) for c in code]


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
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=tmp_path, env=environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    # Where the finding is an exception, the last line is its name.
    raised = re.search(r"^\w*(Error|Exception)\b", done.stderr, re.M)
    assert done.returncode == 0 or raised

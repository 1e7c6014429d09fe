"""Prose of pages, docstrings, comments and messages avoids what a machine can find."""

import re
from pathlib import Path

import pytest

from support.project_files import project_files

ROOT = Path(__file__).parents[2]

# What to avoid, and what to write. "There is no ..." and "is no longer" are English.
PATTERNS = {
    r"(?<![Tt]here )\b(is|are|was|were) no (?!longer\b|more than\b)": "is not a ...",
    r"\b(was|were) wanted\b": "expected ..., got ...",
    r"\b(is|are|was|were) told\b": "name the actor: lossfw reports ...",
    r"(?:^|[.!?:] |\"\"\"|\")Of [a-z]": "the subject first, or: For ...",
}


def _texts():
    """Yield each page, source and template of the project, with its path."""
    for name in project_files("*.md", "*.py", "*.j2"):
        # Pages of measurements quote other libraries; this file quotes the patterns.
        if name != "tests/docs/test_prose.py" and "in-the-wild" not in name:
            yield name, (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("pattern", PATTERNS)
def test_no_text_has_the_pattern(pattern):
    found = [
        f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {match.group().strip()!r}"
        for name, text in _texts()
        for match in re.finditer(pattern, text, re.MULTILINE)
    ]
    assert not found, f"write {PATTERNS[pattern]!r} instead:\n" + "\n".join(found)


# Names that begin a sentence in lower case.
NAMES = "lossfw|pip|keras|torch|xgboost|lightgbm|catboost|pycox|pytest|pydantic|float|scikit"


def test_no_block_cuts_a_sentence_in_two():
    cut = [
        f"{name}: ...{before} [block] {after}..."
        for name, text in _texts()
        if name.startswith(("docs/", "README"))
        for before, after in re.findall(
            r"([^\n]{1,40})\n+```\w*[^`]*?\n```\n\n([a-z][^\n]{1,40})", text
        )
        if not re.match(NAMES, after) and not before.endswith((".", ":", "-->"))
    ]
    cut += [
        f"{name}: {found}"
        for name, text in _texts()
        if name.endswith(".md")
        for found in re.findall(
            r"\((?:today|was|before|TODO|editor)\b[ :][^)]*\bsentence\b[^)]*\)", text
        )
    ]
    assert cut == []

"""Prose of pages, docstrings, comments and messages avoids what a machine can find."""

import ast
import functools
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


_LIBRARY = "scikit-learn|PyTorch|Keras|ONNX|XGBoost|LightGBM|CatBoost|Dask|lossfw"
_OBJECT = (
    "estimators?|models?|modules?|files?|networks?|pipelines?"
    "|loss|losses|objectives?|weights|scores?"
)
# Habits that are sometimes right, what is better most of the time, and how often pages have them
# at most. Lower a number when you can; do not raise one.
HABITS = {
    rf"\b({_OBJECT}) of ({_LIBRARY})\b(?!')": ("a scikit-learn estimator, an ONNX file", 3),
    r"\bof (its|your|their) own\b": ("your own loss", 9),
    r"\b(that of|those of|those that)\b": ("the noun again", 50),
    r"\bthere[.,;]": ("the place: at 0, in this range", 18),
    r"\b(beside|in place of)\b": ("next to, instead of", 2),
    r"\b(learnt|rows to learn from)\b": ("trained, training rows", 6),
    r"\bis (an error|a mistake|a warning)\b": ("lossfw raises, lossfw warns", 12),
    r"\b(verbs?|told)\b": ("command; lossfw reports", 4),
}


# The same for docstrings and messages.
HABITS_OF_SOURCES = {
    r"\b(beside|in (the )?place of)\b": ("next to, instead of", 62),
    r"\b(learnt|anew|whoever|mend(s|ed)?)\b": ("trained, again, the caller, fix", 5),
    r"\b(as it is|as they are)\b": ("unchanged", 43),
    r"\bwhere (there is|it has|they have|it is)\b": ("if", 56),
    r"\b(is|are) none\b": ("is not a ...", 52),
    r"\b(have|has) to (be|have)\b": ("must", 10),
    r"\b(chances?|shares?)\b": ("probability, fraction", 88),
    r"\b(told|verbs?)\b": ("lossfw reports; command", 4),
    r"\btexts?\b": ("string, label", 262),
    r"\bof (its|your|their) own\b": ("your own loss", 35),
}


@functools.cache
def _prose(is_source):
    """Return texts of pages without blocks, or strings of sources, each with its place."""
    if not is_source:
        return [
            (name, re.sub(r"(?ms)^```.*?^```", "", text))
            for name, text in _texts()
            if name.endswith(".md") and name != "docs/reference/components.md"
        ]
    return [
        (f"{name}:{node.lineno}", node.value)
        for name, text in _texts()
        if name.startswith(("lossfw/", "plugins/")) and name.endswith(".py")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


@pytest.mark.parametrize(
    ("is_source", "pattern", "better", "most"),
    [
        (is_source, pattern, *habit)
        for is_source, habits in ((False, HABITS), (True, HABITS_OF_SOURCES))
        for pattern, habit in habits.items()
    ],
)
def test_prose_has_a_habit_no_more_often(is_source, pattern, better, most):
    found = [
        f"{place}: {match.group()}"
        for place, text in _prose(is_source)
        for match in re.finditer(pattern, text)
    ]
    assert len(found) <= most, f"write {better!r} instead:\n" + "\n".join(found)


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

"""Fixes of the theme's faults in the built pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path

# Writes messages to the console of every reader.
_TALKING = ("_static/scripts/pydata-sphinx-theme.js", "search.html")

# What Sphinx leaves for the next build.
_LEFT = (".buildinfo", ".doctrees")

# A chapter of the side bar, which unfolds at an arrow that has no words.
_FOLDED = re.compile(r'(<a [^>]*internal" href="[^"]*">)([^<]*)(</a><details[^>]*>)<summary>')

# The label of a button, which has other words than those that it shows.
_SEARCH = re.compile(r'(<button[^>]* search-button-field [^>]*?) aria-label="[^"]*"')


def fix_theme(pages: Path, title: str) -> None:
    """Fix pages that Sphinx has written."""
    for name in _TALKING:
        path = pages / name
        text = path.read_text(encoding="utf-8").replace("console.log(", "void(")
        # The head of the search has the title of the site as it is.
        text = text.replace(f"- {title}</title>", f"- {escape(title)}</title>")
        path.write_text(text, encoding="utf-8")
    for path in _fix_pages(pages):
        text = path.read_text(encoding="utf-8")
        text = _FOLDED.sub(r'\1\2\3<summary aria-label="Pages of \2">', text)
        path.write_text(_SEARCH.sub(r"\1", text), encoding="utf-8")
    for name in _LEFT:
        (pages / name).unlink(missing_ok=True)


def _fix_pages(pages: Path) -> Iterator[Path]:
    yield from (path for path in pages.rglob("*.html") if "_static" not in path.parts)

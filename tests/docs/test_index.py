"""The start of the documentation leads to every page."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_index_leads_to_every_page():
    pages = {p.relative_to(DOCS).as_posix() for p in DOCS.glob("*/*.md")}
    linked = set(re.findall(r"\]\(([\w/-]+\.md)\)", (DOCS / "index.md").read_text()))
    assert pages - linked == set()
    # These two are made with the site.
    assert linked - pages == {"components/index.md", "choose.md"}

"""Comments of pages: names of files, and words that lead to a page."""

import re

from lossfw.report.site.comments import replace_comments
from support.site_content import DOCS

WORDS = re.compile(r"^<!-- words: (.*) -->$", re.M)


def test_comments_become_directives(tmp_path):
    page = tmp_path / "how-to" / "page.md"
    page.parent.mkdir()
    page.write_text(
        "# A title\n\n<!-- words: GPU, two words -->\n\n<!-- file: a/b.py -->\n```py\nx = 1\n```\n"
    )
    replace_comments(tmp_path)
    assert page.read_text() == (
        "# A title\n\n```{index} ! GPU, ! two words\n```\n\n"
        "```{code-block} python\n:caption: a/b.py\n\nx = 1\n```\n"
    )


def test_words_are_below_a_heading_and_lead_to_one_place():
    pages = sorted([*DOCS.rglob("*.md"), DOCS.parent / "SECURITY.md"])
    texts = {page: page.read_text() for page in pages}
    listed = [
        word.strip().lower()
        for text in texts.values()
        for words in WORDS.findall(text)
        for word in words.split(",")
    ]
    assert len(listed) > 80
    assert sorted(word for word in set(listed) if listed.count(word) > 1) == []
    under = re.compile(r"^#+ .*\n\n<!-- words: .* -->$", re.M)
    assert [
        p for p, text in texts.items() if len(under.findall(text)) != len(WORDS.findall(text))
    ] == []

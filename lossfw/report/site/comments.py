"""Comments in pages that become directives on a site; GitHub does not show them.

::

    <!-- file: boost.yaml -->           the name of the file in the next block, as its caption
    <!-- words: GPU, CUDA -->           words that lead here in the search and the index of the site
"""

from __future__ import annotations

import re
from pathlib import Path

from lossfw.report.site.markup import fence_block

# The name of a file, which tests of pages read, and the block with its content.
_FILE = re.compile(
    r"^<!-- file: (?P<name>\S+) -->\n```(?P<language>\w+)\n(?P<body>.*?\n)```$", re.M | re.S
)

_WORDS = re.compile(r"^<!-- words: (?P<words>[^>]+) -->$", re.M)


def replace_comments(root: Path) -> None:
    """Replace the comments of each page below a folder by directives."""
    for page in root.rglob("*.md"):
        text = page.read_text(encoding="utf-8")
        page.write_text(
            _WORDS.sub(_add_index_entry, _FILE.sub(_add_caption, text)), encoding="utf-8"
        )


def _add_caption(block: re.Match[str]) -> str:
    # A linter would find no block of Python in the pages of a checkout with ``python`` here.
    language = {"py": "python"}.get(block["language"], block["language"])
    caption = f":caption: {block['name']}"
    return fence_block(f"{{code-block}} {language}", caption, "", block["body"].rstrip("\n"))


def _add_index_entry(comment: re.Match[str]) -> str:
    # A main entry, which the search puts before pages that only have the word.
    entries = ", ".join(f"! {word.strip()}" for word in comment["words"].split(","))
    return fence_block(f"{{index}} {entries}")

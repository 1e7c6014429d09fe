"""Docstring text as MyST Markdown, and tables of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from urllib.parse import quote

from lossfw.components.naming import printable
from lossfw.report.text.tables import markdown_table

_CODE = re.compile(r"(``[^`]+``|`[^`]+`)")
_SPECIAL = re.compile(r"([\\\[\]<>{}$#~])")


def escape_prose(text: str) -> str:
    r"""Return text of a docstring as Markdown: code as code, and no accidental markup.

    Examples
    --------
    >>> escape_prose("``a[0]`` in [0, 1], 2 * 3, *emphasis*")
    '`a[0]` in \\[0, 1\\], 2 \\* 3, *emphasis*'
    """
    parts = _CODE.split(text)
    return "".join(
        f"`{part.strip('`')}`" if part[:1] == "`" else _escape_text(part) for part in parts if part
    )


def _escape_text(text: str) -> str:
    escaped = _SPECIAL.sub(r"\\\1", text).replace(" * ", r" \* ")
    # An underscore at the edge of a word would begin emphasis.
    return re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", escaped)


def inline_html(text: str) -> str:
    """Return text of a docstring as inline HTML: code as code.

    Examples
    --------
    >>> inline_html("the same for ``a < 1``, with `huber`")
    'the same for <code>a &lt; 1</code>, with <code>huber</code>'
    """
    parts = _CODE.split(text)
    return "".join(
        f"<code>{escape(part.strip('`'))}</code>" if part[:1] == "`" else escape(part)
        for part in parts
    )


def table_cell(text: str) -> str:
    """Return text of a docstring for the cell of a table."""
    return escape_prose(text).replace("|", r"\|")


def citation_item(source: Mapping[str, str]) -> str:
    """Return a source as a list item, with its link."""
    doi = source["doi"]
    # Parentheses and brackets of an identifier would end the link.
    link = f" [doi:{escape_prose(doi)}](https://doi.org/{quote(doi, safe='/.:;-_')})" if doi else ""
    return f"- {escape_prose(source['text'])}.{link}"


def breakable_name(name: str) -> str:
    """Return a name as HTML that may break after an underscore."""
    return escape(name).replace("_", "_<wbr>")


def page_table(headers: Sequence[str], rows: Iterable[Sequence[str]], left: int = 99) -> str:
    """Return a table of cells that are Markdown already; columns after `left` are numbers."""
    return markdown_table(list(headers), [list(row) for row in rows], left=left)


def code_span(text: str) -> str:
    """Return text as code in a line, whatever characters it has.

    Examples
    --------
    >>> code_span("a"), code_span("a`b`")
    ('`a`', '`` a`b` ``')
    """
    text = printable(text)
    mark = "`" * (_longest_mark(text) + 1)
    return f"{mark} {text} {mark}" if len(mark) > 1 else f"`{text}`"


def fence_block(info: str, *lines: str) -> str:
    """Return a fenced block whose fence is longer than any in its lines.

    Examples
    --------
    >>> print(fence_block("{note}", fence_block("python", "x = 1")))
    ````{note}
    ```python
    x = 1
    ```
    ````
    """
    mark = "`" * max(3, *(_longest_mark(line) + 1 for line in lines), 0)
    return "\n".join([f"{mark}{info}", *lines, mark])


def _longest_mark(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def raw_html(html: str) -> str:
    """Return HTML for a page, unchanged."""
    return fence_block("{raw} html", html)


def tabs(items: Sequence[tuple[str, str]]) -> str:
    """Return tabs, of which the page shows one at a time."""
    inside = [fence_block(f"{{tab-item}} {title}", content) for title, content in items]
    return fence_block("{tab-set}", *inside)

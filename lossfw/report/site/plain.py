r"""Plain Markdown of a page: without directives, roles, pictures and scripts.

A fenced directive keeps its content (``{math}``) or its title (``{tab-item} YAML``), and what
only a browser understands (``{raw} html``) is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_FENCE = re.compile(r"^(?P<mark>`{3,}|:{3,})\{(?P<name>[\w-]+)\}(?P<argument>.*)$")
_ROLE = re.compile(r"\{[\w:-]+\}`(?:(?P<title>[^`<]*) <[^`>]*>|(?P<text>[^`]*))`")
# Attributes of a paragraph, ``{.lead}``, and targets, ``(name)=``.
# Those of a word stand behind it.
_ATTRIBUTES = re.compile(r"(?<=`)\{#[\w-]+\}")
_MARKS = re.compile(r"^(\{[.#][^}]*\}|\([\w-]+\)=)$")

# Code in a line, which stays as it is.
_CODE = re.compile(r"(``[^`]+``|`[^`]+`)")

# Directives whose content is text; of others but formulas nothing is kept.
_TEXTS = ("tab-set", "tab-item", "note", "admonition", "dropdown", "container")


def plain_markdown(text: str) -> str:
    r"""Return the text of a page as Markdown that any reader understands.

    Examples
    --------
    >>> print(plain_markdown("# a\n\n{.lead}\nSee {loss}`huber`.\n\n```{math}\nx^2\n```\n"))
    # a
    <BLANKLINE>
    See `huber`.
    <BLANKLINE>
    $$
    x^2
    $$
    <BLANKLINE>
    """
    lines, out = iter(_without_front_matter(text).splitlines()), []
    closing: list[str] = []
    for line in lines:
        found = _FENCE.match(line)
        if found and found["name"] in _TEXTS:
            closing.append(found["mark"])
            if found["name"] in ("tab-item", "dropdown"):
                out.append(f"**{found['argument'].strip()}**")
        elif found:
            content = list(_until(lines, found["mark"]))
            out += ["$$", *content, "$$"] if found["name"] == "math" else []
        elif closing and line == closing[-1]:
            closing.pop()
        elif not _MARKS.match(line) and not (closing and re.match(r"^:[\w-]+:", line)):
            out.append(_without_tags(_ROLE.sub(_said, _ATTRIBUTES.sub("", line))))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(out)).strip("\n") + "\n"


def _without_tags(line: str) -> str:
    """Return a line whose escaped brackets are no tag even to a reader that takes it for HTML."""
    parts = _CODE.split(line)
    parts[::2] = [part.replace(r"\<", "&lt;").replace(r"\>", "&gt;") for part in parts[::2]]
    return "".join(parts)


def _said(role: re.Match[str]) -> str:
    return f"`{role['title'] or role['text']}`"


def _without_front_matter(text: str) -> str:
    """Return a page without the settings between two lines of dashes at its head."""
    return re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.S)


def _until(lines: Iterator[str], mark: str) -> Iterator[str]:
    """Yield lines up to the end of a fence, which is left out."""
    for line in lines:
        if line == mark:
            return
        yield line

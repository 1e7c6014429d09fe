"""Docstrings in numpydoc's form, taken apart."""

from __future__ import annotations

import inspect
import re

# A section's title stands above a line of dashes of its own length.
_TITLE = re.compile(r"^(?P<title>\S.*)\n-{3,}[ ]*$", re.M)

# ``name : type``, or ``a, b : type``, at the margin of a section of parameters.
_ENTRY = re.compile(r"^(?P<names>\S[^:\n]*?)[ ]*(?::[^\n]*)?$", re.M)


def sections(docstring: str | None) -> dict[str, str]:
    r"""Return the sections of a docstring by title; the text before them under "".

    Examples
    --------
    >>> sections("What it is.\n\nNotes\n-----\nMore.")
    {'': 'What it is.', 'Notes': 'More.'}
    """
    text = inspect.cleandoc(docstring or "")
    matches = list(_TITLE.finditer(text))
    ends = [*(match.start() for match in matches), len(text)]
    found = {"": text[: ends[0]].strip()}
    for match, end in zip(matches, ends[1:], strict=True):
        found[match["title"]] = text[match.end() : end].strip()
    return found


def entries(section: str) -> dict[str, str]:
    r"""Return the entries of a section of parameters: the text of each name, in one line.

    Examples
    --------
    >>> entries("a, b : float\n    Two numbers.\nc : int\n    One.")
    {'a': 'Two numbers.', 'b': 'Two numbers.', 'c': 'One.'}
    """
    found: dict[str, str] = {}
    names: list[str] = []
    for line in section.splitlines():
        match = _ENTRY.match(line)
        if match is not None:
            names = [name.strip() for name in match["names"].split(",")]
            found.update(dict.fromkeys(names, ""))
        else:
            for name in names:
                found[name] = f"{found[name]} {line.strip()}".strip()
    return found


def siblings(section: str) -> dict[str, str]:
    r"""Return the entries of a "See Also": the text of each name, in one line.

    Examples
    --------
    >>> siblings("sigmoid : for one number\n    and no row.\nexp")
    {'sigmoid': 'for one number and no row.', 'exp': ''}
    """
    found: dict[str, str] = {}
    name = ""
    for line in section.splitlines():
        if not line[:1].isspace() and line:
            name, _, text = (part.strip() for part in line.partition(" : "))
            found[name] = text
        elif name:
            found[name] = f"{found[name]} {line.strip()}".strip()
    return found


def paragraphs(section: str) -> list[str]:
    """Return the paragraphs of a section, each in one line."""
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", section) if part.strip()]

"""Split docstrings in numpydoc's form into sections and entries."""

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
    by_title = {"": text[: ends[0]].strip()}
    for match, end in zip(matches, ends[1:], strict=True):
        by_title[match["title"]] = text[match.end() : end].strip()
    return by_title


def entries(section: str) -> dict[str, str]:
    r"""Return the entries of a section of parameters: the text of each name, in one line.

    Examples
    --------
    >>> entries("a, b : float\n    Two numbers.\nc : int\n    One.")
    {'a': 'Two numbers.', 'b': 'Two numbers.', 'c': 'One.'}
    """
    by_name: dict[str, str] = {}
    names: list[str] = []
    for line in section.splitlines():
        match = _ENTRY.match(line)
        if match is not None:
            names = [name.strip() for name in match["names"].split(",")]
            by_name.update(dict.fromkeys(names, ""))
        else:
            for name in names:
                by_name[name] = f"{by_name[name]} {line.strip()}".strip()
    return by_name


def siblings(section: str) -> dict[str, str]:
    r"""Return the entries of a "See Also": the text of each name, in one line.

    Examples
    --------
    >>> siblings("sigmoid : for one number\n    and no row.\nexp")
    {'sigmoid': 'for one number and no row.', 'exp': ''}
    """
    by_name: dict[str, str] = {}
    name = ""
    for line in section.splitlines():
        if not line[:1].isspace() and line:
            name, _, text = (part.strip() for part in line.partition(" : "))
            by_name[name] = text
        elif name:
            by_name[name] = f"{by_name[name]} {line.strip()}".strip()
    return by_name


def paragraphs(section: str) -> list[str]:
    """Return the paragraphs of a section, each in one line."""
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", section) if part.strip()]

"""Split numpydoc docstrings into sections and entries."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from typing import Any

# A section's title stands above a line of dashes of its own length.
_TITLE = re.compile(r"^(?P<title>\S.*)\n-{3,}[ ]*$", re.M)

# ``name : type``, or ``a, b : type``, at the margin of a section of parameters.
_ENTRY = re.compile(r"^(?P<names>\S[^:\n]*?)[ ]*(?::[^\n]*)?$", re.M)

# A digital object identifier, with the comma before it.
_DOI = re.compile(r",? doi:(?P<doi>10\.\S+?)(?=[,;]?(\s|$))")
# A brace or a dollar sign with a backslash is a sign to be shown.
_TOKEN = re.compile(
    r"(?<!\\)(?:\\\\)*([{}$]|\\left(?![a-z])|\\right(?![a-z])|\\(?:begin|end)\{(\w+\*?)\})"
)


def split_sections(docstring: str | None) -> dict[str, str]:
    r"""Return the sections of a docstring by title; the text before them under "".

    Examples
    --------
    >>> split_sections("What it is.\n\nNotes\n-----\nMore.")
    {'': 'What it is.', 'Notes': 'More.'}
    """
    text = inspect.cleandoc(docstring or "")
    matches = list(_TITLE.finditer(text))
    ends = [*(match.start() for match in matches), len(text)]
    by_title = {"": text[: ends[0]].strip()}
    for match, end in zip(matches, ends[1:], strict=True):
        by_title[match["title"]] = text[match.end() : end].strip()
    return by_title


def parse_entries(section: str) -> dict[str, str]:
    r"""Return the entries of a parameter section: the description of each name, in one line.

    Examples
    --------
    >>> parse_entries("a, b : float\n    Two numbers.\nc : int\n    One.")
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


def read_see_also(section: str) -> list[dict[str, Any]]:
    r"""Return the entries of a "See Also" section: names, and their relation in one line.

    Examples
    --------
    >>> read_see_also("sigmoid, tanh : for one number\n    and no row.\nexp")
    [{'names': ['sigmoid', 'tanh'], 'relation': 'for one number and no row.'}, {'names': ['exp'], 'relation': ''}]
    """  # noqa: E501  # the result of an example is one line
    found: list[dict[str, Any]] = []
    for line in section.splitlines():
        if not line[:1].isspace() and line:
            names, _, text = (part.strip() for part in line.partition(" : "))
            found.append({"names": re.split(r",\s*", names), "relation": text})
        elif found:
            found[-1]["relation"] = f"{found[-1]['relation']} {line.strip()}".strip()
    return found


def parameter_meanings(cls: type) -> dict[str, str]:
    """Return the descriptions of parameters in the docstrings of a class and of its bases."""
    meanings: dict[str, str] = {}
    # The class itself has the last word.
    for base in reversed(cls.__mro__[:-1]):
        text = split_sections(base.__doc__)
        for section in ("Parameters", "Attributes"):
            described = parse_entries(text.get(section, ""))
            meanings |= {name: meaning for name, meaning in described.items() if meaning}
    return meanings


def summary_title(summary: str) -> str:
    """Return the name that begins a summary, without the formula or explanation after it.

    Examples
    --------
    >>> summary_title("Squared error, factor * r^2 with r = y - t.")
    'Squared error'
    """
    return re.split(r"[,:;] ", summary, maxsplit=1)[0].rstrip(".")


def split_usage_paragraph(text: Sequence[str]) -> tuple[str, list[str]]:
    """Return the paragraph that says when to use a thing, "Use it when ...", and the others.

    Examples
    --------
    >>> split_usage_paragraph(["Use it when targets are counts.", "One loss per row."])
    ('Use it when targets are counts.', ['One loss per row.'])
    """
    said = [paragraph for paragraph in text if paragraph.startswith("Use it ")]
    return (said[0] if said else ""), [paragraph for paragraph in text if paragraph not in said[:1]]


def extract_sources(text: Sequence[str]) -> tuple[list[dict[str, str]], list[str]]:
    """Return the sources that paragraphs cite, and the paragraphs without them.

    A paragraph ends with ``Source: a; b, doi:10.1/2.``

    Examples
    --------
    >>> extract_sources(["Robust. Source: Huber, 1964, doi:10.1/a; Fair, 1974."])[0]
    [{'text': 'Huber, 1964', 'doi': '10.1/a'}, {'text': 'Fair, 1974', 'doi': ''}]
    """
    cited: list[dict[str, str]] = []
    rest = []
    for paragraph in text:
        before, _, after = re.sub(r"\bSources:", "Source:", paragraph).partition("Source: ")
        cited += [_split_doi(one) for one in after.removesuffix(".").split("; ") if one]
        rest += [before.strip()] if before.strip() else []
    return cited, rest


def _split_doi(text: str) -> dict[str, str]:
    """Split a source into its text and its DOI."""
    found = _DOI.search(text)
    plain = _DOI.sub("", text)
    return {"text": plain.strip(), "doi": found["doi"] if found else ""}


def split_paragraphs(section: str) -> list[str]:
    """Return the paragraphs of a section, each in one line."""
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", section) if part.strip()]


def latex_problem(text: object) -> str:
    r"""Return the fault of an author's LaTeX, empty if there is none.

    Braces, ``\left`` and ``\right``, and environments must be closed in order, without dollar
    signs, because the text is inside a formula.

    Examples
    --------
    >>> latex_problem(r"\frac{r^{2}}{2}"), latex_problem(r"\frac{r}{2")
    ('', 'has a { that is not closed')
    """
    if not isinstance(text, str) or not text.strip():
        return "is not a text"
    open_parts: list[str] = []
    for sign, environment in _TOKEN.findall(text):
        if sign == "$":
            return "has a dollar sign, although it is already a formula"
        kind = "{" if sign == "}" else r"\left" if sign == r"\right" else environment
        if sign in ("{", r"\left") or sign.startswith(r"\begin"):
            open_parts.append(kind if sign.startswith(r"\begin") else sign)
        elif not open_parts or open_parts.pop() != kind:
            return f"closes {sign}, which is not open"
    return f"has a {open_parts[-1]} that is not closed" if open_parts else ""

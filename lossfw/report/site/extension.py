"""A Sphinx extension: MathML, roles for components, and Markdown next to each page.

Formulas are rendered when pages are built, so readers need neither scripts nor a network. Next to
each page is a copy in plain Markdown, without directives, roles, pictures and scripts, and
``llms.txt`` lists the copies.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from pydoc import locate
from typing import Any

from lossfw.components.registry import KINDS
from lossfw.report.site.markup import escape_prose, fence_block

_FENCE = re.compile(r"^(?P<mark>`{3,}|:{3,})\{(?P<name>[\w-]+)\}(?P<argument>.*)$")
_ROLE = re.compile(r"\{[\w:-]+\}`(?:(?P<title>[^`<]*) <[^`>]*>|(?P<text>[^`]*))`")
# Attributes of a word, which follow it.
_ATTRIBUTES = re.compile(r"(?<=`)\{#[\w-]+\}")
# Attributes of a paragraph, ``{.lead}``, and targets, ``(name)=``.
_MARKS = re.compile(r"^(\{[.#][^}]*\}|\([\w-]+\)=)$")

# Code in a line, which stays as it is.
_CODE = re.compile(r"(``[^`]+``|`[^`]+`)")

# Directives whose content is text; of others but formulas nothing is kept.
_TEXTS = ("tab-set", "tab-item", "note", "admonition", "dropdown", "container")

# What autodoc describes, and a name of Python in a text, with or without a call.
_DESCRIBED = re.compile(r"^\.\. auto(?:class|function):: (?P<name>\S+)$")
_NAME = re.compile(r"(?P<name>lossfw(?:\.\w+)+)(?:\(.*\))?", re.S)

# The page of words, and the pages that link the first use of one. Only words that few readers
# know, and that have no other meaning on these pages.
_GLOSSARY = "reference/glossary"
_EXPLAINED = re.compile("(tutorial|how-to|explanation)/")
_WORDS = {
    word: re.compile(rf"\b{word}s?\b", re.I)
    for word in ("harness", "guard", "fused", "dual number", "curvature", "skill", "ULP", "digest")
}

# A function without brackets, as in log y: print has a thin space there, and
# browsers leave none.
_FUNCTION = re.compile(r"(<mo>&ApplyFunction;</mo>)(?!\s*<mo[^>]*>[(\[|])")

_THIN_SPACE = '<mspace width="0.1667em"></mspace>'

# Pages that Sphinx makes, which have no text of their own.
_MADE = ("genindex", "search")


def plain_markdown(text: str) -> str:
    r"""Return the text of a page as plain Markdown.

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
    # Without the settings between two lines of dashes at the head of the page.
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.S)
    lines, out = iter(text.splitlines()), []
    closing: list[str] = []
    for line in lines:
        found = _FENCE.match(line)
        if found and found["name"] in _TEXTS:
            closing.append(found["mark"])
            if found["name"] in ("tab-item", "dropdown"):
                out.append(f"**{found['argument'].strip()}**")
        elif found:
            content = list(_lines_before(lines, found["mark"]))
            out += ["$$", *content, "$$"] if found["name"] == "math" else []
            if found["name"] == "code-block":
                captions = [one.split(" ", 1)[1] for one in content if one.startswith(":caption: ")]
                out += [line for caption in captions for line in (f"`{caption}`:", "")]
                code = "\n".join(line for line in content if not line.startswith(":caption: "))
                out.append(fence_block(found["argument"].strip(), code.lstrip("\n")))
            described = [match for line in content if (match := _DESCRIBED.match(line))]
            out += [fence_block("text", _describe_object(match["name"])) for match in described]
        elif closing and line == closing[-1]:
            closing.pop()
        elif not _MARKS.match(line) and not (closing and re.match(r"^:[\w-]+:", line)):
            parts = _CODE.split(_ROLE.sub(r"`\g<title>\g<text>`", _ATTRIBUTES.sub("", line)))
            # Escaped brackets are not tags even to a reader that takes the line for HTML.
            parts[::2] = [p.replace(r"\<", "&lt;").replace(r"\>", "&gt;") for p in parts[::2]]
            out.append("".join(parts))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(out)).strip("\n") + "\n"


def _lines_before(lines: Iterator[str], mark: str) -> Iterator[str]:
    """Yield lines up to the end of a fence, which is left out."""
    for line in lines:
        if line == mark:
            return
        yield line


def _describe_object(name: str) -> str:
    """Return the signature and the docstring of a class or a function."""
    member: Any = locate(name)
    try:
        signature = str(inspect.signature(member))
    except ValueError:
        # An exception without a constructor of its own.
        signature = ""
    return f"{name}{signature}\n\n{inspect.getdoc(member)}"


def _link_names(app: Any, doctree: Any) -> None:
    """Let code that is a name of Python, such as ``lossfw.run(...)``, lead to its page."""
    from docutils import nodes
    from sphinx.addnodes import pending_xref

    for literal in list(doctree.findall(nodes.literal)):
        found = _NAME.fullmatch(literal.astext())
        inside = (nodes.title, nodes.reference, pending_xref)
        if found and not any(isinstance(literal.parent, one) for one in inside):
            options = {"refdomain": "py", "reftype": "obj", "refexplicit": True, "refwarn": False}
            link = pending_xref("", reftarget=found["name"], refdoc=app.env.docname, **options)
            literal.replace_self(link)
            link += literal


def _mark_glossary(app: Any, doctree: Any) -> None:
    """Let the glossary have a target for each word."""
    from docutils import nodes

    if app.env.docname != _GLOSSARY:
        return
    for item in doctree.findall(nodes.list_item):
        if words := list(item.findall(nodes.strong)):
            item["ids"].append(_glossary_anchor(words[0].astext()))


def _link_glossary(app: Any, doctree: Any, docname: str) -> None:
    """Link the first use of each word of the project on a page to the glossary."""
    from docutils import nodes

    if docname == _GLOSSARY or _GLOSSARY not in app.env.found_docs or not _EXPLAINED.match(docname):
        return
    left = dict(_WORDS)
    for text in list(doctree.findall(nodes.Text)):
        if not isinstance(text.parent, nodes.paragraph):
            continue
        for word, pattern in left.items():
            found = pattern.search(text)
            if found is None:
                continue
            target = app.builder.get_relative_uri(docname, _GLOSSARY)
            link = nodes.reference(
                "", found[0], refuri=f"{target}#{_glossary_anchor(word)}", internal=True
            )
            link["classes"].append("glossary")
            before, after = nodes.Text(text[: found.start()]), nodes.Text(text[found.end() :])
            text.parent.replace(text, [before, link, after])
            del left[word]
            break


def _glossary_anchor(word: str) -> str:
    return f"word-{word.replace(' ', '-').lower()}"


def _write_inline(writer: Any, node: Any) -> None:
    _write_formula(writer, node, "{}", as_block=False)


def _write_block(writer: Any, node: Any) -> None:
    # A long formula scrolls, by mouse and by keyboard.
    box = '<div class="formula" tabindex="0" role="group" aria-label="formula">{}</div>'
    _write_formula(writer, node, box, as_block=True)


def _write_formula(writer: Any, node: Any, around: str, *, as_block: bool) -> None:
    from docutils import nodes

    writer.body.append(around.format(latex_to_mathml(node.astext(), as_block=as_block)))
    raise nodes.SkipNode


def latex_to_mathml(latex: str, *, as_block: bool) -> str:
    """Return LaTeX as MathML."""
    from docutils.utils.math.latex2mathml import tex2mathml

    return _FUNCTION.sub(rf"\1{_THIN_SPACE}", str(tex2mathml(latex, as_block=as_block)))


def _write_copies(app: Any, error: Exception | None) -> None:
    if error is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    names = sorted(name for name in app.env.found_docs if name not in _MADE)
    for name in names:
        text = Path(app.env.doc2path(name)).read_text(encoding="utf-8")
        copy = out / f"{name}.md"
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(plain_markdown(text), encoding="utf-8")
    listed = "\n".join(_index_lines(app, names))
    text = f"# {_plain_title(app.config.project)}\n\n> {app.config.lossfw_tagline}\n\n{listed}\n"
    (out / "llms.txt").write_text(text, encoding="utf-8")


def _index_lines(app: Any, names: list[str]) -> Iterator[str]:
    """Yield a heading for each folder, and a link to each copy in it."""
    folder = None
    for name in sorted(names, key=lambda name: (name.count("/"), name)):
        parent, _, _ = name.rpartition("/")
        if parent != folder:
            folder = parent
            yield f"\n## {parent or 'Start'}\n"
        yield f"- [{_plain_title(app.env.titles[name].astext())}]({name}.md)"


def _plain_title(text: str) -> str:
    """Return a title as Markdown of any reader, with nothing in it that is markup."""
    return plain_markdown(escape_prose(text)).strip()


def setup(app: Any) -> dict[str, bool]:
    """Register the parts of the extension; Sphinx calls it.

    Each kind of component is an object type, so ``{loss}`huber``` in a page, and ``:loss:`huber```
    in another project, link to the page of a component.
    """
    for kind in KINDS:
        app.add_crossref_type(kind, kind, objname=kind)
    app.add_html_math_renderer("mathml", (_write_inline, None), (_write_block, None))
    app.add_config_value("lossfw_tagline", "", "html")
    app.connect("doctree-read", _link_names)
    app.connect("doctree-read", _mark_glossary)
    app.connect("doctree-resolved", _link_glossary)
    app.connect("build-finished", _write_copies)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""The page of one component, as MyST Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lossfw.errors import LossfwError
from lossfw.losses.loss import Loss
from lossfw.losses.wrappers.base import Wrapper
from lossfw.nn.activation import Activation
from lossfw.nn.letters import argument_names
from lossfw.report.formulas.latex import latex
from lossfw.report.site.claims_table import claim_marks, claims_section
from lossfw.report.site.content import MeasuredFigures, PageSubject, SiteContent
from lossfw.report.site.curve_svg import thumbnail
from lossfw.report.site.figure import figure_html
from lossfw.report.site.markup import (
    breakable_name,
    citation_item,
    code_span,
    escape_prose,
    fence_block,
    inline_html,
    page_table,
    raw_html,
    table_cell,
    tabs,
)
from lossfw.report.site.usage import usage_tabs
from lossfw.report.text.component import cost_table
from lossfw.report.text.show_component import parameter_row, short_facts

_EFFECTS = {"kept": "keeps", "lost": "loses", "changed": "changes", "depends": "depends"}

# The meanings of letters in formulas, by the first argument of the function.
_LETTERS = {
    "r": "r = y - t, the prediction minus the target",
    "m": "m = t y, the target times the prediction",
    "z": "z the logit and t the target",
    "y": "y the prediction and t the target",
    "x": "x the argument",
}

_ROWS = "; k runs over the columns of a row"

_ORDERS = ("value", "first", "second")

# The names of the columns of one dtype: the words of the figure.
_CALLED = ("value", "derivative", "second derivative")

AccuracyRow = Mapping[str, Any]

# The rows of one setting of parameters, by dtype.
RowsByDtype = Mapping[str, AccuracyRow]


def component_page(subject: PageSubject, content: SiteContent) -> str:
    """Return the page of a component."""
    sections = [
        ("Description" if subject.kind == "model" else "Formula", _formula_section(subject)),
        ("What it takes", _short_facts(subject)),
        ("Parameters", _parameter_table(subject)),
        ("Use", [tabs(usage_tabs(subject, content.bridges))]),
        ("Claims", claims_section(subject, content.measured)),
        ("What it does to claims", _wrapper(subject)),
        ("Accuracy", _accuracy_section(subject, content.measured)),
        ("Cost", _cost_section(subject)),
        ("In other libraries", _peer_functions(subject)),
        ("Notes", map(escape_prose, subject.description["notes"])),
        ("References", ["\n".join(map(citation_item, subject.description["references"]))]),
        ("See also", _related_components(subject, content)),
        ("Source", _source(subject)),
    ]
    blocks = list(_page_head(subject))
    for title, section in sections:
        paragraphs = [paragraph for paragraph in section if paragraph]
        if paragraphs:
            blocks += [f"## {title}", *paragraphs]
    return "\n\n".join(blocks) + "\n"


def _page_head(subject: PageSubject) -> Iterator[str]:
    description = subject.description
    yield f"# {subject.name}"
    for name in (subject.name, *description["aliases"]):
        yield fence_block(f"{{{subject.kind}}} {name}")
    yield "{.subtitle}\n" + escape_prose(f"{description['title']}.")
    if description["when"]:
        yield "{.when}\n" + escape_prose(description["when"])
    origin = f"{description['plugin']} {description['version']}".rstrip()
    also = ", ".join(f"`{alias}`" for alias in description["aliases"])
    called = f" · also called {also}" if also else ""
    yield "{.meta}\n" + f"{subject.kind} · {escape_prose(origin)}{called}"


def _formula_section(subject: PageSubject) -> Iterator[str]:
    if subject.kind != "model":
        yield from _formula(subject)
    yield from map(escape_prose, subject.description["description"])
    yield from map(raw_html, filter(None, (figure_html(subject), claim_marks(subject))))


def _short_facts(subject: PageSubject) -> Iterator[str]:
    left_out = ("kind", "plugin", "aliases")
    yield "\n".join(
        f"- **{name}**: {escape_prose(text)}"
        for name, text in short_facts(dict(subject.description), on_this_machine=False)
        if name not in left_out
    )


def _parameter_table(subject: PageSubject) -> Iterator[str]:
    parameters = [parameter_row(one) for one in subject.description["parameters"]]
    if parameters:
        rows = [(f"`{name}`", *map(table_cell, cells)) for name, *cells in parameters]
        yield page_table(("name", "type", "default", "meaning"), rows)


def _wrapper(subject: PageSubject) -> Iterator[str]:
    effects = subject.description.get("wrapper", ())
    rows = [
        (
            f"`{one['claim']}`",
            _EFFECTS[one["effect"]],
            table_cell(one["rule"] if one["effect"] != "lost" else ""),
        )
        for one in effects
    ]
    if rows:
        yield "What happens to a claim that its part makes:"
        yield page_table(("claim", "effect", "rule"), rows)


def _peer_functions(subject: PageSubject) -> Iterator[str]:
    rows = [
        (
            table_cell(one["library"]),
            code_span(one["call"]),
            f"`{t}`" if isinstance(t := one["times"], str) else f"{t:g}",
            table_cell(", ".join(f"``{k}={v!r}``" for k, v in one["when"].items())),
        )
        for one in subject.description.get("peers", ())
    ]
    if rows:
        yield f"`{subject.name}` is the function in the second column times the factor."
        given = any(row[-1] for row in rows)
        headers = ("library", "call", "factor", "with")
        yield (
            page_table(headers, rows)
            if given
            else page_table(headers[:-1], [row[:-1] for row in rows])
        )


def _related_components(subject: PageSubject, content: SiteContent) -> Iterator[str]:
    cards, away = [], []
    for entry in subject.description["see_also"]:
        for name in entry["names"]:
            one = content.find_related(subject, name)
            if one is None:
                away.append(f"- `{name}`: {escape_prose(entry['relation'])}")
            else:
                cards.append(_card(one, entry["relation"], content.href(one, subject.document)))
    if cards:
        yield raw_html(f'<ul class="cards related">{"".join(cards)}</ul>')
    yield "\n".join(away)


def _card(subject: PageSubject, relation: str, href: str) -> str:
    picture = "" if subject.curve is None else thumbnail(subject.curve)
    return (
        f'<li><a href="{href}">{picture}<b>{breakable_name(subject.name)}</b>'
        f"<small>{inline_html(relation or subject.description['title'])}</small></a></li>"
    )


def _source(subject: PageSubject) -> Iterator[str]:
    import inspect

    description = subject.description
    module, _, name = description["class"].partition(":")
    file, line = code_span(description["file"]), description["line"]
    yield f"{file}, line {line}: class {code_span(name)} of {code_span(module)}."
    bodies = [
        inspect.cleandoc("\n" + inspect.getsource(getattr(subject.cls, function)))
        for function in ("formula", "value")
        if function in vars(subject.cls)
    ]
    if bodies:
        yield fence_block(
            "{dropdown} formula and value", fence_block("python", "\n\n".join(bodies))
        )


def _formula(subject: PageSubject) -> Iterator[str]:
    """Yield the formula and the meaning of its letters; without a formula, the summary."""
    typeset = _typeset_formula(subject)
    if not typeset:
        rest = subject.description["summary"].removeprefix(subject.description["title"])
        yield escape_prose(rest.lstrip(",:; "))
        return
    yield fence_block("{math}", typeset)
    sample = subject.sample
    if isinstance(sample, Loss | Activation):
        letters = _LETTERS[argument_names(sample)[0]] + (_ROWS if sample.takes_rows else "")
        if isinstance(sample, Wrapper):
            letters = f"\N{SCRIPT SMALL L} the loss of its part, {letters}"
        yield "{.where}\n" + escape_prose(f"With {letters}.")


def _typeset_formula(subject: PageSubject) -> str:
    """Return the formula as LaTeX, with its left side; empty where there is none."""
    sample = subject.sample
    if issubclass(subject.cls, Wrapper) and subject.cls.latex_of_parts:
        return subject.cls.latex_of_parts
    if isinstance(sample, Loss | Activation):
        try:
            right = latex(sample)
        except LossfwError:
            return ""
        left = "f" if isinstance(sample, Activation) else r"\ell"
        return f"{left}({', '.join(argument_names(sample))}) = {right}"
    return str(subject.cls.latex or "")


def _accuracy_section(subject: PageSubject, measured: MeasuredFigures) -> Iterator[str]:
    """Yield the section on accuracy, as Markdown."""
    rows = measured.accuracies(subject.kind, subject.name)
    if not rows:
        if subject.kind in ("loss", "activation") and "wrapper" not in subject.description:
            yield f"Not measured here; `lossfw accuracy {subject.name}` measures it."
        return
    yield (
        "The worst error over all promised sizes, in units in the last place (ULP) beyond what the "
        "arguments determine."
    )
    settings: dict[str, dict[str, AccuracyRow]] = {}
    for row in rows:
        settings.setdefault(row["component"], {})[row["dtype"]] = row
    texts = list(settings)
    with_peers = [text for text in texts if _peers_in(settings[text])]
    shown = texts[:1] + [text for text in with_peers[:1] if text not in texts[:1]]
    if with_peers:
        yield (
            "Other libraries have the same function; they are measured without subnormal numbers, "
            "which some take for 0."
        )
    for text in shown:
        yield from _setting_table(text, settings[text])
    rest = [
        block
        for text in texts
        if text not in shown
        for block in _setting_table(text, settings[text])
    ]
    if rest:
        yield fence_block("{dropdown} At other parameters", "\n\n".join(rest))


def _setting_table(text: str, setting: RowsByDtype) -> Iterator[str]:
    """Yield a component at its parameters, and a table of who is how far off there."""
    headers = [f"{dtype} {called}" for dtype in setting for called in _CALLED]
    own = [row[order] for row in setting.values() for order in _ORDERS]
    yield code_span(text)
    yield page_table(
        ("library", *headers),
        [
            ("lossfw", *map(table_cell, own)),
            *((peer, *_peer_errors(setting, peer)) for peer in _peers_in(setting)),
        ],
        left=1,
    )


def _peers_in(setting: RowsByDtype) -> list[str]:
    return list(dict.fromkeys(peer for row in setting.values() for peer in row["peers"]))


def _peer_errors(setting: RowsByDtype, peer: str) -> list[str]:
    """Return the errors of another library, empty texts for functions that it does not have.

    In the file they are one text, as ``0.8 / 1.7e7 (8.3e6 / 1.7e7)``: without subnormal numbers,
    and with them where that differs.
    """
    found = []
    for row in setting.values():
        usual = row["peers"].get(peer, "").partition(" (")[0].split(" / ")
        found += [table_cell(one) for one in [*usual, "", ""][: len(_ORDERS)]]
    return found


def _cost_section(subject: PageSubject) -> Iterator[str]:
    """Yield the section on cost: nothing where it was not measured."""
    costs = subject.description.get("costs")
    if costs:
        yield (
            f"CPU nanoseconds per element, on one thread of {costs['processor']} with NumPy "
            f"{costs['numpy']}, beside the textbook's formula in NumPy. Tiles run the body in "
            "parts that stay in the cache; a kernel is compiled from it (extra `fast`), with the "
            "same bits."
        )
        yield page_table(*cost_table(costs), left=1)

"""The claims of a component, as short marks and as a table with the check of each."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from lossfw.components.docstrings import split_paragraphs
from lossfw.report.site.content import MeasuredFigures, PageSubject
from lossfw.report.site.markup import code_span, escape_prose, page_table, table_cell
from lossfw.report.text.show_component import format_value

# Words of marks, where the claim's name alone does not read.
_WORDS = {
    "zero_at_target": "0 at the target",
    "lipschitz": "bounded gradient",
    "gradient_lipschitz": "bounded curvature",
    "gradient_zero_almost_everywhere": "flat almost everywhere",
    "rows_sum_to_one": "rows sum to 1",
}

# Claims about places, and those that follow from others, are in the table alone.
_NO_MARKS = ("breaks", "second_breaks", "lower_bound", "strongly_convex", "range")


def claim_in_words(claim: str) -> str:
    """Return a claim in words.

    Examples
    --------
    >>> claim_in_words("strictly_proper"), claim_in_words("lipschitz")
    ('strictly proper', 'bounded gradient')
    """
    return _WORDS.get(claim, claim.replace("_", " "))


def claim_marks(subject: PageSubject) -> str:
    """Return the claims as a list of short marks, each a link to its row."""
    description = subject.description
    texts = {
        name: f"elicits the {value}" if name == "elicits" else claim_in_words(name)
        for name, value in description.get("claims", {}).items()
        if name not in _NO_MARKS
    }
    items = [
        f'<li><a href="#{_anchor(name)}">{escape(text)}</a></li>' for name, text in texts.items()
    ]
    items += [
        f'<li class="denied"><a href="#{_anchor(name)}">not {escape(claim_in_words(name))}</a></li>'
        for name in description.get("denied", ())
    ]
    return f'<ul class="marks">{"".join(items)}</ul>' if items else ""


def _anchor(claim: str) -> str:
    return f"claim-{claim.replace('_', '-')}"


def _claim_cell(claim: str) -> str:
    """Return the first cell of a row, to which a mark leads."""
    return f"`{claim}`{{#{_anchor(claim)}}}"


def claims_section(subject: PageSubject, measured: MeasuredFigures) -> Iterator[str]:
    """Yield the paragraphs of the section, as Markdown."""
    description = subject.description
    if "claims" not in description:
        return
    report = measured.report(repr(subject.sample))
    held, witnesses = report.get("passed", {}), report.get("witnesses", {})
    claimed, denied = description["claims"], description.get("denied", ())
    rows = [
        (
            _claim_cell(name),
            table_cell(_value_text(value)),
            table_cell(tested_promise(name)),
            _format_tried(held, f"claim:{name}"),
        )
        for name, value in claimed.items()
    ]
    # The witness of a denial, or the promise that a witness would break.
    proofs = {
        name: f"a witness: {witnesses[name]}" if name in witnesses else tested_promise(name)
        for name in denied
    }
    rows += [
        (
            _claim_cell(name),
            "denied",
            table_cell(proofs[name]),
            _format_tried(held, f"denied:{name}"),
        )
        for name in denied
    ]
    at = f"At {code_span(repr(subject.sample))}. " if description["parameters"] else ""
    told = "; the last column says in how many examples it has found none" if held else ""
    yield f"{at}`lossfw check {subject.name}` looks for a counterexample to each claim{told}."
    if report.get("name", repr(subject.sample)) != repr(subject.sample):
        yield f"The examples are those at {code_span(report['name'])}."
    if rows:
        headers = ("claim", "value", "what is attacked", "examples")[: 4 if held else 3]
        yield page_table(headers, [row[: len(headers)] for row in rows], left=3)
    else:
        yield "It claims nothing."
    yield from _untried_reasons(report, [f"claim:{name}" for name in claimed])
    if report.get("failures") or report.get("notes") or report.get("has_no_formula"):
        yield f"The verdict of the check: {escape_prose(report['verdict'])}."
    silent = ", ".join(claim_in_words(name) for name in description["not_claimed"])
    if silent:
        yield f"No statement about: {escape_prose(silent)}. The function may or may not have them."


def _untried_reasons(report: Mapping[str, Any], checks: Sequence[str]) -> Iterator[str]:
    """Yield why the harness does not try some of the claims: a line for each reason."""
    reasons: dict[str, list[str]] = {}
    for check in checks:
        if check in report.get("not_applicable", {}):
            name = check.partition(":")[2]
            reasons.setdefault(report["not_applicable"][check], []).append(f"`{name}`")
    for reason, names in reasons.items():
        yield f"Not tried: {', '.join(names)}, since {escape_prose(reason)}."


def _value_text(value: Any) -> str:
    if value is True:
        return "yes"
    if isinstance(value, list):
        return ", ".join(map(_value_text, value)) or "none"
    return f"{value:.6g}" if isinstance(value, float) else format_value(value)


def _format_tried(passed: Mapping[str, int], check: str) -> str:
    return f"{passed[check]:,}" if check in passed else ""


def tested_promise(claim: str) -> str:
    """Return the promise that the check of a claim tests."""
    from lossfw.check.checks import CHECKS
    from lossfw.check.laws import activations

    check = CHECKS.get(f"claim:{claim}") or activations.ELEMENTWISE.get(f"claim:{claim}")
    if check is None:
        return ""
    said = split_paragraphs(inspect.cleandoc(check.function.__doc__ or ""))
    return said[0].removeprefix("Claim: ") if said else ""

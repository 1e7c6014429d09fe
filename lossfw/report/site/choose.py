"""The page "Choose a loss": a reader ticks what matters, and sees what is left, and why.

Each need is a rule over the registry: it gives a reason where a loss claims something that
serves it, or where its author says so and cites a source. What gives no reason is left out,
which says nothing against it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from lossfw.check.accuracy.variants import variants
from lossfw.errors import LossfwError
from lossfw.losses.loss import Loss
from lossfw.report.plots.sample_curve import SampledCurve, curve, line_of
from lossfw.report.site.content import PageSubject, SiteContent
from lossfw.report.site.curve_svg import overlay
from lossfw.report.site.markup import breakable, prose, raw

DOCUMENT = "choose"

# Spaces of targets that are classes, and those of amounts.
_CLASSES = ("SIGN", "CLASS_INDEX", "SIMPLEX", "BINARY")
_AMOUNTS = ("COUNT", "NONNEGATIVE", "POSITIVE")

# A reason, as Markdown; None where a loss gives none.
Rule = Callable[[PageSubject, Sequence[Mapping[str, Any]]], str | None]


@dataclass(frozen=True)
class Need:
    """Something that may matter to a reader.

    Attributes
    ----------
    name : str
        In the address of the page.
    words : str
    why : str
        What serves it, with the source.
    reason : callable
        From a loss and its claims at each of its variants to the reason.
    """

    name: str
    words: str
    why: str
    reason: Rule


def _bounded_slope(subject: PageSubject, claims: Sequence[Mapping[str, Any]]) -> str | None:
    if subject.description["target"]["name"] in _CLASSES or subject.description["takes"] == "rows":
        return None
    if any("bounded" in made for made in claims):
        return f"claims `bounded`: an outlier costs at most so much{_where('bounded', claims)}"
    if any("lipschitz" in made for made in claims):
        return (
            f"claims `lipschitz`: no residual pulls harder than this{_where('lipschitz', claims)}"
        )
    return None


def _asymmetric(subject: PageSubject, claims: Sequence[Mapping[str, Any]]) -> str | None:
    found = sorted(
        {str(made.get("elicits", "")) for made in claims if "(" in str(made.get("elicits"))}
    )
    return f"claims `elicits`: {', '.join(found)}, and others by its parameter" if found else None


def _counts(subject: PageSubject, claims: Sequence[Mapping[str, Any]]) -> str | None:
    target = subject.description["target"]
    if target["name"] in _AMOUNTS and any(made.get("elicits") == "mean" for made in claims):
        return f"claims that it elicits the mean, of targets that are {target['meaning']}"
    return None


def _said(pattern: str) -> Rule:
    """Return the rule that an author says so in words and cites a source."""

    def reason(subject: PageSubject, claims: Sequence[Mapping[str, Any]]) -> str | None:
        sources = subject.description["references"]
        if not sources or not re.search(pattern, subject.description["when"]):
            return None
        return f"{subject.description['when'].rstrip('.')} ({sources[-1]['text']})"

    return reason


def _noisy(subject: PageSubject, claims: Sequence[Mapping[str, Any]]) -> str | None:
    if subject.description["target"]["name"] not in _CLASSES:
        return None
    bounds = [made["bounded"] for made in claims[:1] if "bounded" in made]
    if bounds:
        return f"claims `bounded`: a wrong label costs at most {bounds[0]:.4g}"
    return _said(r"\bnoisy\b|\bwrong\b")(subject, claims)


def _proper(subject: PageSubject, claims: Sequence[Mapping[str, Any]]) -> str | None:
    for claim in ("strictly_proper", "proper"):
        if any(claim in made for made in claims):
            return f"claims `{claim}`{_where(claim, claims)}"
    return None


def _claimed(claim: str) -> Rule:
    def reason(subject: PageSubject, claims: Sequence[Mapping[str, Any]]) -> str | None:
        return f"claims `{claim}`" if claim in claims[0] else None

    return reason


def _where(claim: str, claims: Sequence[Mapping[str, Any]]) -> str:
    """Say that a claim is not made at the defaults, the first of the variants."""
    return "" if claim in claims[0] else ", at other parameters than the defaults"


NEEDS = (
    Need("outliers", "outliers in a regression",
         "The slope of a loss is the influence of a residual: bounded, it limits what an outlier "
         "can do (Huber, *Robust estimation of a location parameter*, 1964).", _bounded_slope),
    Need("asymmetric", "too much and too little cost differently",
         "The loss has to elicit a quantile (Koenker and Bassett, *Regression quantiles*, 1978) or "
         "an expectile (Newey and Powell, 1987) of the target, and no mean.", _asymmetric),
    Need("counts", "counts, or amounts that are never negative",
         "A deviance of such targets elicits their mean, and weighs errors by the spread that "
         "belongs to it (Nelder and Wedderburn, *Generalized linear models*, 1972).", _counts),
    Need("imbalanced", "classes of very different sizes",
         "Rare classes need a weight, or easy rows have to count less.",
         _said(r"\brare\b|\brarer\b|\bsmall\b")),
    Need("noisy", "labels that may be wrong",
         "A loss that is bounded cannot be ruled by wrong labels (Ghosh, Kumar and Sastry, *Robust "
         "loss functions under label noise*, 2017); one that is convex and a function of the "
         "margin can (Long and Servedio, *Random classification noise defeats all convex potential "
         "boosters*, 2010).", _noisy),
    Need("calibrated", "calibrated probabilities",
         "Only the true probabilities minimise a strictly proper loss (Gneiting and Raftery, "
         "*Strictly proper scoring rules, prediction, and estimation*, 2007).", _proper),
    Need("convex", "the problem must stay convex",
         "A loss that is convex in the prediction keeps a linear model's problem convex.",
         _claimed("convex")),
    Need("newton", "second derivatives, as boosting and Newton's method use them",
         "They are there everywhere where a loss is twice differentiable.",
         _claimed("twice_smooth")),
)  # fmt: skip


_HEAD = """Tick what matters. What is left gives a reason for each tick; a loss that is not listed
may serve as well, but does not say so."""


def choose_page(content: SiteContent) -> str:
    """Return the page, as MyST Markdown."""
    losses = [one for one in content.subjects if one.kind == "loss" and _is_plain(one)]
    reasons = {one.name: reasons_of(one) for one in losses}
    blocks = [
        "---\nhtml_theme.sidebar_secondary.remove: true\n---\n# Choose a loss",
        _HEAD,
        raw(_form()),
        raw(_results(losses, reasons, content)),
        raw(_pictures([one for one in losses if reasons[one.name]])),
        "## The reasons",
    ]
    for need in NEEDS:
        listed = [
            f"- [{one.name}]({one.document}.md): {prose(reasons[one.name][need.name])}."
            for one in losses
            if need.name in reasons[one.name]
        ]
        if listed:
            words = need.words[:1].upper() + need.words[1:]
            blocks += [f"### {words}", prose(need.why), "\n".join(listed)]
    return "\n\n".join(blocks) + "\n"


def _is_plain(subject: PageSubject) -> bool:
    """Leave out wrappers, but the one for classes: they are what their parts are."""
    wraps = "wrapper" in subject.description
    return isinstance(subject.sample, Loss) and (
        not wraps or bool(subject.description["references"])
    )


def reasons_of(subject: PageSubject) -> dict[str, str]:
    """Return the reason of a loss for each need that it serves."""
    claims = [one.claims().made() for one in variants(subject.cls) or [subject.sample]]
    found = {need.name: need.reason(subject, claims) for need in NEEDS}
    return {name: reason for name, reason in found.items() if reason is not None}


def _form() -> str:
    boxes = "".join(
        f'<label><input type="checkbox" name="need" value="{need.name}"> '
        f"{escape(need.words)}</label>"
        for need in NEEDS
    )
    return (
        f'<form id="needs" class="filters" hidden><fieldset><legend>What matters</legend>{boxes}'
        '</fieldset><div class="filters-head"><output id="left" aria-live="polite"></output>'
        '<button type="reset">Clear</button></div></form>'
    )


def _results(
    losses: Sequence[PageSubject], reasons: Mapping[str, Mapping[str, str]], content: SiteContent
) -> str:
    items = "".join(
        f'<li data-needs="{" ".join(reasons[one.name])}" data-name="{one.name}">'
        f'<a href="{content.href(one, DOCUMENT)}"><b>{breakable(one.name)}</b>'
        f"<small>{escape(one.description['when'])}</small></a></li>"
        for one in losses
        if reasons[one.name]
    )
    return f'<ul id="choices" class="cards" hidden>{items}</ul>'


def _pictures(losses: Sequence[PageSubject]) -> str:
    """Return a picture for each line, with the curves of all losses along it over each other."""
    by_label: dict[str, list[tuple[str, SampledCurve]]] = {}
    for one in losses:
        drawn = _drawn(one)
        if drawn is not None:
            by_label.setdefault(drawn.line.label, []).append((one.name, drawn))
    panels = "".join(
        f"<figure><figcaption>{escape(label)}</figcaption>{overlay(label, drawn)}</figure>"
        for label, drawn in by_label.items()
    )
    return f'<div id="overlays" class="overlays" hidden>{panels}</div>'


def _drawn(subject: PageSubject) -> SampledCurve | None:
    """Return the curve of a loss along the usual part of its line, so that all fit together."""
    assert isinstance(subject.sample, Loss)
    try:
        line = line_of(subject.sample)
        low, high = max(line.low, -_REACH), min(line.high, _REACH)
        return curve(subject.sample, span=(low, high))
    except LossfwError:
        return None


# So far the curves of residuals and margins are shown.
_REACH = 3.0


def served(content: SiteContent) -> Iterator[tuple[str, set[str]]]:
    """Yield each need with the losses that give a reason for it."""
    losses = [one for one in content.subjects if one.kind == "loss" and _is_plain(one)]
    reasons = {one.name: reasons_of(one) for one in losses}
    for need in NEEDS:
        yield need.name, {name for name, found in reasons.items() if need.name in found}

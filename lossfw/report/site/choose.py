"""The page "Choose a loss": a reader ticks needs, and sees the losses left, with reasons.

A need is a rule over the registry: it gives a reason where a loss claims something that serves
it, or where its author says so and cites a source. What gives no reason is left out, which says
nothing against it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from lossfw.components.docstrings import sources
from lossfw.losses.capabilities import DistributionLoss
from lossfw.losses.loss import Loss
from lossfw.nn.sample_curve import SampledCurve
from lossfw.report.site.content import PageSubject, SiteContent
from lossfw.report.site.curve_svg import overlay
from lossfw.report.site.gallery import fieldset, filter_form
from lossfw.report.site.markup import breakable, citation, inline_html, prose, raw

# Spaces of targets that are classes, and those of amounts.
_CLASSES = ("SIGN", "CLASS_INDEX", "SIMPLEX", "BINARY")
_AMOUNTS = ("COUNT", "NONNEGATIVE", "POSITIVE")

# A reason, as Markdown; None where a loss gives none.
NeedRule = Callable[[PageSubject], str | None]

DOCUMENT = "choose"

_HEAD = """Tick what matters. What is left gives a reason for each tick; a loss that is not listed
may serve as well, but does not say so."""

# So far the curves of residuals and margins are shown.
_REACH = 3.0


@dataclass(frozen=True)
class Need:
    """Something that may matter to a reader: its name in the address of the page, and its words.

    `why` is what serves it, and `source` what says so, as in a docstring.
    """

    name: str
    words: str
    why: str
    source: str
    reason: NeedRule


def _bounded_slope(subject: PageSubject) -> str | None:
    target = subject.description["target"]["name"]
    if target in (*_CLASSES, "UNIT") or subject.description["takes"] == "rows":
        return None
    meanings = {
        "bounded": ": an outlier costs at most so much",
        "lipschitz": ": no residual pulls harder than this",
    }
    return _first_claim(subject, meanings)


def _proper(subject: PageSubject) -> str | None:
    return _first_claim(subject, {"strictly_proper": "", "proper": ""})


def _first_claim(subject: PageSubject, meanings: Mapping[str, str]) -> str | None:
    """Return the first of some claims that a loss makes at any parameters, and its meaning."""
    defaults, *_ = variants = subject.claims_of_variants
    for claim, meaning in meanings.items():
        if any(claim in claims for claims in variants):
            where = "" if claim in defaults else ", at other parameters than the defaults"
            return f"claims `{claim}`{meaning}{where}"
    return None


def _claimed(claim: str) -> NeedRule:
    """Return the rule that a loss makes a claim at its defaults."""
    return lambda subject: f"claims `{claim}`" if claim in subject.claims_of_variants[0] else None


def _asymmetric(subject: PageSubject) -> str | None:
    elicited = {str(claims.get("elicits", "")) for claims in subject.claims_of_variants}
    found = sorted(text for text in elicited if "(" in text)
    return f"claims `elicits`: {', '.join(found)}, and others by its parameter" if found else None


def _counts(subject: PageSubject) -> str | None:
    target, variants = subject.description["target"], subject.claims_of_variants
    if target["name"] in _AMOUNTS and any(one.get("elicits") == "mean" for one in variants):
        return f"claims `elicits`: mean; its targets are {target['meaning']}"
    return None


def _said(pattern: str) -> NeedRule:
    """Return the rule that an author says so in words and cites a source."""

    def reason(subject: PageSubject) -> str | None:
        sources = subject.description["references"]
        if not sources or not re.search(pattern, subject.description["when"]):
            return None
        return f"{subject.description['when'].rstrip('.')} ({sources[-1]['text']})"

    return reason


def _noisy(subject: PageSubject) -> str | None:
    if subject.description["target"]["name"] not in _CLASSES:
        return None
    defaults = subject.claims_of_variants[0]
    if "bounded" in defaults:
        return f"claims `bounded`: a wrong label costs at most {defaults['bounded']:.4g}"
    return _said(r"\bnoisy\b|\bwrong\b")(subject)


def _distribution(subject: PageSubject) -> str | None:
    pattern = "" if issubclass(subject.cls, DistributionLoss) else r"\bpredicts (a|an|several)\b"
    return _said(pattern)(subject)


NEEDS = (
    Need(
        "outliers",
        "outliers in a regression",
        "The slope of a loss is the influence of a residual: bounded, it limits what one can do.",
        "Huber, *Robust estimation of a location parameter*, 1964, doi:10.1214/aoms/1177703732",
        _bounded_slope,
    ),
    Need(
        "asymmetric",
        "too much and too little cost differently",
        "The loss has to elicit a quantile or an expectile of the target, and no mean.",
        "Koenker and Bassett, *Regression quantiles*, 1978, doi:10.2307/1913643; Newey and Powell, "
        "*Asymmetric least squares estimation and testing*, 1987, doi:10.2307/1911031",
        _asymmetric,
    ),
    Need(
        "counts",
        "counts, or amounts that are never negative",
        "A deviance of such targets elicits their mean, and weighs errors by their spread.",
        "Nelder and Wedderburn, *Generalized linear models*, 1972, doi:10.2307/2344614",
        _counts,
    ),
    Need(
        "imbalanced",
        "classes of very different sizes",
        "Rare classes need a weight, or easy rows have to count less. Each author cites a source.",
        "",
        _said(r"\brare\b|\brarer\b|\bsmall\b"),
    ),
    Need(
        "noisy",
        "labels that may be wrong",
        "A bounded loss cannot be ruled by wrong labels; a convex function of the margin can.",
        "Ghosh, Kumar and Sastry, *Robust loss functions under label noise for deep neural "
        "networks*, 2017, doi:10.48550/arXiv.1712.09482; Long and Servedio, *Random classification "
        "noise defeats all convex potential boosters*, 2010, doi:10.1007/s10994-009-5165-z",
        _noisy,
    ),
    Need(
        "distribution",
        "a predicted distribution, sample or interval",
        "A proper loss is least where targets have the predicted distribution, so that it pays to "
        "say how sure a prediction is.",
        "Gneiting and Raftery, *Strictly proper scoring rules, prediction, and estimation*, 2007, "
        "doi:10.1198/016214506000001437",
        _distribution,
    ),
    Need(
        "survival",
        "times until an event, some of them censored",
        "A row that still waits says only that its time is longer: it counts by that probability.",
        "Kalbfleisch and Prentice, *The statistical analysis of failure time data*, 2002, "
        "doi:10.1002/9781118032985",
        _said(r"\buntil an event\b|\btime is counted\b"),
    ),
    Need(
        "ordered",
        "classes that have an order",
        "A class that is further away costs more, and one score is enough for all of them.",
        "McCullagh, *Regression models for ordinal data*, 1980, "
        "doi:10.1111/j.2517-6161.1980.tb01109.x",
        _said(r"\bhave an order\b"),
    ),
    Need(
        "ranking",
        "the order of the rows of a query",
        "Only differences of scores within a group count, and not the scores themselves.",
        "Liu, *Learning to rank for information retrieval*, 2009, doi:10.1561/1500000016",
        _said(r"\b(ranking|relevances|NDCG|whole orders|right order)\b|\brows of a group\b"),
    ),
    Need(
        "embedding",
        "vectors that are near for things that are alike",
        "Rows that belong together are drawn together, and others apart.",
        "Chopra, Hadsell and LeCun, *Learning a similarity metric discriminatively*, 2005, "
        "doi:10.1109/CVPR.2005.202",
        _said(r"(?<!support )\bvectors?\b|\bnegatives?\b|\brows of a batch\b"),
    ),
    Need(
        "calibrated",
        "calibrated probabilities",
        "Only the true probabilities minimise a strictly proper loss.",
        "Gneiting and Raftery, *Strictly proper scoring rules, prediction, and estimation*, 2007, "
        "doi:10.1198/016214506000001437",
        _proper,
    ),
    Need(
        "convex",
        "the problem must stay convex",
        "A loss that is convex in the prediction keeps the problem of a linear model convex.",
        "",
        _claimed("convex"),
    ),
    Need(
        "newton",
        "second derivatives, as boosting and Newton's method use them",
        "They are there everywhere where a loss is twice differentiable.",
        "",
        _claimed("twice_smooth"),
    ),
)


def reasons_of(subject: PageSubject) -> dict[str, str]:
    """Return the reason of a loss for each need that it serves."""
    found = {need.name: need.reason(subject) for need in NEEDS}
    return {name: reason for name, reason in found.items() if reason is not None}


def plain_losses(content: SiteContent) -> list[PageSubject]:
    """Return the losses, and those wrappers that cite a source of their own."""
    return [
        one
        for one in content.subjects
        if isinstance(one.sample, Loss)
        and ("wrapper" not in one.description or one.description["references"])
    ]


def served(content: SiteContent) -> dict[str, dict[str, str]]:
    """Return for each need the losses that give a reason for it, and the reasons."""
    reasons = {one.name: reasons_of(one) for one in plain_losses(content)}
    return {
        need.name: {name: of[need.name] for name, of in reasons.items() if need.name in of}
        for need in NEEDS
    }


def choose_page(content: SiteContent) -> str:
    """Return the page, as MyST Markdown."""
    losses = plain_losses(content)
    reasons = {one.name: reasons_of(one) for one in losses}
    boxes = {need.name: escape(need.words) for need in NEEDS}
    blocks = [
        "---\nhtml_theme.sidebar_secondary.remove: true\n---\n# Choose a loss",
        _HEAD,
        raw(filter_form(fieldset("need", "What matters", boxes))),
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
            cited, _ = sources([f"Source: {need.source}"])
            blocks += [f"### {words}", prose(need.why), *map(citation, cited), "\n".join(listed)]
    return "\n\n".join(blocks) + "\n"


def _results(
    losses: Sequence[PageSubject], reasons: Mapping[str, Mapping[str, str]], content: SiteContent
) -> str:
    items = "".join(
        f'<li data-need="{" ".join(reasons[one.name])}" data-name="{one.name}">'
        f'<a href="{content.href(one, DOCUMENT)}"><b>{breakable(one.name)}</b>'
        f"<small>{inline_html(one.description['when'])}</small></a></li>"
        for one in losses
        if reasons[one.name]
    )
    return f'<ul id="choices" class="cards" hidden>{items}</ul>'


def _pictures(losses: Sequence[PageSubject]) -> str:
    """Return a picture for each line, with the curves of all losses along it over each other."""
    by_label: dict[str, list[tuple[str, SampledCurve]]] = {}
    for one in losses:
        # The usual part of a line, so that all fit together.
        drawn = one.curve_up_to(_REACH)
        if drawn is not None:
            by_label.setdefault(drawn.line.label, []).append((one.name, drawn))
    panels = "".join(
        f"<figure><figcaption>{escape(label)}</figcaption>{overlay(label, drawn)}</figure>"
        for label, drawn in by_label.items()
    )
    return f'<div id="overlays" class="overlays" hidden>{panels}</div>'

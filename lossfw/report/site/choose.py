"""The page "Choose a loss": a reader ticks needs, and sees the losses left, with reasons.

The needs and the reasons stand in `lossfw.report.site.needs`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from lossfw.components.docstrings import sources
from lossfw.errors import LossfwError
from lossfw.losses.loss import Loss
from lossfw.nn.sample_curve import SampledCurve, curve, line_of
from lossfw.report.site.content import PageSubject, SiteContent
from lossfw.report.site.curve_svg import overlay
from lossfw.report.site.markup import breakable, citation, inline_html, prose, raw
from lossfw.report.site.needs import NEEDS, plain_losses, reasons_of

DOCUMENT = "choose"

_HEAD = """Tick what matters. What is left gives a reason for each tick; a loss that is not listed
may serve as well, but does not say so."""

# So far the curves of residuals and margins are shown.
_REACH = 3.0


def choose_page(content: SiteContent) -> str:
    """Return the page, as MyST Markdown."""
    losses = plain_losses(content)
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
            cited, _ = sources([f"Source: {need.source}"])
            blocks += [f"### {words}", prose(need.why), *map(citation, cited), "\n".join(listed)]
    return "\n\n".join(blocks) + "\n"


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
        f"<small>{inline_html(one.description['when'])}</small></a></li>"
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

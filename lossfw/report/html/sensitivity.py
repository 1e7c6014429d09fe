"""The page of a sensitivity study: metrics, losses, slopes, and derivatives that are 0."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from lossfw.nn.sample_curve import SampledCurve, curve
from lossfw.nn.sensitivity.breakpoints import Staircase
from lossfw.nn.sensitivity.study import Sensitivity, StudyCurve
from lossfw.numerics.arrays import NDArray
from lossfw.report.html.picture import WIDTH, Picture, inline
from lossfw.report.html.render import NumberCard, render
from lossfw.report.plots.curves import draw_loss, draw_part, draw_staircase, limits, name_axes
from lossfw.report.plots.style import INK, PAGE, drawing
from lossfw.report.text.tables import as_number, as_share
from lossfw.version import __version__

_HEIGHT, _HEIGHT_OF_ACTIVATION = 4.3, 3.4

# Upper end of the axis of a slope that is 0 everywhere.
_ALL_ZERO = 1.0


def study_page(result: Sensitivity) -> str:
    """Return the page of a study."""
    study = result.study
    where = str(study.parameter) if study.parameter else "along directions"
    groups = list(_groups(result))
    sections = [("answer", "Summary"), *((group["id"], group["name"]) for group in groups)]
    sections += [("activations", "Activations"), ("zeros", "Exactly zero"), ("what", "Details")]
    return render(
        "study.html",
        kind="lossfw sensitivity",
        title=f"Sensitivity: {where}",
        lead=f"{study.data.name}, {len(study.data):,} rows; {study.loss.name}",
        sections=sections,
        foot=f"Written by lossfw {__version__}. All numbers are in sensitivity.json.",
        cards=list(_cards(result)),
        summary=_summary(result),
        groups=groups,
        activations=list(_activations(result)),
        zeros=list(_zeros(result)),
        zero_names=(study.loss.name, *next(iter(result.zeros.values())).metrics),
        facts=list(_facts(result)),
    )


def _first_stairs(one: StudyCurve) -> tuple[str, Staircase] | None:
    return next(iter(one.stairs.items()), None)


def _cards(result: Sensitivity) -> Iterator[NumberCard]:
    one, here = result.curves[0], int(np.flatnonzero(result.study.offsets == 0)[0])
    points = len(one.slope)
    still = int(np.count_nonzero(one.slope == 0))
    name = result.study.loss.name
    if first := _first_stairs(one):
        metric, stairs = first
        low, high = stairs.flat
        yield NumberCard(metric, as_number(one.metrics[metric][here]), "at the value itself")
        wide = f"{as_share(stairs.share(low, high))} of the way"
        yield NumberCard(f"{metric} flat around it", f"{high - low:.4g}", f"wide, {wide}")
        yield NumberCard(
            f"places where {metric} jumps", str(stairs.places), "slope 0 everywhere else"
        )
    yield NumberCard(name, as_number(float(one.loss[here])), "at the value itself")
    yield NumberCard(f"slope of {name}", as_number(float(one.slope[here])), "at the value itself")
    yield NumberCard("points where that is 0", f"{still} of {points}", one.name)


def _summary(result: Sensitivity) -> list[str]:
    """Return sentences about the first direction."""
    one, sentences = result.curves[0], []
    for metric, stairs in one.stairs.items():
        low, high = stairs.flat
        if not stairs.jumps:
            sentences.append(f"Along {one.name} {metric} does not change at all.")
            continue
        sentences.append(
            f"Along {one.name}, from {stairs.bounds[0]:g} to {stairs.bounds[1]:g}, "
            f"{metric} changes at {stairs.places} places and is flat on {len(stairs.pieces)} "
            "pieces between them: on "
            f"all of the way but {stairs.jumping:.2g} of it, which is the gap between the two "
            f"neighbouring floats of each place. Around the value itself nothing changes from "
            f"{low!r} to {high!r}."
        )
    still = int(np.count_nonzero(one.slope == 0))
    sentences.append(
        f"The slope of {result.study.loss.name} is exactly 0 at {still} of {len(one.slope)} "
        f"points; it runs from {one.slope.min():.4g} to {one.slope.max():.4g}."
    )
    return sentences


def _groups(result: Sensitivity) -> Iterator[dict[str, Any]]:
    """Yield a group of plots for the parameter and its variants, and one for directions."""
    curves, study = list(result.curves), result.study
    if study.parameter is not None:
        own = next(iter(result.zeros))
        named = {own: curves.pop(0), **result.variants}
        lines = StudyLines(f"change of {study.parameter}", study.offsets, named)
        yield _group("parameter", "One parameter", lines, study.loss.name)
    if curves:
        lines = StudyLines("way along the direction", study.offsets, {c.name: c for c in curves})
        yield _group("directions", "Directions", lines, study.loss.name)


def _group(id_: str, name: str, lines: StudyLines, loss: str) -> dict[str, Any]:
    """Return a picture of all lines together, and one of each on its own scale."""
    together = list(_pictures(id_, lines, loss)) if len(lines.curves) > 1 else []
    each = []
    for place, (line, one) in enumerate(lines.curves.items()):
        alone = lines._replace(curves={line: one}, first=place)
        pictures = list(_pictures(f"{id_}-{place}", alone, loss))
        each.append({"name": line, "pictures": pictures, "stairs": list(one.stairs.items())})
    names = list(lines.curves)
    return {"id": id_, "name": name, "names": names, "together": together, "each": each}


def _pictures(id_: str, lines: StudyLines, loss: str) -> Iterator[Picture]:
    if stairs := _first_stairs(next(iter(lines.curves.values()))):
        yield of_stairs(f"{id_}-stairs", stairs[0], lines)
    yield of_loss(f"{id_}-loss", loss, lines)


def _activations(result: Sensitivity) -> Iterator[Picture]:
    """Yield pictures of the activations in the hidden layers, of the network and its variants."""
    networks = result.study.variants or {"": result.study.network}
    hidden = {}
    for network in networks.values():
        for layer in network.layers[:-1]:
            if not layer.activation.takes_rows:
                hidden[str(layer.activation)] = layer.activation
    for index, activation in enumerate(hidden.values()):
        yield of_activation(f"activation-{index}", curve(activation, span=(-6.0, 6.0)), index)


def _zeros(result: Sensitivity) -> Iterator[dict[str, Any]]:
    for variant, zeros in result.zeros.items():
        for layer, count in enumerate(zeros.parameters):
            shares = [_share(zeros.loss[layer], count)]
            for name, still in zeros.metrics.items():
                if zeros.steady[name]:
                    shares.append(_share(count, count))
                else:
                    shares.append(_share(still[layer], zeros.moved[layer], "moved parameters"))
            yield {
                "variant": variant,
                "layer": layer,
                "unseen": zeros.unseen[layer],
                "shares": shares,
            }


def _share(some: int, of: int, what: str = "parameters") -> dict[str, Any]:
    return {"share": some / of if of else 0.0, "text": f"{some:,} of {of:,} {what}"}


def _facts(result: Sensitivity) -> Iterator[tuple[str, str]]:
    study = result.study
    yield "data", f"{study.data.name}, {len(study.data):,} rows"
    units = [study.network.layers[0].weight.shape[0], *(len(x.bias) for x in study.network.layers)]
    names = ", ".join(layer.activation.name for layer in study.network.layers)
    yield "network", f"{'-'.join(map(str, units))}, {names}"
    yield "loss", f"{study.loss}, from {'logits' if study.form == 'logits' else 'predictions'}"
    if study.parameter is not None:
        yield "parameter", f"{study.parameter} = {study.parameter.value(study.network)!r}"
    yield (
        "way",
        f"{study.offsets[0]:g} to {study.offsets[-1]:g}, {len(study.offsets)} points, in float64",
    )
    yield "lossfw", __version__
    if study.digest:
        yield "digest", study.digest


class StudyLines(NamedTuple):
    """The lines of a picture."""

    along: str
    ways: NDArray
    curves: Mapping[str, StudyCurve]
    first: int = 0

    def looks(self) -> Iterator[tuple[StudyCurve, dict[str, Any]]]:
        """Yield each curve with the look of its line."""
        for index, one in enumerate(self.curves.values(), start=self.first):
            yield one, _look(index, alone=len(self.curves) == 1)


def of_stairs(name: str, metric: str, lines: StudyLines) -> Picture:
    """Draw a metric as a staircase, and its slope."""
    with drawing(WIDTH, _HEIGHT, PAGE) as figure:
        panels = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1.2))
        # The ticks of each line have a row of their own.
        levels = -0.35 - 0.3 * np.arange(len(lines.curves))
        for (curve, look), level in zip(lines.looks(), levels, strict=True):
            draw_staircase(panels, curve, metric, lines.ways, look, level)
        panels[1].set_ylim(levels[-1] - 0.3, _ALL_ZERO)
        panels[1].set_yticks([0])
        _name_panels(panels, metric, lines)
        places = ", ".join(f"{n}: {one.stairs[metric].places}" for n, one in lines.curves.items())
        caption = (
            f"{metric} is a staircase; between its jumps the slope is 0. Ticks mark "
            f"the places where it jumps ({places})."
        )
        return inline(figure, name, f"{metric} and its slope", caption)


def of_loss(name: str, loss: str, lines: StudyLines) -> Picture:
    """Draw the loss and its slope."""
    with drawing(WIDTH, _HEIGHT, PAGE) as figure:
        panels = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        for curve, look in lines.looks():
            draw_loss(panels, curve, lines.ways, look)
        _name_panels(panels, loss, lines)
        slopes = "; ".join(
            f"{n}: slope from {one.slope.min():.3g} to {one.slope.max():.3g}, 0 at "
            f"{np.count_nonzero(one.slope == 0)} of {len(lines.ways)} points"
            for n, one in lines.curves.items()
        )
        caption = f"{loss} answers to small changes where its slope is not 0. {slopes}."
        return inline(figure, name, f"{loss} and its slope", caption)


def of_activation(name: str, drawn: SampledCurve, index: int) -> Picture:
    """Draw an activation and its slope."""
    with drawing(WIDTH, _HEIGHT_OF_ACTIVATION, PAGE) as figure:
        panels = figure.subplots(2, 1, sharex=True)
        for order, axes in enumerate(panels):
            draw_part(axes, drawn, order, PAGE.surface, _look(index, alone=True))
            axes.set_ylim(*limits([drawn.parts[order]]))
        panels[0].set_title(drawn.name)
        panels[1].set(title=f"slope of {drawn.name}", xlabel=drawn.line.label)
        panels[1].set_xlim(drawn.x[0], drawn.x[-1])
        slope = drawn.parts[1]
        known = slope[np.isfinite(slope)]
        still = np.count_nonzero(known == 0) / known.size
        caption = (
            f"{drawn.name}: from {drawn.parts[0].min():.3g} to {drawn.parts[0].max():.3g} on this "
            f"piece; its slope is at most {known.max():.3g}, and exactly 0 at {still:.0%} of "
            "the points drawn."
        )
        return inline(figure, name, f"{drawn.name} and its slope", caption)


def _look(index: int, *, alone: bool) -> dict[str, Any]:
    """Return the look of a line; a line that is alone needs no dashes."""
    return {**PAGE.look(index, dashed=not alone), "linewidth": 1.7}


def _name_panels(panels: Any, title: str, lines: StudyLines) -> None:
    name_axes(panels, title, lines.along, lines.ways)
    for axes in panels:
        axes.axvline(0, color=INK, linewidth=0.6, alpha=0.5)

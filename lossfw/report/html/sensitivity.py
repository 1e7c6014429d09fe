"""The page of a sensitivity study: metrics, losses, slopes, and derivatives that are 0."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from lossfw.nn.sample_curve import curve
from lossfw.nn.sensitivity.breakpoints import Staircase
from lossfw.nn.sensitivity.dead_parameters import ZeroDerivatives
from lossfw.nn.sensitivity.study import Sensitivity, StudyCurve
from lossfw.report.html.render import render
from lossfw.report.html.sensitivity_plots import (
    Picture,
    StudyLines,
    of_activation,
    of_loss,
    of_stairs,
)
from lossfw.report.text.rounding import as_number, as_share
from lossfw.version import __version__


def study_page(result: Sensitivity) -> str:
    """Return the page of a study.

    Raises
    ------
    MissingExtraError
        If jinja2 or matplotlib is not installed.
    """
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


def _here(result: Sensitivity) -> int:
    return int(np.flatnonzero(result.study.ways == 0)[0])


def _first_stairs(one: StudyCurve) -> tuple[str, Staircase] | None:
    return next(iter(one.stairs.items()), None)


def _cards(result: Sensitivity) -> Iterator[dict[str, str]]:
    one, here = result.curves[0], _here(result)
    points = len(one.slope)
    still = int(np.count_nonzero(one.slope == 0))
    name = result.study.loss.name
    if first := _first_stairs(one):
        metric, stairs = first
        low, high = stairs.flat
        yield _card(metric, as_number(one.metrics[metric][here]), "at the value itself")
        wide = f"{as_share(stairs.share(low, high))} of the way"
        yield _card(f"{metric} flat around it", f"{high - low:.4g}", f"wide, {wide}")
        yield _card(f"places where {metric} jumps", str(stairs.places), "slope 0 everywhere else")
    yield _card(name, as_number(float(one.loss[here])), "at the value itself")
    yield _card(f"slope of {name}", as_number(float(one.slope[here])), "at the value itself")
    yield _card("points where that is 0", f"{still} of {points}", one.name)


def _card(name: str, value: str, sub: str) -> dict[str, str]:
    return {"name": name, "value": value, "sub": sub}


def _summary(result: Sensitivity) -> list[str]:
    """Return sentences about the first direction."""
    one, sentences = result.curves[0], []
    for metric, stairs in one.stairs.items():
        low, high = stairs.flat
        if not stairs.jumps:
            sentences.append(f"Along {one.name} {metric} does not change at all.")
            continue
        sentences.append(
            f"Along {one.name}, from {stairs.way[0]:g} to {stairs.way[1]:g}, {metric} changes at "
            f"{stairs.places} places and is flat on {len(stairs.pieces)} pieces between them: on "
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
        lines = StudyLines(f"change of {study.parameter}", study.ways, named)
        yield _group("parameter", "One parameter", lines, study.loss.name)
    if curves:
        lines = StudyLines("way along the direction", study.ways, {c.name: c for c in curves})
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
            shares += [_moved(zeros, name, layer, count) for name in zeros.metrics]
            yield {
                "variant": variant,
                "layer": layer,
                "parameters": count,
                "unseen": zeros.unseen[layer],
                "shares": shares,
            }


def _share(some: int, of: int) -> dict[str, Any]:
    share = some / of if of else 0.0
    return {"share": share, "text": f"{some:,} of {of:,}", "of": "parameters"}


def _moved(zeros: ZeroDerivatives, name: str, layer: int, count: int) -> dict[str, Any]:
    """Return the share of a metric: of all parameters if known, else of the moved ones."""
    if zeros.steady[name]:
        return _share(count, count)
    return _share(zeros.metrics[name][layer], zeros.moved[layer]) | {"of": "moved parameters"}


def _facts(result: Sensitivity) -> Iterator[tuple[str, str]]:
    study = result.study
    yield "data", f"{study.data.name}, {len(study.data):,} rows"
    units = [study.network.layers[0].weight.shape[0], *(len(x.bias) for x in study.network.layers)]
    names = ", ".join(layer.activation.name for layer in study.network.layers)
    yield "network", f"{'-'.join(map(str, units))}, {names}"
    yield "loss", f"{study.loss}, from {'logits' if study.form == 'logits' else 'predictions'}"
    if study.parameter is not None:
        yield "parameter", f"{study.parameter} = {study.parameter.value(study.network)!r}"
    yield "way", f"{study.ways[0]:g} to {study.ways[-1]:g}, {len(study.ways)} points, in float64"
    yield "lossfw", __version__
    if study.digest:
        yield "digest", study.digest

"""Facets: the properties by which the gallery chooses, and those that each component has.

No facet says that a component lacks a property: what is not claimed is unknown. Within a facet
any of the chosen values will do, but for claims, which are all wanted together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lossfw.check.instances import variants
from lossfw.losses.loss import Loss
from lossfw.nn.activation import Activation
from lossfw.report.site.claims_table import words
from lossfw.report.site.content import CHAPTERS, PageSubject

# Claims by which one looks for a component, with more words where the name is not enough.
_CLAIMS = {
    "convex": "convex",
    "strictly_convex": "strictly convex",
    "lipschitz": "bounded slope (robust)",
    "bounded": "bounded (redescending)",
    "smooth": "smooth",
    "twice_smooth": "twice smooth",
    "symmetric": "symmetric",
    "monotone": "monotone",
    "proper": "proper",
    "strictly_proper": "strictly proper",
    "calibrated": "calibrated",
}


@dataclass(frozen=True)
class Facet:
    """A property with its values.

    Attributes
    ----------
    name : str
        In the address of the page.
    title : str
    values : sequence of (str, str)
        Each value, and its words.
    """

    name: str
    title: str
    values: Sequence[tuple[str, str]]


def values_of(subject: PageSubject) -> Mapping[str, Sequence[str]]:
    """Return the values of a component, by the name of the facet."""
    description = subject.description
    claims = description.get("claims", {})
    somewhere = _claimed_somewhere(subject)
    of = {
        "kind": [subject.kind],
        "claim": [name for name in _CLAIMS if name in claims],
        "some": sorted(set(_CLAIMS) & set(somewhere) - set(claims)),
        "target": [description["target"]["name"]] if "target" in description else [],
        "takes": [description["takes"]] if "takes" in description else [],
        "elicits": sorted(somewhere.get("elicits", ())),
    }
    return {name: values for name, values in of.items() if values}


def _claimed_somewhere(subject: PageSubject) -> Mapping[str, set[str]]:
    """Return the claims at the parameters of any variant, and the values that they have."""
    found: dict[str, set[str]] = {}
    if isinstance(subject.sample, Loss | Activation):
        for one in variants(subject.cls) or [subject.sample]:
            for name, value in one.claims().made().items():
                # A quantile of which probability is no matter here.
                found.setdefault(name, set()).add(str(value).partition("(")[0])
    return found


def facets(values: Sequence[Mapping[str, Sequence[str]]]) -> Iterator[Facet]:
    """Yield the facets that have more than one value."""
    for name, title, spelled in _FACETS:
        found = {value for one in values for value in one.get(name, ())}
        order = [value for value in spelled if value in found] + sorted(found - set(spelled))
        if len(order) > 1:
            yield Facet(name, title, [(value, spelled.get(value, words(value))) for value in order])


_FACETS: tuple[tuple[str, str, Mapping[str, str]], ...] = (
    ("kind", "Kind", {kind: kind for kind in CHAPTERS}),
    ("claim", "Claims", _CLAIMS),
    ("target", "Target", {}),
    ("takes", "Takes", {}),
    ("elicits", "Elicits", {}),
)


def counted(values: Sequence[Mapping[str, Any]], facet: str, value: str) -> int:
    """Return how many components have a value."""
    return sum(value in one.get(facet, ()) for one in values)

"""The sources of the pages: each has its parts, and links that lead somewhere."""

import doctest
import re
import sys
from pathlib import Path

import pytest

from lossfw.errors import UnknownNameError
from lossfw.report.site.claims_table import claims_section
from lossfw.report.site.component_page import component_page
from lossfw.report.site.content import MeasuredFigures, collect_content
from lossfw.report.site.extension import latex_to_mathml, plain_markdown
from lossfw.report.site.gallery import facets, gallery_page, values_of
from support.site_content import CURVES, REGISTRY, SUBJECTS, content

FENCE = re.compile(r"^````\{tab-item\} Python\n```python\n(.*?)\n```$", re.M | re.S)


SPACE = '<mspace width="0.1667em"></mspace>'


def written(kind, name):
    return component_page(content().find(kind, name), content())


@pytest.mark.turns(4)
@pytest.mark.parametrize(("kind", "name"), SUBJECTS)
def test_a_page_has_its_parts_whose_python_runs_and_whose_links_lead_somewhere(kind, name):
    subject, page = content().find(kind, name), written(kind, name)
    description = subject.description

    # One title, the sections of its kind, and a row for each claim and parameter.
    assert re.findall(r"^# (.*)$", page, re.M) == [name]
    wanted = [*(["Formula"] if kind != "model" else []), "Use", "Source"]
    wanted += ["Parameters"] if description["parameters"] else []
    wanted += ["What it takes", "Claims", "Accuracy"] if (kind, name) in CURVES else []
    found = re.findall(r"^## (.*)$", page, re.M)
    assert set(wanted) <= {*found, *(["Accuracy"] if "wrapper" in description else [])}
    assert description["when"].replace("``", "`") in page.replace("\\", "")
    assert all(f"`{alias}`" in page for alias in description["aliases"])
    rows = re.findall(r"^\| `(\w+)`(?:\{#[\w-]+\})? \|", page, re.M)
    named = [one["name"] for one in description["parameters"]]
    assert {*named, *description.get("claims", ())} <= set(rows)
    marks = set(re.findall(r'href="#(claim-[^"]+)"', page))
    assert marks <= set(re.findall(r"\{#(claim-[\w-]+)\}", page))

    # What it claims and denies was tried, or it says why not: `make checks` is not stale.
    if (kind, name) in CURVES:
        report = content().measured.report(repr(subject.sample))
        denied = set(description["denied"])
        tried = {f"claim:{n}" for n in description["claims"]} | {f"denied:{n}" for n in denied}
        assert tried <= {*report["passed"], *report["not_applicable"]}
        assert denied <= set(report["witnesses"])

    # Its Python runs as shown.
    codes, said = FENCE.findall(page), []
    # A model is named in a configuration, and needs no example in Python.
    assert len(codes) == 1 or kind == "model"
    for code in codes:
        parsed = doctest.DocTestParser().get_doctest(code, {}, "page", None, 0)
        assert parsed.examples
        assert doctest.DocTestRunner().run(parsed, out=said.append).failed == 0, "".join(said)

    # Relatives are links to pages.
    relatives = {n for one in description["see_also"] for n in one["names"]}
    links = re.findall(r'href="([^"#]+)\.html"', page)
    linked = [content().find(Path(link).parent.name or kind, Path(link).name) for link in links]
    assert all(linked)
    assert {content().find_related(subject, n).name for n in relatives} <= {o.name for o in linked}

    # Plain Markdown keeps the words and no directive.
    plain = plain_markdown(page)
    assert not re.search(r"^(`{3,}|:{3,})\{|^\{\.|<svg|<script", plain, re.M)
    assert all(f"## {title}" in plain for title in found)
    assert "**YAML**" in plain or subject.sample is None


@pytest.mark.slow
def test_a_page_needs_no_library_that_its_component_needs(monkeypatch):
    models = [name for kind, name in SUBJECTS if kind == "model"]
    pages = [written("model", name) for name in models]
    libraries = ("catboost", "keras", "lightgbm", "onnxruntime", "sklearn", "torch", "xgboost")
    for library in (*libraries, "skops"):
        monkeypatch.setitem(sys.modules, library, None)
    bare = collect_content(REGISTRY, content().measured)
    assert [component_page(bare.find("model", name), bare) for name in models] == pages


def test_the_gallery_has_a_card_for_each():
    page = gallery_page(content())
    links = re.findall(r'<li data[^>]*><a href="([^"]+)\.html"', page)
    assert sorted(links) == sorted("/".join(one) for one in SUBJECTS)
    with pytest.raises(UnknownNameError, match="no plugin 'acme'"):
        collect_content(REGISTRY, plugin="acme")


def test_facets_say_what_is_claimed_and_never_what_is_not():
    values = {(o.kind, o.name): values_of(o) for o in content().subjects}
    convex = {name for (_, name), found in values.items() if "convex" in found.get("claim", ())}
    assert {"huber", "hinge"} <= convex
    assert "tukey" not in convex
    assert "strictly_proper" in values["loss", "cross_entropy"]["some"]
    assert values["loss", "quantile"]["elicits"] == ["median", "quantile"]
    spelled = [words for facet in facets(list(values.values())) for _, words in facet.values]
    assert not [words for words in spelled if re.search(r"\b(not|non)\b", words)]
    # No space is spelled as in code.
    assert not [words for words in spelled if re.search(r"[A-Z]{2}|[=_]", words)]
    assert values["loss", "cox"]["target"] == values["loss", "aft"]["target"] == ["times"]
    assert values["loss", "poisson_nll"]["target"] == ["amounts", "counts"]
    assert values["loss", "zero_inflated_poisson_nll"]["target"] == ["counts"]
    assert values["loss", "energy_score"]["target"] == ["vectors"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("brier", r"^Not tried: .*`breaks`"),
        ("brier", r"since places of breaks are numbers, and predictions are rows\."),
        # Examples at other parameters say so.
        ("class_weighted", r"^The examples are those at `ClassWeighted\(.*\)`\.$"),
        ("tukey", r"^\| `convex`\{#claim-convex\} \| denied \| a witness: .*above the chord.* \| "),
        ("tukey", ">not convex<"),
    ],
)
def test_a_page_says_what_was_not_tried_and_what_was_denied(name, words):
    assert re.search(words, written("loss", name), re.M)


@pytest.mark.parametrize("key", ["failures", "notes", "has_no_formula", None])
def test_a_page_has_the_verdict_of_a_check_that_found_something(key):
    subject = content().find("loss", "tukey")
    told = "nothing wrong, 1 note: value"
    report = {"name": repr(subject.sample), "verdict": told, **({key: ["value"]} if key else {})}
    section = "\n".join(claims_section(subject, MeasuredFigures({"reports": [report]})))
    assert (f"The verdict of the check: {told}." in section) is (key is not None)


@pytest.mark.parametrize(
    ("latex", "spaces"), [(r"\log y", 1), (r"\log (y)", 0), (r"\log\!\left(y\right)", 1), ("y", 0)]
)
def test_a_function_keeps_off_what_has_no_bracket(latex, spaces):
    pytest.importorskip("docutils", reason="docutils is not installed")
    # Before \left( the space that \! takes back.
    assert latex_to_mathml(latex, as_block=False).count(SPACE) == spaces

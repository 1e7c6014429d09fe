"""The gallery in a real browser, by mouse and by keyboard."""

from pathlib import Path

import pytest

from support.site_content import content


# Each choice of the gallery, and the components that it leaves.
def _claiming(name):
    return {o.document for o in content().subjects if name in o.description.get("claims", {})}


def _said(page, key):
    """Return what a loss's page says of it."""
    return content().find("loss", Path(page).name).description[key]


def _of(kind):
    return {o.document for o in content().subjects if o.kind == kind}


CHOICES = {
    ("claim", "convex"): _claiming("convex"),
    ("claim", "bounded"): _claiming("bounded"),
    ("claim", "lipschitz"): _claiming("lipschitz"),
    ("kind", "metric"): _of("metric"),
    ("kind", "activation"): _of("activation"),
    ("target", "yes-no"): {
        o.document
        for o in content().subjects
        if o.description.get("target", {}).get("name") in ("SIGN", "BINARY", "UNIT")
    },
}
SHOWN = """() => [...document.querySelectorAll(".chapter li:not([hidden]) a")]
  .filter(a => a.checkVisibility())
  .map(a => "components/" + a.getAttribute("href").replace(".html", ""))"""


@pytest.mark.parametrize("choice", CHOICES, ids="=".join)
@pytest.mark.parametrize("by", ["mouse", "keyboard"])
def test_the_gallery_chooses(choice, by, visit, site):
    page = visit((site / "components/index.html").as_uri()).page
    box = f"#filters input[name={choice[0]}][value={choice[1]}]"
    if by == "mouse":
        page.click(box)
    else:
        _tab_to(page, box)
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        page.keyboard.press("Space")
    wanted = CHOICES[choice]
    assert set(page.evaluate(SHOWN)) == wanted
    assert page.inner_text("#count") == f"{len(wanted)} of {len(content().subjects)} components"
    assert page.url.endswith(f"#{'='.join(choice)}")
    page.reload()
    assert set(page.evaluate(SHOWN)) == wanted
    page.click("#filters button[type=reset]")
    page.wait_for_function("!location.hash")
    assert len(page.evaluate(SHOWN)) == len(content().subjects)


def _tab_to(page, selector, most=400):
    page.focus("#filters input[type=search]")
    for _ in range(most):
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"Tab never reaches {selector}")


def test_facets_join(visit, site):
    address = (site / "components/index.html").as_uri()
    page = visit(f"{address}#kind=loss,activation&claim=convex,lipschitz&text=huber").page
    found = set(page.evaluate(SHOWN))
    assert found == {
        d for d in _claiming("convex") & _claiming("lipschitz") & _of("loss")
        if "huber" in d or any("huber" in _said(d, key).lower() for key in ("when", "title"))
    }  # fmt: skip


def test_without_scripts_all_cards_are_there(visit, site):
    page = visit((site / "components/index.html").as_uri(), java_script_enabled=False).page
    assert page.locator(".chapter li").count() == len(content().subjects)
    assert not page.is_visible("#filters")
    page = visit((site / "components/loss/huber.html").as_uri(), java_script_enabled=False).page
    assert page.locator("#curves svg .curve").count() == 3

"""The documentation in a real browser: quiet, self-contained, usable by mouse and by keyboard."""

import functools
import http.server
import threading
from pathlib import Path

import numpy as np
import pytest

from lossfw.report.plots.sample_curve import curve
from lossfw.report.site import needs
from lossfw.report.site.build import build
from support.browsing import CHROMIUM, TOO_WIDE, Visit, chromium
from support.site_content import CURVES, DOCS, content

for module in ("sphinx", "pydata_sphinx_theme", "myst_parser", "sphinx_design"):
    pytest.importorskip(module)
pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no {CHROMIUM}")

# Pages of each kind, for what is slow to look at.
SOME = (
    "index", "components/index", "components/loss/huber", "components/loss/cross_entropy",
    "components/loss/scaled", "components/activation/gelu", "components/metric/f1",
    "components/source/arrays", "how-to/site", "choose",
)  # fmt: skip

# The largest difference of a script and the component, relative to 1 and to the value.
AGREEMENT = 1e-9

# Milliseconds for a figure to be drawn again, of a screen that is drawn 60 times a second.
FRAME = 16

MOST_BYTES = 1_500_000


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    out = tmp_path_factory.mktemp("site") / "pages"
    build(content(), out, "lossfw", DOCS)
    return out


@pytest.fixture(scope="module")
def address(site):
    """Serve the site from this machine; return its address."""
    handler = functools.partial(_Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture
def visit(browser):
    opened = []

    def opening(url, width=1280, **options):
        page = browser.new_page(viewport={"width": width, "height": 900}, **options)
        opened.append(page)
        made = Visit(page)
        page.goto(url)
        return made

    yield opening
    for page in opened:
        page.close()


def test_every_page_is_quiet_whole_and_self_contained(site, browser):
    page = browser.new_page(viewport={"width": 360, "height": 900})
    made = Visit(page)
    wrong = {}
    for path in sorted(site.rglob("*.html")):
        if "_static" in path.parts:
            continue
        made.said.clear()
        made.asked.clear()
        page.goto(path.as_uri())
        found = {
            "said": list(made.said),
            "asked": [u for u in made.asked if not u.startswith(("file:", "data:"))],
            "too wide": page.evaluate(TOO_WIDE),
            "headings": page.evaluate("[...document.querySelectorAll('h1')].length") != 1,
            "no name": page.evaluate(NAMELESS),
            "broken": page.evaluate(FRAGMENTS),
        }
        found = {what: value for what, value in found.items() if value}
        if found:
            wrong[str(path.relative_to(site))] = found
    page.close()
    assert wrong == {}


# Pictures, boxes and buttons without a name for those who do not see them.
NAMELESS = """() => ["img", "svg[role=img]", "input", "select"]
  .flatMap(kind => [...document.querySelectorAll(`article ${kind}`)])
  .filter(e => !(e.getAttribute("alt") || e.getAttribute("aria-label") || e.labels?.length
    || e.querySelector("title")) && e.type !== "radio" && getComputedStyle(e).display !== "none")
  .map(e => e.outerHTML.slice(0, 120))"""

# Fragments of this page that lead nowhere.
FRAGMENTS = """() => [...document.querySelectorAll("article a[href^='#']")]
  .map(a => decodeURIComponent(a.getAttribute("href").slice(1)))
  .filter(id => id && !document.getElementById(id))"""


@pytest.mark.parametrize("name", SOME)
def test_a_page_is_light(name, visit, address, site):
    made = visit(f"{address}/{name}.html")
    made.page.wait_for_load_state("networkidle")
    paths = [site / url.removeprefix(address).partition("?")[0].lstrip("/") for url in made.asked]
    assert made.said == []
    assert sum(path.stat().st_size for path in paths) <= MOST_BYTES


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", SOME)
def test_text_stands_out_from_its_ground(name, scheme, visit, site):
    made = visit((site / f"{name}.html").as_uri(), color_scheme=scheme)
    assert made.page.evaluate("document.documentElement.dataset.theme") == scheme
    assert made.page.evaluate(PALE) == []


# Text of an article with less than 4.5 times the luminance of its ground.
PALE = """() => {
  const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const part = v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
  const luminance = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  const ground = e => {
    for (; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] > 0.5) return colour;
    }
    return [255, 255, 255];
  };
  const texts = [...document.querySelectorAll("article *")].filter(e =>
    e.checkVisibility() && [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()));
  const pale = [];
  for (const e of texts) {
    if (e.closest("script, style, title, option")) continue;
    const style = getComputedStyle(e);
    const ink = parse(e.closest("svg") ? style.fill : style.color);
    const [a, b] = [luminance(ink), luminance(ground(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const words = e.textContent.trim().slice(0, 30);
    if (ratio < 4.5) pale.push(`${e.tagName}.${e.className} ${words} ${ratio.toFixed(2)}`);
  }
  return pale;
}"""


@pytest.mark.parametrize(("kind", "name"), CURVES)
def test_the_script_of_a_figure_is_the_component(kind, name, visit, site):
    subject = content().find(kind, name)
    made = visit((site / f"{subject.document}.html").as_uri())
    facts = made.page.evaluate("({...lossfwFigure, bodies: lossfwFigure.bodies.length})")
    names = [one["name"] for one in facts["parameters"]]
    default = [one["default"] for one in facts["parameters"]]
    settings = [default]
    for place, one in enumerate(facts["parameters"]):
        for value in (one["steps"][0], one["steps"][-1]):
            settings.append([*default[:place], value, *default[place + 1 :]])
    for body, places in enumerate(facts["settings"]):
        chosen = _chosen(subject.sample, facts["switches"], places)
        for values in settings if body == 0 else [default]:
            component = subject.sample.replace(**chosen, **dict(zip(names, values, strict=True)))
            _compare(made.page, body, component, values)


def _chosen(sample, switches, places):
    """Return the values of switches at some places, which the page shows in words."""
    chosen = {}
    for one, place in zip(switches, places, strict=True):
        words = one["options"][place]["words"]
        chosen[one["name"]] = {"true": True, "false": False}.get(words, words)
    return chosen


def _compare(page, body, component, values):
    low, high = page.evaluate(
        "b => [lossfwFigure.bodies[b].low, lossfwFigure.bodies[b].high]", body
    )
    drawn = curve(component, span=(low, high))
    # Off the ties and the breaks, where a derivative has two values.
    keep = np.arange(7, len(drawn.x) - 1, 13)
    for place in (*drawn.breaks, *drawn.second_breaks, 0.0, 1.0, -1.0):
        keep = keep[np.abs(drawn.x[keep] - place) > AGREEMENT]
    found = page.evaluate(COMPUTE, [body, drawn.x[keep].tolist(), values])
    for order, truth in enumerate(drawn.parts):
        ours, theirs = truth[keep], np.array(found[order], float)
        finite = np.isfinite(ours)
        off = np.abs(theirs[finite] - ours[finite])
        close = off <= AGREEMENT * np.maximum(1, np.abs(ours[finite]))
        assert close.all(), (component, order, drawn.x[keep][finite][~close][:3])


COMPUTE = """([body, xs, values]) => {
  const { functions, places } = lossfwFigure.bodies[body];
  return functions.map(f => xs.map(x => f(...places.map(([a, b]) => a + b * x), ...values)));
}"""


@pytest.mark.parametrize(
    ("name", "parameter"), [("huber", "delta"), ("tukey", "c"), ("quantile", "q")]
)
def test_a_slider_draws_anew_by_mouse_and_by_key(name, parameter, visit, site):
    page = visit((site / f"components/loss/{name}.html").as_uri()).page
    slider = page.locator(f"input[data-parameter={parameter}]")
    path = "document.querySelector('#curves svg .c0').getAttribute('d')"
    before, said = page.evaluate(path), page.inner_text("#readout")
    box = slider.bounding_box()
    page.mouse.click(box["x"] + 0.85 * box["width"], box["y"] + box["height"] / 2)
    moved = page.evaluate(path)
    assert moved != before
    assert page.inner_text("#readout") != said
    slider.press("ArrowLeft")
    assert page.evaluate(path) != moved
    page.get_by_role("button", name="Reset").click()
    assert page.evaluate(path) == before


def test_a_switch_draws_another_body(visit, site):
    page = visit((site / "components/loss/cross_entropy.html").as_uri()).page
    page.select_option("select[data-switch=from_logits]", "true")
    assert "score of the target's class" in page.inner_text("#line")
    page.select_option("select[data-switch=guard]", "none")
    assert page.evaluate("document.querySelector('#curves svg .c0').getAttribute('d').length") > 500


def test_a_curve_is_kept_beside_the_moved_one(visit, site):
    page = visit((site / "components/loss/huber.html").as_uri()).page
    page.get_by_role("button", name="Keep this curve").press("Enter")
    page.locator("input[data-parameter=delta]").press("End")
    assert page.locator("#curves svg .kept").count() == 3
    assert "r = " in page.inner_text("#readout")
    page.locator("#cursor").press("ArrowRight")


@pytest.mark.parametrize("name", ["huber", "cross_entropy", "tversky"])
def test_a_figure_is_drawn_within_a_frame(name, visit, site):
    page = visit((site / f"components/loss/{name}.html").as_uri()).page
    page.evaluate(DRAW)  # until it is compiled
    assert page.evaluate(DRAW) < FRAME


# The least time of a redraw: a busy machine is no fault of the page.
DRAW = """() => {
  const slider = document.querySelector("input[data-parameter]");
  const times = [];
  for (let i = 0; i < 12; i += 1) {
    slider.value = String(i);
    const begun = performance.now();
    slider.dispatchEvent(new Event("input"));
    times.push(performance.now() - begun);
  }
  return Math.min(...times);
}"""


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
    ("target", "SIGN"): {
        o.document
        for o in content().subjects
        if o.description.get("target", {}).get("name") == "SIGN"
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


def test_the_page_of_choice_leaves_what_gives_all_reasons(visit, site):
    page = visit((site / "choose.html").as_uri()).page
    left = """() => [...document.querySelectorAll("#choices li:not([hidden])")]
      .map(item => item.dataset.name)"""
    assert page.evaluate(left) == []
    page.focus("#needs input[value=outliers]")
    page.keyboard.press("Space")
    page.click("#needs input[value=convex]")
    served = dict(needs.served(content()))
    assert set(page.evaluate(left)) == set(served["outliers"]) & set(served["convex"])
    drawn = page.locator("#overlays path[data-name=huber]")
    assert drawn.get_attribute("hidden") is None
    assert page.locator("#overlays .legend li", has_text="huber").first.is_visible()
    assert page.url.endswith("#need=outliers,convex")
    page.click("#needs button[type=reset]")
    page.wait_for_function("!location.hash")
    assert page.evaluate(left) == []


def test_without_scripts_all_cards_are_there(visit, site):
    page = visit((site / "components/index.html").as_uri(), java_script_enabled=False).page
    assert page.locator(".chapter li").count() == len(content().subjects)
    assert not page.is_visible("#filters")
    page = visit((site / "components/loss/huber.html").as_uri(), java_script_enabled=False).page
    assert page.locator("#curves svg .curve").count() == 3


@pytest.mark.parametrize("by", ["file", "http"])
@pytest.mark.parametrize(
    ("words", "document"),
    [("huber", "loss/huber"), ("cross_entropy", "loss/cross_entropy"), ("bisquare", "loss/tukey"),
     ("pinball", "loss/quantile")],
)  # fmt: skip
def test_search_finds_names_and_aliases(words, document, by, visit, site, address):
    root = site.as_uri() if by == "file" else address
    made = visit(f"{root}/search.html?q={words}")
    made.page.wait_for_selector("#search-results li a")
    links = made.page.eval_on_selector_all("#search-results li a", "l => l.map(a => a.href)")
    assert any(f"components/{document}.html" in link for link in links)
    assert made.said == []


def test_a_page_of_markdown_stands_beside_each(site):
    pages = {p.relative_to(site).with_suffix("") for p in site.rglob("*.html")
             if "_static" not in p.parts} - {Path("search"), Path("genindex")}  # fmt: skip
    assert {p.relative_to(site).with_suffix("") for p in site.rglob("*.md")} == pages
    listed = (site / "llms.txt").read_text()
    assert all(f"]({page}.md)" in listed for page in pages)

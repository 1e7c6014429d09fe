"""Pages of the documentation in a real browser: quiet, self-contained, readable, found."""

import re
from pathlib import Path

import pytest

from support.browsing import TOO_WIDE, inaccessible

# 0.9 MB of fonts, styles and scripts and 0.6 MB of the search index are shared; the list of all
# components is the largest page.
MOST_BYTES = 2_100_000

# What scrolls, or is drawn to fit.
BOXES = "pre, svg, math, .formula, dialog, .pst-scrollable-table-container"

# A page of each kind: their colours are those of all pages of the kind.
SOME = (
    "how-to/index", "how-to/train", "reference/python", "reference/python/lossfw.Loss",
    "reference/faq", "reference/glossary", "reference/changelog",
    "index", "how-to/choose-a-loss", "search", "genindex", "components/index",
    "components/loss/index",
    "components/loss/huber", "components/loss/cross_entropy", "components/loss/scaled",
    "components/activation/gelu", "components/metric/f1", "components/source/arrays",
    "components/optimizer/adam", "components/model/sklearn", "tutorial/first-steps",
    "how-to/index", "how-to/site",
    "how-to/write-a-loss",
    "reference/commands", "reference/accuracy", "reference/components", "explanation/curvature",
    "explanation/speed", "explanation/trust",
)  # fmt: skip


def _pages(site):
    return sorted(p for p in site.rglob("*.html") if "_static" not in p.parts)


def test_every_page_is_quiet_whole_and_self_contained(site, visit):
    made = visit((site / "index.html").as_uri(), width=360)
    page = made.page
    wrong = {}
    for path in _pages(site):
        made.said.clear()
        made.asked.clear()
        page.goto(path.as_uri())
        found = {
            "said": list(made.said),
            "asked": [u for u in made.asked if not u.startswith(("file:", "data:"))],
            "too wide": page.evaluate(TOO_WIDE, ["article", BOXES]),
            "headings": page.evaluate("[...document.querySelectorAll('h1')].length") != 1,
            "no name": page.evaluate(NAMELESS),
            "broken": page.evaluate(FRAGMENTS),
        }
        found = {what: value for what, value in found.items() if value}
        if found:
            wrong[str(path.relative_to(site))] = found
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


def test_every_page_is_light(visit, address, site):
    # What a page asks for is the same for all of them but for their pictures.
    made = visit(f"{address}/index.html")
    made.page.wait_for_load_state("networkidle")
    paths = {site / url.removeprefix(address).partition("?")[0].lstrip("/") for url in made.asked}
    shared = sum(path.stat().st_size for path in paths if path.suffix != ".html")
    assert made.said == []
    sizes = {path.relative_to(site).as_posix(): _weight(path) for path in _pages(site)}
    assert shared + max(sizes.values()) <= MOST_BYTES, max(sizes, key=sizes.get)


def _weight(path):
    """Return the bytes of a page and of its pictures."""
    pictures = {path.parent / name for name in PICTURE.findall(path.read_text())}
    return path.stat().st_size + sum(picture.stat().st_size for picture in pictures)


PICTURE = re.compile(r'<img[^>]* src="([^":]+)"')


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_axe_finds_nothing_on_a_page_of_each_kind(scheme, width, visit, site):
    page = visit((site / "index.html").as_uri(), color_scheme=scheme, width=width).page
    found = {}
    for name in SOME:
        page.goto((site / f"{name}.html").as_uri())
        found[name] = inaccessible(page)
    assert {name: violations for name, violations in found.items() if violations} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_is_that_of_the_reader(scheme, visit, site):
    made = visit((site / "components/loss/huber.html").as_uri(), color_scheme=scheme)
    assert made.page.evaluate("document.documentElement.dataset.theme") == scheme


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


# What people type who do not know our words, and the page that answers.
TYPED = {
    "safe": "reference/faq", "security": "reference/security", "imbalanced": "reference/faq",
    "custom objective": "reference/faq", "API": "reference/python", "resume": "how-to/run",
    "GPU": "reference/faq", "install": "tutorial/install", "link": "reference/glossary",
    "nan": "reference/faq", "hessian": "explanation/curvature", "jupyter": "how-to/notebooks",
    "compare models": "how-to/compare", "lossfw.run": "reference/python/lossfw.run",
    "changelog": "reference/changelog", "compare two models": "how-to/compare",
    "custom objective xgboost": "reference/faq", "plot a loss": "how-to/look-at-a-loss",
    "zero inflated counts": "how-to/choose-a-loss", "nan loss": "reference/faq",
    "learning rate schedule": "how-to/train", "cross validation": "how-to/cross-validate",
    "search parameters": "how-to/search", "float16": "reference/faq",
}  # fmt: skip


def test_the_first_hit_of_what_people_type_answers(visit, site):
    first, page = {}, visit(f"{site.as_uri()}/search.html").page
    for words in TYPED:
        page.goto(f"{site.as_uri()}/search.html?q={words}")
        page.wait_for_selector("#search-results li a")
        # Hits come in one by one, the best one first.
        href = page.locator("#search-results li a").first.get_attribute("href")
        first[words] = href.partition(".html")[0]
    assert first == TYPED


def test_a_word_of_the_index_shows_the_heading_above_it(visit, site):
    page = visit(f"{(site / 'reference/faq.html').as_uri()}#index-4").page
    tops = page.eval_on_selector_all(
        "article h2", "all => all.map(h => h.getBoundingClientRect().top)"
    )
    bar = page.evaluate("document.querySelector('header').getBoundingClientRect().bottom")
    assert any(bar <= top < bar + 200 for top in tops)


def test_a_page_of_markdown_stands_beside_each(site):
    pages = {p.relative_to(site).with_suffix("") for p in _pages(site)} - {
        Path("search"), Path("genindex")
    }  # fmt: skip
    assert {p.relative_to(site).with_suffix("") for p in site.rglob("*.md")} == pages
    listed = (site / "llms.txt").read_text()
    assert all(f"]({page}.md)" in listed for page in pages)


@pytest.mark.parametrize(
    ("page", "copied"),
    [
        ("how-to/run", "lossfw run digits.yaml --out first --dry-run\nlossfw run digits.yaml"),
        ("reference/faq", "from pydantic import PositiveFloat\n\nfrom lossfw import DistanceLoss"),
    ],
)
def test_a_block_is_copied_without_prompts_and_outputs(page, copied, browser, site):
    allowed = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    opened = allowed.new_page()
    opened.goto((site / f"{page}.html").as_uri())
    texts = []
    for button in opened.locator("button.copy").all()[:3]:
        button.focus()
        opened.keyboard.press("Enter")
        opened.wait_for_function("() => document.activeElement.textContent === 'Copied'")
        texts.append(opened.evaluate("navigator.clipboard.readText()"))
    allowed.close()
    assert any(text.startswith(copied) for text in texts)
    assert not any(re.search(r"^(\$|>>>) ", text, re.M) for text in texts)

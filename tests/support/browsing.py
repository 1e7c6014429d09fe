"""A browser for tests of pages."""

import contextlib
import importlib.resources
import os
from pathlib import Path

import pytest

# Where Debian puts it.
CHROMIUM = Path("/usr/bin/chromium")

# Elements within one that reach beyond the window, but for those in a box that scrolls.
TOO_WIDE = """([within, boxes]) => [...document.querySelectorAll(`${within} *`)]
  .filter(e => !e.parentElement.closest(boxes))
  .filter(e => e.checkVisibility())
  .filter(e => {
    const box = e.getBoundingClientRect();
    return box.width && (box.left < -0.5 || box.right > document.documentElement.clientWidth + 0.5);
  })
  .map(e => e.outerHTML.slice(0, 120))
  .concat(document.documentElement.scrollWidth > window.innerWidth ? ["the page"] : [])"""


# What axe finds: the rule, and an element that breaks it.
_VIOLATIONS = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
  .flatMap(rule => rule.nodes.map(node => `${rule.id}: ${node.html.slice(0, 160)}`))"""


def inaccessible(page):
    """Return what axe-core finds in an open page; skip the test where it is not installed."""
    package = pytest.importorskip("axe_playwright_python", reason="axe-core is not installed")
    # Else colours may be on their way from one theme to the other.
    page.add_style_tag(content="* { transition: none !important; }")
    page.evaluate((importlib.resources.files(package) / "axe.min.js").read_text())
    return page.evaluate(_VIOLATIONS)


@contextlib.contextmanager
def chromium():
    """Start a browser without a window; skip the test where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"there is no {CHROMIUM}")
    # As root there is no sandbox to be had.
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=str(CHROMIUM), args=options)
        yield browser
        browser.close()


class Visit:
    """A page of the browser, with what it said and asked for."""

    def __init__(self, page):
        self.page, self.said, self.asked = page, [], []
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("requestfailed", self._failed)

    def _failed(self, request):
        # What a page still asks for when the next one is opened is not a failure of either.
        if request.failure != "net::ERR_ABORTED":
            self.said.append(f"failed: {request.url}")

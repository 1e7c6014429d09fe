"""A browser for tests of pages."""

import contextlib
import os
from pathlib import Path

# Where Debian puts it.
CHROMIUM = Path("/usr/bin/chromium")

# Elements that reach beyond the window, but for those in a box that scrolls.
TOO_WIDE = """() => [...document.querySelectorAll("article *")]
  .filter(e => !e.parentElement.closest("pre, svg, math, .formula, dialog"))
  .filter(e => !e.parentElement.closest(".pst-scrollable-table-container"))
  .filter(e => e.checkVisibility())
  .filter(e => {
    const box = e.getBoundingClientRect();
    return box.width && (box.left < -0.5 || box.right > document.documentElement.clientWidth + 0.5);
  })
  .map(e => e.outerHTML.slice(0, 120))
  .concat(document.documentElement.scrollWidth > window.innerWidth ? ["the page"] : [])"""


@contextlib.contextmanager
def chromium():
    """Start a browser without a window."""
    from playwright.sync_api import sync_playwright

    # As root there is no sandbox to be had.
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=str(CHROMIUM), args=options)
        yield browser
        browser.close()

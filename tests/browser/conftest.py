"""A built site, a browser, and visits to its pages."""

import functools
import http.server
import threading

import pytest

from support.browsing import Visit, chromium
from support.site_content import DOCS, content


@pytest.fixture(scope="session")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def site(browser, tmp_path_factory):
    """Build the site, which takes minutes: only where there is a browser to look at it."""
    for module in ("sphinx", "pydata_sphinx_theme", "myst_parser", "sphinx_design", "numpydoc"):
        pytest.importorskip(module)
    from lossfw.report.site.build import build

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


@pytest.fixture
def visit(browser):
    """Open a page; returns it, with what it said and asked for."""
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

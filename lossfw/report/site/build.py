"""Build a site: lay out its sources, then let Sphinx make the pages."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

from lossfw.errors import ArgumentError, MissingExtraError, RunError
from lossfw.report.site.content import SiteContent
from lossfw.report.site.stage import STATIC, stage
from lossfw.version import __version__

_NEEDED = ("sphinx", "pydata_sphinx_theme", "myst_parser", "sphinx_design")

# Files that every site has.
_MARKS = ("llms.txt", "objects.inv", "search.html")

_TAGLINE = "Write a loss once, prove it, use it everywhere."


def need_docs() -> None:
    """Check before anything is made that Sphinx and its theme are installed.

    Raises
    ------
    MissingExtraError
        If one is missing.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"a site needs {', '.join(missing)}: install what is missing with "
            "pip install 'lossfw[docs]'"
        )


def build(content: SiteContent, out: Path, title: str, docs: Path | None = None) -> None:
    """Write a site; the same content gives the same bytes.

    Parameters
    ----------
    content : SiteContent
    out : Path
        A folder; what an earlier build wrote there is replaced.
    title : str
    docs : Path, optional
        See `lossfw.report.site.stage.stage`.

    Raises
    ------
    MissingExtraError
        If Sphinx is not installed.
    ArgumentError
        If the folder holds something else.
    RunError
        If Sphinx warns of anything.
    """
    need_docs()
    _refuse_other(out)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        stage(folder, content, title, docs)
        pages = folder / "pages"
        _run_sphinx(folder / "docs", pages, folder / "doctrees", title)
        _quieten(pages)
        for file in (".buildinfo", ".doctrees"):
            with contextlib.suppress(FileNotFoundError):
                (pages / file).unlink()
        if out.exists():
            shutil.rmtree(out)
        shutil.copytree(pages, out)


def _refuse_other(out: Path) -> None:
    """Refuse to replace a folder that holds anything but a site."""
    held = {path.name for path in out.iterdir()} if out.is_dir() else set()
    if out.exists() and (not out.is_dir() or held) and not held.issuperset(_MARKS):
        raise ArgumentError(
            f"{out} holds something else than a site, and would be replaced: name another folder "
            "or remove it."
        )


def _run_sphinx(source: Path, pages: Path, doctrees: Path, title: str) -> None:
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace

    said = io.StringIO()
    with docutils_namespace(), warnings.catch_warnings():
        # Sphinx warns of functions of its extensions that will change: that is for their authors.
        warnings.simplefilter("ignore")
        app = Sphinx(
            srcdir=source,
            confdir=None,
            outdir=pages,
            doctreedir=doctrees,
            buildername="html",
            confoverrides=settings(title),
            status=None,
            warning=said,
            freshenv=True,
        )
        app.build()
    if said.getvalue().strip():
        raise RunError(f"the site is not built, for Sphinx warns:\n{said.getvalue().strip()}")


def _quieten(pages: Path) -> None:
    """Remove the messages that the theme writes to the console of every reader."""
    for path in (pages / "_static/scripts/pydata-sphinx-theme.js", pages / "search.html"):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("console.log(", "void("), encoding="utf-8")


def settings(title: str) -> dict[str, Any]:
    """Return the configuration of Sphinx."""
    return {
        "project": title,
        "version": __version__,
        "release": __version__,
        "extensions": ["myst_parser", "sphinx_design", "lossfw.report.site.extension.entry"],
        "myst_enable_extensions": ["attrs_block", "attrs_inline"],
        "myst_heading_anchors": 3,
        "nitpicky": True,
        # A block in a language that no one highlights is shown plain.
        "suppress_warnings": ["misc.highlighting_failure"],
        "language": "en",
        # A date in a page would make every build another one.
        "html_last_updated_fmt": None,
        "html_copy_source": False,
        "html_show_sourcelink": False,
        "html_show_copyright": False,
        "html_theme": "pydata_sphinx_theme",
        "html_title": title,
        "html_context": {"default_mode": "auto"},
        "html_favicon": str(STATIC / "favicon.svg"),
        "html_static_path": [str(STATIC)],
        "html_css_files": ["site.css"],
        "html_js_files": [
            (f"{name}.js", {"defer": "defer"}) for name in ("figure", "gallery", "choose")
        ],
        # Pages that have no chapter of their own need no menu of one.
        "html_sidebars": {"choose": [], "index": []},
        # A summary is fetched from the page, which a browser refuses for files.
        "html_show_search_summary": False,
        "html_math_renderer": "mathml",
        "lossfw_tagline": _TAGLINE,
        "html_theme_options": {
            "search_as_you_type": True,
            "header_links_before_dropdown": 6,
            "show_nav_level": 1,
            "navigation_depth": 3,
            "footer_start": ["sphinx-version"],
            "footer_end": [],
            "secondary_sidebar_items": ["page-toc"],
        },
    }

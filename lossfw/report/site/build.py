"""Build a site: write its sources to a folder, then build the pages by Sphinx."""

from __future__ import annotations

import errno
import importlib.util
import io
import os
import re
import shutil
import warnings
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import click

from lossfw.components.naming import printable
from lossfw.errors import ArgumentError, MissingExtraError, RunError
from lossfw.extras import install_command
from lossfw.report.site.comments import replace_comments
from lossfw.report.site.component_page import component_page
from lossfw.report.site.content import SiteContent
from lossfw.report.site.gallery import chapter_pages, gallery_page
from lossfw.report.site.markup import escape_prose, fence_block
from lossfw.report.site.python_pages import without_libraries, write_python_pages
from lossfw.report.site.theme import fix_theme
from lossfw.runs.files import translate_write_errors
from lossfw.temporary import temporary_folder
from lossfw.version import __version__

_NEEDED = ("sphinx", "pydata_sphinx_theme", "myst_parser", "sphinx_design", "numpydoc")

# Lines of warnings that are shown: a mistake may be on each page.
_MOST_WARNINGS = 20

# Files that every site has.
_MARKS = ("llms.txt", "objects.inv", "search.html")

_TAGLINE = "Write a loss once, prove it, use it everywhere."

# Where the scripts, styles and the font are.
STATIC = Path(__file__).parent / "static"

_SCRIPTS = ("figure", "filter", "copy")

# Folders of the documentation that become chapters, with their titles.
_FOLDERS = {
    "tutorial": "Tutorial",
    "how-to": "How-to",
    "reference": "Reference",
    "explanation": "Explanation",
}

# A link to a section of the page that describes all components.
_COMPONENT = re.compile(r"\]\((?:\.\./)*reference/components\.md#(\w+)\)")

# Pages of a project next to its documentation, which become pages of the site, and links to them.
_PROJECT_PAGES = ("CHANGELOG", "SECURITY", "CONTRIBUTING")
_TO_PROJECT = re.compile(rf"\]\(((?:\.\./)*)\.\./({'|'.join(_PROJECT_PAGES)})\.md(#[^)]*)?\)")

# A link to something outside of the folder of a page.
_OUTSIDE = re.compile(r"\[([^\]]*)\]\(((?:\.\./)+[^)#]+)\)")


def require_docs() -> None:
    """Check first that Sphinx and its theme are installed."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"a site needs {', '.join(missing)}: install what is missing with "
            f"{install_command('docs')}"
        )


def build(content: SiteContent, out: Path, title: str, docs: Path | None = None) -> None:
    """Write a site; the same content gives the same bytes."""
    require_docs()
    _refuse_other_content(out)
    title = " ".join(printable(title).split())
    with temporary_folder() as folder, translate_write_errors(folder), without_libraries():
        write_sources(folder, content, title, docs)
        pages = folder / "pages"
        _run_sphinx(folder / "docs", pages, folder / "doctrees", title)
        fix_theme(pages, title)
        with translate_write_errors(out):
            _publish(pages, out.resolve())


def _publish(pages: Path, out: Path) -> None:
    """Put the pages in the place of `out`, which has the old site or the new one, never a part.

    They are written next to it, so that a full disk is found before anything is replaced.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder(parent=out) as aside:
        new, old = aside / "new", aside / "old"
        new.mkdir()
        for path in sorted(pages.rglob("*")):
            there = new / path.relative_to(pages)
            if path.is_dir():
                there.mkdir()
            else:
                shutil.copyfile(path, there)
        if not out.exists():
            new.rename(out)
            return
        out.rename(old)
        try:
            new.rename(out)
        except OSError:
            old.rename(out)
            raise


def _refuse_other_content(out: Path) -> None:
    """Refuse to replace a folder that holds anything but a site."""
    held = {path.name for path in out.iterdir()} if out.is_dir() else set()
    if out.exists() and (not out.is_dir() or held) and not held.issuperset(_MARKS):
        raise ArgumentError(
            f"{out} is not empty and holds no site, which would be replaced: choose another "
            "folder, or remove this one."
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
            confoverrides=sphinx_settings(title),
            status=None,
            warning=said,
            freshenv=True,
        )
        app.build()
    warned = click.unstyle(said.getvalue()).strip().splitlines()
    # Sphinx goes on where it cannot write, with a warning for each file.
    if any(os.strerror(errno.ENOSPC) in line for line in warned):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if warned:
        shown, left = warned[:_MOST_WARNINGS], len(warned) - _MOST_WARNINGS
        more = [f"and {left} more lines"] if left > 0 else []
        text = "\n".join([*shown, *more])
        raise RunError(f"the site is not built, because Sphinx warns:\n{text}")


def sphinx_settings(title: str) -> dict[str, Any]:
    """Return the configuration of Sphinx."""
    return {
        "project": title,
        "version": __version__,
        "release": __version__,
        "extensions": [
            *("myst_parser", "sphinx_design", "sphinx.ext.autodoc", "numpydoc"),
            "lossfw.report.site.extension",
        ],
        # A word in single backticks is a name that has a page, or code.
        "default_role": "py:obj",
        "nitpick_ignore_regex": [("py:.*", ".*")],
        # Docstrings have the types, in words.
        "autodoc_typehints": "none",
        "numpydoc_show_class_members": False,
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
        "html_search_scorer": str(STATIC / "scorer.js"),
        "html_css_files": ["site.css"],
        "html_js_files": [(f"{name}.js", {"defer": "defer"}) for name in _SCRIPTS],
        # Pages that have no chapter of their own need no menu of one.
        "html_sidebars": {"index": []},
        # A summary is fetched from the page, which a browser refuses for files.
        "html_show_search_summary": False,
        "html_math_renderer": "mathml",
        "lossfw_tagline": _TAGLINE,
        "html_theme_options": {
            # The theme does not escape the title there, unlike in the head of a page.
            "logo": {"text": escape(title)},
            "search_as_you_type": True,
            "header_links_before_dropdown": 6,
            "show_nav_level": 1,
            "navigation_depth": 3,
            "footer_start": ["sphinx-version"],
            "footer_end": [],
            "secondary_sidebar_items": ["page-toc"],
        },
    }


def write_sources(folder: Path, content: SiteContent, title: str, docs: Path | None = None) -> None:
    """Write all sources of a site."""
    folder.mkdir(parents=True, exist_ok=True)
    root = folder / "docs"
    if docs is None:
        root.mkdir()
        _write(root / "index.md", _start_page(content, title))
    else:
        _copy_pages(docs, root)
        write_python_pages(root)
        replace_comments(root)
        _link_components(root, content)
    for subject in content.subjects:
        _write(root / f"{subject.document}.md", component_page(subject, content))
    _write(root / "components/index.md", gallery_page(content))
    for document, page in chapter_pages(content):
        _write(root / f"{document}.md", page)
    chapters = list(_write_chapters(root)) if docs is not None else []
    hidden = fence_block("{toctree}", ":hidden:", ":maxdepth: 2", "", "components/index", *chapters)
    index = root / "index.md"
    _write(index, f"{index.read_text(encoding='utf-8')}\n{hidden}\n")


def _start_page(content: SiteContent, title: str) -> str:
    """Return the first page of a site without pages of its own: a list of components."""
    listed = "\n".join(
        f"- [{one.name}]({one.document}.md): {escape_prose(one.description['title'])}."
        for one in content.subjects
    )
    return (
        f"# {escape_prose(title)}\n\n{listed}\n\n[Find one](components/index.md) by its claims.\n"
    )


def _copy_pages(docs: Path, root: Path) -> None:
    """Copy the pages, and the files outside of their folder that they link to."""
    ignored = shutil.ignore_patterns(".*", "__pycache__", "examples")
    shutil.copytree(docs, root, ignore=ignored)
    _copy_project_pages(docs.resolve().parent, root)
    for page in root.rglob("*.md"):
        _copy_linked_files(page, docs.resolve() / page.relative_to(root).parent)


def _copy_project_pages(project: Path, root: Path) -> None:
    """Make the changelog and its like pages of the reference, and let links lead there."""
    pages = {name: project / f"{name}.md" for name in _PROJECT_PAGES}
    there = {name: page for name, page in pages.items() if page.is_file()}
    linking = [page for page in root.rglob("*.md") if _TO_PROJECT.search(page.read_text("utf-8"))]
    for page in linking if there else ():

        def replace_link(link: re.Match[str]) -> str:
            return f"]({link[1]}reference/{link[2].lower()}.md{link[3] or ''})"

        _write(page, _TO_PROJECT.sub(replace_link, page.read_text(encoding="utf-8")))
    for name, page in there.items() if linking else ():
        text = page.read_text(encoding="utf-8").replace("](docs/", "](../")
        _write(root / "reference" / f"{name.lower()}.md", text)


def _link_components(root: Path, content: SiteContent) -> None:
    """Let links to a section of the page of all components lead to the page of the component.

    The first link of the start page to that page leads to the gallery, which a checkout lacks.
    """
    documents = {one.name: one.document for one in reversed(content.subjects)}
    start = root / "index.md"
    text = start.read_text(encoding="utf-8")
    _write(start, text.replace("](reference/components.md)", "](components/index.md)", 1))
    for page in root.rglob("*.md"):
        up = "../" * (len(page.relative_to(root).parts) - 1)

        def replace_link(link: re.Match[str], up: str = up) -> str:
            return f"]({up}{documents[link[1]]}.md)" if link[1] in documents else link[0]

        _write(page, _COMPONENT.sub(replace_link, page.read_text(encoding="utf-8")))


def _copy_linked_files(page: Path, source_folder: Path) -> None:
    """Put files that a page links to next to the pages; links to folders become plain words."""

    def fetch_link(link: re.Match[str]) -> str:
        there, here = source_folder / link[2], page.parent / link[2]
        if there.is_dir():
            return link[1]
        if there.is_file() and not here.exists():
            here.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(there, here)
        return link[0]

    text = page.read_text(encoding="utf-8")
    _write(page, _OUTSIDE.sub(fetch_link, text))


def _write_chapters(root: Path) -> Iterator[str]:
    """Write an index for each folder of pages, and yield its name.

    Its pages are in the groups of the start page, which are its headings of the third level.
    """
    start = (root / "index.md").read_text(encoding="utf-8")
    for folder, title in _FOLDERS.items():
        pages = sorted((root / folder).glob("*.md"))
        if not pages:
            continue
        for page in pages:
            _lower_titles(page)
        left = [page.stem for page in pages]
        grouped = {name: [n for n in found if n in left] for name, found in _groups(start, folder)}
        grouped[""] = [one for one in left if not any(one in found for found in grouped.values())]
        filled = {name: found for name, found in grouped.items() if found}
        text = f"# {title}\n"
        for name, found in filled.items():
            # The only group is the chapter itself.
            caption = name if len(filled) > 1 else ""
            text += f"\n## {caption}\n" if caption else ""
            listed = "\n".join(f"- [{_title(root / folder / f'{n}.md')}]({n}.md)" for n in found)
            options = [f":caption: {caption}"] if caption else []
            text += f"\n{listed}\n\n{fence_block('{toctree}', ':hidden:', *options, '', *found)}\n"
        _write(root / folder / "index.md", text)
        yield f"{folder}/index"


def _groups(start: str, folder: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the groups of the start page that have pages in a folder, each with their names."""
    parts = re.split(r"^### (.+)$", start, flags=re.M)
    for name, text in zip(parts[1::2], parts[2::2], strict=True):
        if found := re.findall(rf"\]\({folder}/([\w-]+)\.md\)", text):
            yield name, found


def _lower_titles(page: Path) -> None:
    """Give a page with several titles one above them, else each is an entry of the menu."""
    text = page.read_text(encoding="utf-8")
    parts = re.split(r"(^```.*?^```$)", text, flags=re.M | re.S)
    outside = parts[::2]
    if sum(len(re.findall(r"^# ", part, re.M)) for part in outside) > 1:
        parts[::2] = [re.sub(r"^#", "##", part, flags=re.M) for part in outside]
        title = page.stem.replace("-", " ").capitalize()
        _write(page, f"# {title} on one page\n\n{''.join(parts)}")


def _title(page: Path) -> str:
    found = re.search(r"^# (.+)$", page.read_text(encoding="utf-8"), re.M)
    return found[1] if found else page.stem


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")

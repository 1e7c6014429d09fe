"""Lay out the sources of a site in a folder, as Sphinx reads them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from lossfw.report.site.choose import DOCUMENT, choose_page
from lossfw.report.site.component_page import component_page
from lossfw.report.site.content import SiteContent
from lossfw.report.site.gallery import chapter_pages, gallery_page
from lossfw.report.site.markup import fenced, prose
from lossfw.report.site.needs import served

# Where the scripts, styles and the font are.
STATIC = Path(__file__).parent / "static"

# Folders of the documentation that become chapters, with their titles.
_FOLDERS = {
    "tutorial": "Tutorial",
    "how-to": "How-to",
    "reference": "Reference",
    "explanation": "Explanation",
}

# A link to something outside of the folder of a page.
_OUTSIDE = re.compile(r"\[([^\]]*)\]\(((?:\.\./)+[^)#]+)\)")


def stage(folder: Path, content: SiteContent, title: str, docs: Path | None = None) -> None:
    """Write all sources of a site.

    Parameters
    ----------
    folder : Path
        Empty, or not there.
    content : SiteContent
    title : str
        Of the site.
    docs : Path, optional
        Pages in Markdown that go with the components, with an ``index.md``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    root = folder / "docs"
    if docs is None:
        root.mkdir()
        _write(root / "index.md", _start(content, title))
    else:
        _copy(docs, root)
    for subject in content.subjects:
        _write(root / f"{subject.document}.md", component_page(subject, content))
    _write(root / "components/index.md", gallery_page(content))
    for document, page in chapter_pages(content):
        _write(root / f"{document}.md", page)
    first = ["components/index"]
    # One loss is no choice.
    if any(len(losses) > 1 for _, losses in served(content)):
        _write(root / f"{DOCUMENT}.md", choose_page(content))
        first.append(DOCUMENT)
    chapters = list(_chapters(root)) if docs is not None else []
    hidden = fenced("{toctree}", ":hidden:", ":maxdepth: 2", "", *first, *chapters)
    index = root / "index.md"
    _write(index, f"{index.read_text(encoding='utf-8')}\n{hidden}\n")


def _start(content: SiteContent, title: str) -> str:
    """Return the first page of a site without pages of its own: a list of components."""
    listed = "\n".join(
        f"- [{one.name}]({one.document}.md): {prose(one.description['title'])}."
        for one in content.subjects
    )
    return f"# {title}\n\n{listed}\n\n[Find one](components/index.md) by what it claims.\n"


def _copy(docs: Path, root: Path) -> None:
    """Copy the pages, and the files outside of their folder that they link to."""
    ignored = shutil.ignore_patterns(".*", "__pycache__", "examples")
    shutil.copytree(docs, root, ignore=ignored)
    for page in root.rglob("*.md"):
        _fetch_linked(page, docs.resolve() / page.relative_to(root).parent)


def _fetch_linked(page: Path, home: Path) -> None:
    """Put files that a page links to beside the pages; of links to folders leave the words.

    Parameters
    ----------
    page : Path
        The copy.
    home : Path
        The folder of the page itself.
    """

    def fetched(link: re.Match[str]) -> str:
        there, here = home / link[2], page.parent / link[2]
        if there.is_dir():
            return link[1]
        if there.is_file() and not here.exists():
            here.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(there, here)
        return link[0]

    text = page.read_text(encoding="utf-8")
    _write(page, _OUTSIDE.sub(fetched, text))


def _chapters(root: Path) -> Iterator[str]:
    """Write an index for each folder of pages, and yield its name."""
    for folder, title in _FOLDERS.items():
        pages = sorted((root / folder).glob("*.md"))
        if not pages:
            continue
        for page in pages:
            _with_one_title(page)
        names = [page.stem for page in pages]
        listed = "\n".join(f"- [{_title(page)}]({page.name})" for page in pages)
        tree = fenced("{toctree}", ":hidden:", "", *names)
        _write(root / folder / "index.md", f"# {title}\n\n{listed}\n\n{tree}\n")
        yield f"{folder}/index"


def _with_one_title(page: Path) -> None:
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

"""Beside each page a copy in plain Markdown, and ``llms.txt``, which lists the copies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lossfw.report.site.plain import plain_markdown

# Pages that Sphinx makes, which have no text of their own.
_MADE = ("genindex", "search")


def setup(app: Any) -> None:
    """Write the copies when the pages are done."""
    app.add_config_value("lossfw_tagline", "", "html")
    app.connect("build-finished", _write)


def _write(app: Any, error: Exception | None) -> None:
    if error is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    names = sorted(name for name in app.env.found_docs if name not in _MADE)
    for name in names:
        text = Path(app.env.doc2path(name)).read_text(encoding="utf-8")
        copy = out / f"{name}.md"
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(plain_markdown(text), encoding="utf-8")
    listed = "\n".join(_lines(app, names))
    text = f"# {app.config.project}\n\n> {app.config.lossfw_tagline}\n\n{listed}\n"
    (out / "llms.txt").write_text(text, encoding="utf-8")


def _lines(app: Any, names: list[str]) -> Iterator[str]:
    """Yield a heading for each folder, and a link to each copy in it."""
    folder = None
    for name in sorted(names, key=lambda name: (name.count("/"), name)):
        parent, _, _ = name.rpartition("/")
        if parent != folder:
            folder = parent
            yield f"\n## {parent or 'Start'}\n"
        yield f"- [{app.env.titles[name].astext()}]({name}.md)"

"""Measure every loss and activation, and write the page of the documentation.

    python scripts/make_accuracy.py docs/reference/accuracy.md [NAME ...] [--points 20000]

With names it measures only these components again, and keeps the other rows of the page. Torch,
jax with optax, keras and scikit-learn are measured too, if they are installed.
"""

import argparse
import re
import sys
from pathlib import Path

from lossfw import __version__
from lossfw.check.accuracy.measure import POINTS, accuracy_jobs
from lossfw.check.accuracy.peers import installed
from lossfw.check.pool import run_all
from lossfw.cli.accuracy import chosen
from lossfw.components.plugin_choice import Plugins
from lossfw.report.text.accuracy import page


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("page", type=Path)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--points", type=int, default=POINTS)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    plugins = Plugins(installed=False)
    everything = chosen(plugins.registry(), (), {})
    components = chosen(plugins.registry(), tuple(arguments.names), {})
    todo = accuracy_jobs(
        components, plugins, points=arguments.points, seed=arguments.seed, peers=True
    )
    rows = []
    for row in run_all(todo):
        rows.append(row)
        print(f"{len(rows)} of {len(todo)}: {row.text} {row.dtype}", file=sys.stderr)
    measured = (
        f"Measured by lossfw {__version__} at {arguments.points:,} points or a few more for each "
        "row of the table, at other parameters than the defaults at a quarter of them, seed "
        f"{arguments.seed}. `make accuracy` measures again and writes this page; `lossfw accuracy "
        "NAME` measures one component."
    )
    versions = {peer.name: peer.version for peer in installed()}
    text = page(rows, versions, measured)
    if arguments.names:
        order = dict.fromkeys(name for c in everything for name in (type(c).__name__, c.name))
        measured_names = {name for c in components for name in (type(c).__name__, c.name)}
        text = merged(arguments.page.read_text(), text, measured_names, list(order))
    arguments.page.write_text(text)


def merged(old: str, new: str, names: set[str], order: list[str]) -> str:
    """Return the old page with the rows of these components from the new one.

    Sections stay; in each the lines that begin with a component, rows of a table or items of a
    list, are taken from the page that has them newly, and are sorted as the components are.
    """
    found = dict(_sections(new))
    parts = []
    for title, text in _sections(old):
        theirs = found.get(title, "")
        kept = [line for line in _lines(text) if _component(line) not in names]
        rows = [*kept, *_in_columns(theirs, text)]
        rows.sort(key=lambda line: order.index(_component(line)))
        frame = [line for line in text.split("\n") if not _component(line)]
        at = next((i for i, line in enumerate(text.split("\n")) if _component(line)), len(frame))
        parts.append("\n".join([*frame[:at], *rows, *frame[at:]]))
    return "".join(parts)


def _sections(text: str) -> list[tuple[str, str]]:
    """Return the head and the sections of a page, each with its title."""
    parts = re.split(r"^(?=## )", text, flags=re.M)
    return [(part.partition("\n")[0], part) for part in parts]


def _component(line: str) -> str:
    """Return the class or the name of the component that a line begins with, or nothing."""
    match = re.match(r"(?:\| `|- `?)(\w+)(?=[(`])", line)
    return match[1] if match else ""


def _lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if _component(line)]


def _in_columns(new: str, old: str) -> list[str]:
    """Return the lines of a section, those of a table with the columns of the old one."""

    def header(text: str) -> list[str]:
        line = next((line for line in text.split("\n") if line.startswith("| component")), "")
        return [cell.strip() for cell in line.split("|")[1:-1]]

    columns, have = header(old), header(new)
    if not columns:
        return _lines(new)
    if missing := set(have) - set(columns):
        sys.exit(f"the page has no column for {', '.join(sorted(missing))}: measure everything")
    tables = (dict(zip(have, line.split(" | "), strict=True)) for line in _trimmed(new))
    return [f"| {' | '.join(cells.get(name, '') for name in columns)} |" for cells in tables]


def _trimmed(text: str) -> list[str]:
    """Return the rows of a table without the bars at their ends."""
    return [line.removeprefix("| ").removesuffix(" |") for line in _lines(text)]


if __name__ == "__main__":
    main()

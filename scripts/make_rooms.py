"""Draw the rooms of lossfw, and what imports what, for the documentation.

    python scripts/make_rooms.py docs/explanation/rooms.svg

The picture is made of the imports and of the first line of each folder's
``__init__.py``. A room stands above every room that it imports. An import that
follows from others, as from A to C if A imports B and B imports C, has no arrow.
"""

import argparse
import ast
import sys
import textwrap
from html import escape
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.imports import import_graph, room  # beside the tests that use it

CORE = Path(__file__).parents[1] / "lossfw"
WIDTH, MARGIN, GAP, LINE, LETTER = 900, 16, 30, 18, 7
STYLE = """
svg { background: #fff; font: 14px sans-serif }
rect { fill: #f3f5f9; stroke: #8a94a6 }
text { fill: #1c2430 }
.name { font-weight: bold }
.folders { font: 13px monospace; fill: #56617a }
.import { stroke: #6b7587; stroke-width: 1.5 }
#tip path { fill: #6b7587 }
@media (prefers-color-scheme: dark) {
  svg { background: #12161d }
  rect { fill: #1d242f }
  text { fill: #e4e8ee }
  .folders { fill: #9aa6b8 }
}
"""
TIP = """
<marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="6" markerHeight="6" orient="auto">
<path d="M0 0L8 4L0 8z"/></marker>"""

Imports = dict[str, set[str]]


class Box(NamedTuple):
    """The place of a room in the picture."""

    left: float
    right: float
    top: float
    bottom: float


def imports_of_rooms() -> Imports:
    """Return room -> the other rooms that it imports, without the face, `__main__`, the version."""
    rooms: Imports = {}
    for module, imported in import_graph(CORE).items():
        rooms.setdefault(room(module), set()).update(room(other) for other in imported)
    faces = {"__init__", "__main__", "version"}
    return {name: rooms[name] - faces - {name} for name in rooms.keys() - faces}


def floors(imports: Imports) -> list[set[str]]:
    """Return the rooms floor by floor, from the ground up."""
    built: list[set[str]] = []
    below: set[str] = set()
    while len(below) < len(imports):
        built.append({name for name in imports.keys() - below if imports[name] <= below})
        below |= built[-1]
    return built


def arrows(imports: Imports) -> list[tuple[str, str]]:
    """Return the pairs (room, imported room) that do not follow from other pairs."""
    reached: Imports = {}
    for floor in floors(imports):
        for name in floor:
            reached[name] = imports[name].union(*(reached[other] for other in imports[name]))
    return sorted(
        (name, other)
        for name in imports
        for other in imports[name]
        if not any(other in reached[between] for between in imports[name])
    )


def places(imports: Imports) -> dict[str, Box]:
    """Return room -> its box; a floor leaves its last column free for arrows that pass it."""
    boxes: dict[str, Box] = {}
    top: float = MARGIN
    stack, shown = floors(imports), arrows(imports)
    for number, floor in reversed(list(enumerate(stack))):
        over, under = set().union(*stack[number + 1 :]), set().union(*stack[:number])
        passing = any(a in over and b in under for a, b in shown)
        width = (WIDTH - MARGIN) / (len(floor) + passing)
        height = LINE * (2 + max(len(purpose(name, width)) for name in floor))
        importers = {
            name: max((boxes[a].top for a, b in shown if b == name), default=top) for name in floor
        }
        # The nearer its importers, the further left a room stands: no arrow crosses a room.
        for column, name in enumerate(sorted(floor, key=lambda name: (-importers[name], name))):
            left = MARGIN + column * width
            boxes[name] = Box(left, left + width - MARGIN, top, top + height)
        top += height + GAP
    return boxes


def purpose(name: str, width: float) -> list[str]:
    """Return the first line of a room's docstring, in lines that fit the width."""
    file = CORE / name / "__init__.py" if (CORE / name).is_dir() else CORE / f"{name}.py"
    text = ast.get_docstring(ast.parse(file.read_text())) or ""
    return textwrap.wrap(text.partition("\n")[0].replace("``", ""), int(width / LETTER) - 6)


def folders(name: str) -> str:
    """Return the folders in a room."""
    return "  ".join(sorted(f"{path.parent.name}/" for path in CORE.glob(f"{name}/*/__init__.py")))


def picture() -> str:
    """Return the SVG."""
    imports = imports_of_rooms()
    boxes = places(imports)
    height = max(box.bottom for box in boxes.values()) + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}">',
        "<title>The rooms of lossfw: each imports rooms below it only.</title>",
        f"<style>{STYLE}</style>",
        TIP.strip(),
        *(_box(name, boxes[name]) for name in sorted(boxes, key=boxes.__getitem__)),
        *(_arrow(boxes[name], boxes[other]) for name, other in arrows(imports)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _box(name: str, box: Box) -> str:
    left, right, top, bottom = box
    title = f"{name}/" if (CORE / name).is_dir() else f"{name}.py"
    size = f'width="{right - left:.0f}" height="{bottom - top:.0f}"'
    return "\n".join(
        [
            f'<rect x="{left:.0f}" y="{top:.0f}" {size} rx="5"/>',
            _text(left + 12, top + 21, title, 'class="name"'),
            _text(right - 12, top + 21, folders(name), 'class="folders" text-anchor="end"'),
            *(
                _text(left + 12, top + 21 + LINE * (number + 1), line)
                for number, line in enumerate(purpose(name, right - left + MARGIN))
            ),
        ]
    )


def _text(x: float, y: float, text: str, attributes: str = "") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" {attributes}>{escape(text)}</text>'


def _arrow(above: Box, below: Box) -> str:
    x = (max(above.left, below.left) + min(above.right, below.right)) / 2
    line = f"M{x:.0f} {above.bottom:.0f}V{below.top:.0f}"
    return f'<path class="import" d="{line}" marker-end="url(#tip)"/>'


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("picture", type=Path)
    parser.parse_args().picture.write_text(picture())

"""Measure every loss and activation, and write the figures and the page of the documentation.

    python scripts/make_accuracy.py docs/reference/accuracy.md [NAME ...] [--points 20000]

The figures stand beside the page, in accuracy.json. With names it measures only these components
again, and keeps the other rows. Torch, jax with optax, keras and scikit-learn are measured too, if
they are installed.
"""

import argparse
import json
import sys
from pathlib import Path

from peer_functions import installed, measure_with_peers

from lossfw import __version__
from lossfw.check.accuracy.measure import POINTS, accuracy_jobs
from lossfw.check.pool import as_completed
from lossfw.cli.accuracy import choose_components
from lossfw.components.plugin_choice import Plugins
from lossfw.report.text.accuracy import page, table_row


def main() -> None:
    """Measure, and write the data and the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("page", type=Path)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--points", type=int, default=POINTS)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    file, plugins = arguments.page.with_suffix(".json"), Plugins(installed=False)
    registry = plugins.registry()
    components = choose_components(registry, tuple(arguments.names), {})
    todo = accuracy_jobs(
        components,
        plugins,
        points=arguments.points,
        seed=arguments.seed,
        measured_by=measure_with_peers,
    )
    measured = {}
    for number, found in as_completed(todo):
        measured[number] = table_row(found)
        print(f"{len(measured)} of {len(todo)}: {found.text} {found.dtype}", file=sys.stderr)
    rows = [measured[number] for number in range(len(todo))]
    peers = {peer.name: peer.version for peer in installed()}
    if arguments.names:
        before, names = json.loads(file.read_text()), {one.name for one in components}
        rows += [one for one in before["rows"] if one["name"] not in names]
        peers = {**before["peers"], **peers}
    order = {c.name: number for number, c in enumerate(choose_components(registry, (), {}))}
    rows.sort(key=lambda one: order[one["name"]])
    said = (
        f"Measured by lossfw {__version__} at {arguments.points:,} points or a few more for each "
        "row of the table, at other parameters than the defaults at a quarter of them, and losses "
        f"of groups or columns at a tenth, seed {arguments.seed}. `make accuracy` measures again "
        "and writes this page; `lossfw accuracy NAME` measures one component."
    )
    lines = ",\n".join(map(json.dumps, rows))
    head = f'{{"measured": {json.dumps(said)},\n"peers": {json.dumps(peers)},\n"rows": [\n'
    file.write_text(f"{head}{lines}\n]}}\n")
    arguments.page.write_text(page(json.loads(file.read_text())))


if __name__ == "__main__":
    main()

"""Measure every loss and activation, and write the page of the documentation.

    python scripts/make_accuracy.py docs/reference/accuracy.md [--points 20000]

Torch, jax with optax, keras and scikit-learn are measured too, if they are installed.
"""

import argparse
import sys
from pathlib import Path

from lossfw import __version__
from lossfw.check.accuracy.jobs import accuracy_jobs
from lossfw.check.accuracy.measure import POINTS
from lossfw.check.accuracy.peer_tables import installed
from lossfw.check.pool import run_all
from lossfw.cli.accuracy import chosen
from lossfw.components.plugin_choice import Plugins
from lossfw.report.text.accuracy import page


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("page", type=Path)
    parser.add_argument("--points", type=int, default=POINTS)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    plugins = Plugins(installed=False)
    components = chosen(plugins.registry(), (), {})
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
    arguments.page.write_text(page(rows, versions, measured))


if __name__ == "__main__":
    main()

"""``lossfw rerun``: repeat the run of a folder, and report the differences."""

from __future__ import annotations

import json
from pathlib import Path

import click

from lossfw.cli.options import (
    json_option,
    plugin_file_option,
    traceback_option,
    trust_option,
    warn,
)

# Beyond so many differences the rest is counted.
_SHOWN = 20


@click.command()
@click.argument("folder")
@json_option
@plugin_file_option
@trust_option(default=True)
@traceback_option
@click.pass_context
def rerun(
    ctx: click.Context, folder: str, as_json: bool, local: tuple[str, ...], trust: bool
) -> None:
    """Repeat the run in FOLDER, and report the differences.

    It compares every number, the versions of lossfw, Python, NumPy and the
    plugins, and the digests of data, weights and the whole run. The exit code
    is 0 if all are the same, and 1 otherwise. Nothing is written.
    """
    # Imported here: listing components needs no NumPy file readers.
    from lossfw.cli.progress import ProgressBar
    from lossfw.components.plugin_choice import Plugins
    from lossfw.report.text.tables import show_table
    from lossfw.runs.files import say
    from lossfw.runs.rerun import rerun as run_again

    with ProgressBar() as progress:
        differences = run_again(
            Path(folder), progress=progress, warn=warn, plugins=Plugins(local, trusted=trust)
        )
    if as_json:
        plain = [difference._asdict() for difference in differences]
        say(json.dumps({"same": not differences, "differences": plain}))
    elif differences:
        rows = [(d.kind, d.what, str(d.then), str(d.now)) for d in differences[:_SHOWN]]
        show_table(("", "differs", "then", "now"), rows)
        if len(differences) > _SHOWN:
            say(f"... and {len(differences) - _SHOWN} more")
    else:
        say(f"{folder}: the same numbers, versions and digests")
    if differences:
        ctx.exit(1)

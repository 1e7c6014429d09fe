"""``lossfw run``: evaluate what a configuration describes."""

from __future__ import annotations

import time
from pathlib import Path

import click

from lossfw.cli.options import json_option, plugin_options, plugins_of, traceback_option


@click.command()
@click.argument("config")
@click.option(
    "-o",
    "--override",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change the configuration: -o loss.delta=1e-6. The value is YAML, a number in the key "
    "is an index. May be given several times.",
)
@click.option("--out", metavar="DIR", help="Write metrics.json to this folder as well.")
@json_option
@plugin_options
@traceback_option
def run(
    config: str,
    overrides: tuple[str, ...],
    out: str | None,
    as_json: bool,
    local: tuple[str, ...],
    disable: tuple[str, ...],
    no_plugins: bool,
) -> None:
    """Evaluate the configuration in the file CONFIG.

    In JSON, numbers that are not finite are the texts "nan", "inf" and "-inf".
    """
    # Imported here: listing components needs no NumPy file readers.
    from lossfw.cli.progress import Progress
    from lossfw.config.build import build
    from lossfw.errors import OutputError
    from lossfw.evaluate import evaluate
    from lossfw.output import check_folder, say, to_json, write_result
    from lossfw.report.text import show

    folder = Path(out) if out is not None else None
    if folder is not None:
        check_folder(folder)
    begin = time.perf_counter()
    plan = build(config, overrides, plugins_of(local, disable, no_plugins))
    loading = time.perf_counter() - begin
    with Progress() as progress:
        result = evaluate(plan, progress=progress)
    failure = None
    if folder is not None:
        try:
            write_result(folder, result.to_dict())
        except OutputError as error:
            # What was computed is shown all the same.
            failure = error
    if as_json:
        say(to_json(result.to_dict()))
    else:
        show(plan, result, loading)
    if failure is not None:
        raise failure

"""``lossfw sensitivity``: loss and metrics as functions of moving parameters."""

from __future__ import annotations

from pathlib import Path

import click

from lossfw.cli.command import Command
from lossfw.cli.options import config_plugin_options, json_option, override_option
from lossfw.cli.progress import ProgressBar
from lossfw.components.plugin_choice import Plugins
from lossfw.runs.files import check_folder, to_json, write_file, write_stdout


@click.command(cls=Command)
@click.argument("config")
@click.option("--parameter", metavar="NAME", help="layers.2.weights[17,4], or gradient for all.")
@click.option(
    "--range",
    "reach",
    metavar="LOW:HIGH",
    help="The range to vary it in, as two offsets from its value, such as -1:1.",
)
@click.option("--points", help="The number of points in this range; 401 by default.")
@override_option
@click.option("--out", metavar="DIR", help="Write sensitivity.json, a picture and report.html.")
@json_option
@config_plugin_options(trusted=True)
def sensitivity(
    config: str,
    parameter: str | None,
    reach: str | None,
    points: str | None,
    overrides: tuple[str, ...],
    out: str | None,
    as_json: bool,
    plugins: Plugins,
) -> None:
    """Show how loss and metrics change as a network parameter changes.

    The section `sensitivity` of the configuration can have the same options. The
    plot and the page that --out writes need matplotlib and jinja2.
    """
    # Imported here: listing components needs no NumPy file readers.
    from lossfw.config.plan.sensitivity import build_study
    from lossfw.config.text.source import ConfigSource
    from lossfw.report.html.render import require_report
    from lossfw.report.html.sensitivity import study_page, study_picture
    from lossfw.report.text.sensitivity import study_tables
    from lossfw.report.text.tables import show_table

    if out is not None:
        check_folder(Path(out))
        require_report()
    ends = reach and f"[{reach.replace(':', ', ')}]"
    options = {"parameter": parameter, "range": ends, "points": points}
    more = [f"sensitivity.{key}={value}" for key, value in options.items() if value is not None]
    study = build_study(ConfigSource(config, [*overrides, *more], plugins))
    with ProgressBar("points") as progress:
        found = study.run(progress)
    data = f"{study.plan.data.name}, {len(study.plan.data)} rows"
    shown = list(study_tables(found, {"data": data, "loss": str(study.plan.loss)}))
    if out is not None:
        files = {
            "sensitivity.json": f"{to_json(found)}\n".encode(),
            "sensitivity.svg": study_picture(found),
            "report.html": study_page(found, shown).encode(),
        }
        for name, content in files.items():
            write_file(Path(out), name, content)
    if as_json:
        write_stdout(to_json(found))
    else:
        for headers, rows in shown:
            show_table(headers, rows)

"""``lossfw sensitivity``: loss and metrics as functions of moving parameters."""

from __future__ import annotations

from pathlib import Path

import click

from lossfw.cli.options import config_plugin_options, json_option, override_option
from lossfw.cli.progress import ProgressBar
from lossfw.components.plugin_choice import Plugins
from lossfw.runs.files import check_folder, say, to_json, write_file

RESULT_FILE = "sensitivity.json"
PICTURE_FILE = "sensitivity.svg"
PAGE_FILE = "report.html"


def _range(context: click.Context, option: click.Parameter, text: str | None) -> str | None:
    """Turn ``-1:1`` into a list as YAML writes it."""
    if text is None:
        return None
    ends = text.split(":")
    try:
        low, high = map(float, ends)
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a range: write two numbers as -1:1") from None
    return f"[{low!r}, {high!r}]"


@click.command()
@click.argument("config")
@click.option(
    "--parameter",
    metavar="NAME",
    help="The parameter to move: layers.2.weights[17,4] or layers.0.bias[3], from 0.",
)
@click.option(
    "--range",
    "reach",
    metavar="LOW:HIGH",
    callback=_range,
    help="The distance from its value; -1:1 by default.",
)
@click.option("--points", type=int, help="The number of points on the path; 401 by default.")
@click.option(
    "--directions",
    type=int,
    metavar="N",
    help="Also move along the gradient and N random directions.",
)
@override_option
@click.option(
    "--out",
    metavar="DIR",
    help="Write sensitivity.json, sensitivity.svg and report.html to this folder.",
)
@json_option
@config_plugin_options(trusted=True)
def sensitivity(
    config: str,
    parameter: str | None,
    reach: str | None,
    points: int | None,
    directions: int | None,
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
    from lossfw.nn.sensitivity.study import study_sensitivity
    from lossfw.report.html.render import need_report
    from lossfw.report.text.sensitivity import show

    folder = None if out is None else Path(out)
    if folder is not None:
        check_folder(folder)
        need_report()
    options = {"parameter": parameter, "range": reach, "points": points, "directions": directions}
    more = [f"sensitivity.{key}={value}" for key, value in options.items() if value is not None]
    study = build_study(ConfigSource(config, [*overrides, *more], plugins))
    with ProgressBar("points") as progress:
        result = study_sensitivity(study, progress=progress)
    if folder is not None:
        from lossfw.report.html.sensitivity import study_page
        from lossfw.report.plots.curves import study_picture

        write_file(folder, RESULT_FILE, f"{to_json(result.to_dict())}\n".encode())
        write_file(folder, PICTURE_FILE, study_picture(result))
        write_file(folder, PAGE_FILE, study_page(result).encode())
    if as_json:
        say(to_json(result.to_dict()))
    else:
        show(result)

"""``lossfw check``: try to refute what losses, activations, models and metrics promise."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lossfw.cli.arguments import (
    parameter_option,
    read_parameters,
    refuse_below,
    refuse_several,
)
from lossfw.cli.command import Command
from lossfw.cli.options import add_options, json_option, plugin_options, processes_option
from lossfw.cli.progress import ProgressBar
from lossfw.components.plugin_choice import Plugins
from lossfw.errors import ArgumentError

if TYPE_CHECKING:
    from lossfw.check.report import Report

# Version of the JSON object that this command writes.
CHECK_VERSION = 1


# The options for outside functions.
_outside_options = add_options(
    click.option(
        "--against",
        metavar="LOSS",
        help="The lossfw loss that an outside function is compared with.",
    ),
    click.option(
        "--kind",
        help="The kind of an outside function: distance, margin, pointwise or categorical.",
    ),
    click.option(
        "--prediction",
        metavar="SPACE",
        help="The domain of the predictions of an outside function, such as REAL.",
    ),
    click.option(
        "--target", metavar="SPACE", help="The domain of the targets of an outside function."
    ),
    click.option(
        "--rtol",
        type=float,
        default=0.0,
        help="Relative tolerance for values and derivatives.",
    ),
    click.option(
        "--conventions", is_flag=True, help="Also count differences of convention as failures."
    ),
    click.option("--gradient", metavar="MODULE:FUNCTION", help="Its first derivative."),
    click.option("--hessian", metavar="MODULE:FUNCTION", help="Its second derivative."),
    click.option(
        "--claim",
        "claims",
        multiple=True,
        metavar="NAME[=VALUE]",
        help="A claim to check for an outside function: --claim convex. Can be repeated.",
    ),
)


# What the options are for, in the order of the help.
_HEADINGS = {
    "What to check": (
        *("every", "parameters", "defaults", "within", "bridges"),
        *("only", "skip", "expect"),
    ),
    "How long": ("examples", "seed", "time", "allow_unfinished", "first", "processes"),
    "What counts as a failure, and output": ("strict", "conventions", "as_json", "json_file"),
    "Functions of other libraries": (
        *("against", "kind", "prediction", "target"),
        *("gradient", "hessian", "claims", "rtol"),
    ),
}


@click.command("check", cls=Command, headings=_HEADINGS)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@parameter_option
@click.option("--all", "every", is_flag=True, help="Check everything that is installed.")
@click.option("--defaults", is_flag=True, help="Check only the default parameters.")
@click.option(
    "--examples", default=200, show_default=True, help="Approximate number of examples per check."
)
@click.option("--seed", default=0, show_default=True, help="The same seed gives the same report.")
@click.option(
    "--time",
    type=float,
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="Time limit for each component in seconds: no further check starts after it; 0 for "
    "no limit.",
)
@click.option(
    "--allow-unfinished",
    is_flag=True,
    help="Exit with 0 even if checks were skipped because of the time limit.",
)
@click.option(
    "--within",
    metavar="LOW..HIGH",
    help="Look for wrong results only at predictions and targets of these magnitudes: "
    "1e-100..1e100.",
)
@click.option(
    "--expect",
    multiple=True,
    metavar="CHECK=REASON",
    help="Expect CHECK to fail, for REASON, and fail if it passes. Can be repeated.",
)
@click.option(
    "--only",
    multiple=True,
    metavar="CHECK",
    help="Run only this check, claim or group (value, dtype, convex). Can be repeated.",
)
@click.option(
    "--skip",
    multiple=True,
    metavar="CHECK",
    help="Skip this check, claim or group. Can be repeated.",
)
@click.option(
    "--bridges",
    is_flag=True,
    help="Also check training in the installed libraries (XGBoost, PyTorch and others).",
)
@click.option("--strict", is_flag=True, help="Fail on notes too, such as lost digits.")
@click.option(
    "-x", "--fail-fast", "first", is_flag=True, help="Stop each component at its first failure."
)
@json_option
@click.option("--json-file", metavar="FILE", help="Write the results to a file as JSON.")
@processes_option
@_outside_options
@plugin_options
@click.pass_context
def check(
    ctx: click.Context,
    /,
    names: tuple[str, ...],
    parameters: tuple[str, ...],
    every: bool,
    defaults: bool,
    expect: tuple[str, ...],
    as_json: bool,
    json_file: str | None,
    time: float,
    processes: int | None,
    plugins: Plugins,
    **others: Any,
) -> None:
    """Try to refute what losses, activations, models and metrics promise.

    A NAME is a loss, an activation, a model, a metric, a distribution or plugin (all that it
    offers), or an outside function, MODULE:FUNCTION. Each component is checked at its default
    parameters and, with a tenth of the examples, at extreme values of them; a model at its
    defaults and at its examples. -p checks only the parameters that you give.

    Ordinary numbers at the default parameters come first, then the laws of the call, extreme
    numbers and other parameters. The same seed gives the same report, and with less time a part
    of it.

    The exit code is 0 if nothing is wrong, 1 if something is wrong or the time was over before
    all had run, and 2 for a mistake in the command or in lossfw. Notes, such as lost digits, fail
    only with --strict; of an outside function, differences of convention (dtypes, broadcasting)
    only with --conventions.
    """
    from dataclasses import fields

    from lossfw.check.jobs import check_jobs
    from lossfw.check.options import Options
    from lossfw.check.pool import as_completed
    from lossfw.check.report import Report, report_among_several
    from lossfw.runs.files import to_json, write_file, write_stdout

    refuse_below("--examples", others["examples"], 1)
    refuse_below("--seed", others["seed"], 0)
    refuse_below("--processes", processes, 1)
    refuse_below("--time", time, 0)
    # As without an end.
    others["time"] = time or None
    options = Options(**{field.name: others.pop(field.name) for field in fields(Options)})
    given = read_parameters(parameters)
    refuse_several(given, names)
    # A bare name of a claim is short for NAME=true.
    claims = [text if "=" in text else f"{text}=true" for text in others["claims"]]
    jobs = check_jobs(
        names,
        given,
        plugins,
        all_installed=every,
        only_defaults=defaults,
        expected=_read_expectations(expect),
        outside={**others, "claims": read_parameters(claims)},
        options=options,
    )
    found: dict[int, list[Report]] = {}
    printer = _Printer(is_silent=as_json, are_several=len(jobs) > 1)
    merged = report_among_several if len(jobs) > 1 else Report.merge
    with ProgressBar("checked") as progress:
        for number, some in as_completed(jobs, processes=processes, progress=progress):
            found[number] = some
            with progress.hide_bar():
                printer.show(merged(some))
    reports = [report for number in sorted(found) for report in found[number]]
    whole = {
        "lossfw": CHECK_VERSION,
        "seed": options.seed,
        "examples": options.examples,
        "ok": printer.exit_code == 0,
        "reports": [report.to_dict() for report in reports],
    }
    text = to_json(whole)
    if json_file is not None:
        path = Path(json_file)
        write_file(path.parent, path.name, f"{text}\n".encode())
    if as_json:
        write_stdout(text)
    else:
        printer.show_summary()
    ctx.exit(printer.exit_code)


class _Printer:
    """Prints the report of each component as its checks end, and a summary of all."""

    def __init__(self, *, is_silent: bool, are_several: bool) -> None:
        self._is_silent, self._are_several = is_silent, are_several
        self._reports: list[Report] = []

    @property
    def exit_code(self) -> int:
        """The exit code for all components."""
        from lossfw.check.report import exit_code

        return exit_code(self._reports)

    def show(self, report: Report) -> None:
        """Print the report of a component, at all its parameters."""
        from lossfw.runs.files import write_stdout

        # A line at the end counts those that are left out together.
        if not (self._is_silent or report.is_left_out):
            shown = [one for one in self._reports if not one.is_left_out]
            if shown and not (report.ok and shown[-1].ok):
                write_stdout("")
            for line in report.lines():
                write_stdout(line)
            if report.ok and not self._are_several:
                for line in report.lines_on_gaps():
                    write_stdout(line)
        self._reports.append(report)

    def show_summary(self) -> None:
        """Print what failed, what was left out, and how much was checked."""
        from lossfw.check.report import left_out_lines, summary
        from lossfw.runs.files import write_stdout

        write_stdout("")
        failed = sorted(one.component or one.name for one in self._reports if not one.ok)
        if failed and self._are_several:
            write_stdout(f"not ok: {', '.join(failed)}")
        for line in left_out_lines(self._reports):
            write_stdout(line)
        write_stdout(summary(self._reports))


def _read_expectations(texts: Sequence[str]) -> dict[str, str]:
    """Return the options ``--expect CHECK=REASON`` as a mapping."""
    pairs = [text.partition("=") for text in texts]
    for text, (_, equals, _) in zip(texts, pairs, strict=True):
        if not equals:
            raise ArgumentError(f"--expect {text}: expected NAME=REASON.")
    return {name.strip(): reason for name, _, reason in pairs}

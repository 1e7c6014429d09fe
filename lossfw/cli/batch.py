"""Several runs on the command line, and a table of their results."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from lossfw.cli.options import write_stderr
from lossfw.cli.progress import ProgressBar
from lossfw.components.naming import shortlist
from lossfw.errors import RunError
from lossfw.report.text.tables import input_line, show_table
from lossfw.runs.execute import carry_out_to_dict
from lossfw.runs.files import write_stdout
from lossfw.runs.folder import locked_folder
from lossfw.runs.parallel_runs import common_folder, run_all
from lossfw.runs.records import RunOutcome, RunRequest
from lossfw.runs.stored import kept_epoch, numbers_of_epoch, unit_name_of

# The remedy for a loss that is NaN.
ALLOW_NAN = "To accept NaN, set evaluate.allow_nan: true."


def carry_out_and_show(requests: Sequence[RunRequest], jobs: int, *, as_json: bool) -> None:
    """Carry out requests and show their outcomes."""
    with locked_folder(common_folder(requests)):
        outcomes = carry_out_requests(requests, jobs)
    # Imported on use: a single run has no seeds to average.
    from lossfw.cli.over_seeds import (
        group_to_dict,
        seed_groups_of_runs,
        show_over_seeds,
        show_winner,
        winner_to_dict,
    )
    from lossfw.runs.compare import winner_of

    groups = seed_groups_of_runs(_numbers_of_runs(outcomes))
    done = [outcome.request.folder for outcome in outcomes if outcome.result is not None]
    winner = None if requests[0].trains else winner_of(done)
    if as_json:
        # In a result, numbers that are not finite are texts already.
        plain = [
            outcome_to_dict(outcome) | winner_to_dict(winner, outcome.request)
            for outcome in outcomes
        ]
        write_stdout(json.dumps([one | group_to_dict(groups, one["name"]) for one in plain]))
    else:
        show_table(*outcomes_table(outcomes))
        if inputs := common_inputs_text(outcomes):
            show_table(("", ""), input_line(inputs))
        for outcome in outcomes:
            for text in outcome.texts:
                write_stdout(f"{outcome.request.name}: {text}")
        show_warnings([(outcome.request.name, outcome.warnings) for outcome in outcomes])
        show_over_seeds(groups, "training" if requests[0].trains else "run")
        show_winner(winner)
    raise_if_failed(outcomes)
    nan = [outcome.request.name for outcome in outcomes if outcome.nan]
    if nan:
        raise RunError(
            f"the loss of {len(nan)} of {len(outcomes)} runs is NaN: {', '.join(nan)}. {ALLOW_NAN}"
        )


def common_inputs_text(outcomes: Iterable[RunOutcome]) -> str:
    """Return the inputs of trainings in words if all have the same; otherwise ""."""
    found = {outcome.result.get("inputs", "") for outcome in outcomes if outcome.result}
    return found.pop() if len(found) == 1 else ""


def raise_if_failed(outcomes: Sequence[RunOutcome]) -> None:
    """Raise `RunError` with the names of the runs that failed."""
    failed = [outcome.request.name for outcome in outcomes if outcome.result is None]
    if failed:
        raise RunError(f"{len(failed)} of {len(outcomes)} runs failed: {', '.join(failed)}.")


def carry_out_requests(requests: Sequence[RunRequest], jobs: int) -> list[RunOutcome]:
    """Return the outcomes of requests; write warnings and errors as they occur."""
    done: list[RunOutcome] = []
    printer = _WarningPrinter()

    def report_end(outcome: RunOutcome) -> None:
        done.append(outcome)
        progress(len(done), len(requests))
        printer.write(outcome)

    cluster = requests[0].scheduler
    try:
        with ProgressBar("runs") as progress:
            if cluster is None:
                outcomes = run_all(requests, jobs, ended=report_end)
            else:
                # Imported on use: it needs an optional library.
                from lossfw.runs.cluster_runs import run_on

                outcomes = run_on(cluster, requests, carry_out_to_dict, ended=report_end)
    except KeyboardInterrupt:
        if requests[0].folder is not None:
            write_stderr(
                f"{len(done)} of {len(requests)} runs have ended; --resume continues with the rest"
            )
        raise
    printer.write_repeated(len(requests))
    return outcomes


def show_warnings(runs: Sequence[tuple[str, Iterable[str]]]) -> None:
    """Show the warnings of several runs, each once, with the names of its runs."""
    names: dict[str, list[str]] = {}
    for name, warnings in runs:
        for text in dict.fromkeys(warnings):
            names.setdefault(text, []).append(name)
    for text, those in names.items():
        whose = "" if len(those) == len(runs) else f"{shortlist(those)}: "
        write_stdout(f"warning  {whose}{text}")


class _WarningPrinter:
    """Writes the warnings and errors of runs as they end, and a repeated one only once."""

    def __init__(self) -> None:
        self._names: dict[str, list[str]] = {}

    def write(self, outcome: RunOutcome) -> None:
        """Write those of a run that are new, each line with its name."""
        # An error is one text: some of its lines may also be in another error.
        for text in [*outcome.notes.splitlines(), outcome.error]:
            names = self._names.setdefault(text, [])
            names.append(outcome.request.name)
            if len(names) == 1:
                for line in text.splitlines():
                    write_stderr(f"{names[0]}: {line}")

    def write_repeated(self, runs: int) -> None:
        """Write which others of so many runs had a warning or an error that was written before."""
        for text, (first, *others) in self._names.items():
            if text and others:
                whole = len(others) + 1 == runs
                whose = "the other runs" if whole else shortlist(others)
                write_stderr(f"{whose}: as in {first}: {text.splitlines()[0]}")


def outcome_to_dict(outcome: RunOutcome) -> dict[str, Any]:
    """Return an outcome for JSON."""
    folder = outcome.request.folder
    return {
        "name": outcome.request.name,
        "status": outcome.status,
        "folder": None if folder is None else str(folder),
        "seconds": outcome.seconds,
        "result": outcome.result,
        "error": outcome.error or None,
        "warnings": list(outcome.warnings),
    }


def _numbers_of_runs(
    outcomes: Sequence[RunOutcome],
) -> Iterator[tuple[RunRequest, str, Mapping[str, Any]]]:
    """Yield request, name of the loss and single numbers of each run that has not failed."""
    for outcome in outcomes:
        if (result := outcome.result) is not None:
            loss, numbers = result["loss"], _cells_and_numbers(outcome)[1]
            # A training has its loss among the numbers.
            own = numbers if outcome.request.trains else {"loss": loss["value"], **numbers}
            yield outcome.request, loss["name"], own


def outcomes_table(outcomes: Sequence[RunOutcome]) -> tuple[list[str], list[list[str]]]:
    """Return headers and rows: every metric that is a single number has a column.

    The numbers of a training are those of its model's round or epoch.
    """
    trains = outcomes[0].request.trains
    words = {unit_name_of(outcome.result) for outcome in outcomes if trains and outcome.result}
    first = [" or ".join(sorted(words, reverse=True)) or "epoch"] if trains else ["loss", "value"]
    numbers = [_cells_and_numbers(outcome) for outcome in outcomes]
    titles = list(dict.fromkeys(title for _, own in numbers for title in own))
    rows = []
    for outcome, (cells, own) in zip(outcomes, numbers, strict=True):
        status = "done before" if outcome.before else outcome.status
        computed = outcome.result is not None and not outcome.before
        rows.append(
            [outcome.request.name, status, *(cells or [""] * len(first))]
            + [_format_number(own.get(title, "")) for title in titles]
            + [f"{outcome.seconds:.1f}" if computed else ""]
        )
    return ["run", "status", *first, *titles, "seconds"], rows


def _cells_and_numbers(outcome: RunOutcome) -> tuple[list[str], dict[str, Any]]:
    """Return the first cells of a row, and the numbers by title; none of a run that failed."""
    result = outcome.result
    if result is None:
        return [], {}
    if outcome.request.trains:
        kept = kept_epoch(result)
        return [str(kept["epoch"])], numbers_of_epoch(kept)
    loss, metrics = result["loss"], result["metrics"].items()
    single = {name: m["value"] for name, m in metrics if not isinstance(m["value"], list)}
    return [loss["name"], _format_number(loss["value"])], single


def _format_number(value: Any) -> str:
    """Return a number with the digits of a table; JSON has all of them."""
    return f"{value:.6g}" if isinstance(value, int | float) else str(value)

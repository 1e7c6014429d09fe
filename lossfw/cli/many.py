"""Several runs on the command line, and a table of their results."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from lossfw.cli.options import tell
from lossfw.cli.progress import ProgressBar
from lossfw.components.naming import shortlist
from lossfw.errors import RunError
from lossfw.report.text.tables import show_table
from lossfw.runs.files import say
from lossfw.runs.folder import working_in
from lossfw.runs.parallel_runs import common_folder, run_all
from lossfw.runs.records import RunOutcome, RunRequest
from lossfw.runs.stored import numbers_of

# The remedies for a loss that is NaN.
ALLOW_NAN = "With evaluate.allow_nan: true that is no failure."


def run_many(requests: Sequence[RunRequest], jobs: int, *, as_json: bool) -> None:
    """Carry out requests and show their outcomes.

    Raises
    ------
    RunError
        If one of them failed.
    OutputError
        If another process works in their folder.
    """
    with working_in(common_folder(requests)):
        outcomes = _carried_out(requests, jobs)
    if as_json:
        # In a result, numbers that are not finite are texts already.
        say(json.dumps([_plain(outcome) for outcome in outcomes]))
    else:
        show_table(*(_training_table if requests[0].trains else _table)(outcomes))
        for outcome in outcomes:
            for text in outcome.texts:
                say(f"{outcome.request.name}: {text}")
        show_warnings([(outcome.request.name, outcome.warnings) for outcome in outcomes])
    failed = [outcome.request.name for outcome in outcomes if outcome.result is None]
    if failed:
        raise RunError(f"{len(failed)} of {len(outcomes)} runs failed: {', '.join(failed)}.")

    nan = [outcome.request.name for outcome in outcomes if outcome.nan]
    if nan:
        raise RunError(
            f"the loss of {len(nan)} of {len(outcomes)} runs is NaN: {', '.join(nan)}. {ALLOW_NAN}"
        )


def _carried_out(requests: Sequence[RunRequest], jobs: int) -> list[RunOutcome]:
    """Return the outcomes of requests; tell warnings and errors as soon as there are some."""
    done: list[RunOutcome] = []
    teller = _Teller()
    try:
        with ProgressBar("runs") as progress:

            def ended(outcome: RunOutcome) -> None:
                done.append(outcome)
                progress(len(done), len(requests))
                teller.tell(outcome)

            outcomes = _run_all(requests, jobs, ended)
    except KeyboardInterrupt:
        if requests[0].folder is not None:
            tell(
                f"{len(done)} of {len(requests)} runs have ended; --resume continues with the rest"
            )
        raise
    teller.tell_rest(len(requests))
    return outcomes


def _run_all(
    requests: Sequence[RunRequest], jobs: int, ended: Callable[[RunOutcome], None]
) -> list[RunOutcome]:
    cluster = requests[0].scheduler
    if cluster is None:
        return run_all(requests, jobs, ended=ended)
    # Imported on use: it needs an optional library.
    from lossfw.runs.cluster_runs import run_on

    return run_on(cluster, requests, ended=ended)


def show_warnings(runs: Sequence[tuple[str, Iterable[str]]]) -> None:
    """Show the warnings of several runs, each text once, with the runs that it belongs to.

    Parameters
    ----------
    runs : sequence of tuple of str and iterable of str
        The name and the warnings of each run.
    """
    names: dict[str, list[str]] = {}
    for name, warnings in runs:
        for text in dict.fromkeys(warnings):
            names.setdefault(text, []).append(name)
    for text, those in names.items():
        whose = "" if len(those) == len(runs) else f"{shortlist(those)}: "
        say(f"warning  {whose}{text}")


class _Teller:
    """Writes the warnings and errors of runs as they end, and a repeated one only once."""

    def __init__(self) -> None:
        self._names: dict[str, list[str]] = {}

    def tell(self, outcome: RunOutcome) -> None:
        """Write those of a run that are new, each line with its name."""
        # An error is one text: some of its lines may stand in another error too.
        for text in [*outcome.notes.splitlines(), outcome.error]:
            names = self._names.setdefault(text, [])
            names.append(outcome.request.name)
            if len(names) == 1:
                for line in text.splitlines():
                    tell(f"{names[0]}: {line}")

    def tell_rest(self, runs: int) -> None:
        """Write which others of so many runs had a warning or an error that was written before."""
        for text, (first, *others) in self._names.items():
            if text and others:
                whole = len(others) + 1 == runs
                whose = "the other runs" if whole else shortlist(others)
                tell(f"{whose}: as in {first}: {text.splitlines()[0]}")


def _plain(outcome: RunOutcome) -> dict[str, Any]:
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


def _table(outcomes: Sequence[RunOutcome]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return headers and rows: every metric that is a single number has a column."""
    results = [outcome.result for outcome in outcomes if outcome.result is not None]
    metrics = list(
        dict.fromkeys(
            name
            for result in results
            for name, metric in result["metrics"].items()
            if not isinstance(metric["value"], list)
        )
    )
    headers = ("run", "status", "loss", "value", *metrics, "seconds")
    return headers, [_row(outcome, metrics) for outcome in outcomes]


def _row(outcome: RunOutcome, metrics: Sequence[str]) -> tuple[str, ...]:
    result = outcome.result
    status = "done before" if outcome.before else outcome.status
    if result is None:
        return (outcome.request.name, status, "", "", *("" for _ in metrics), "")
    values = [result["metrics"].get(name, {}).get("value", "") for name in metrics]
    return (
        outcome.request.name,
        status,
        result["loss"]["name"],
        _number(result["loss"]["value"]),
        *map(_number, values),
        "" if outcome.before else f"{outcome.seconds:.1f}",
    )


def _training_table(
    outcomes: Sequence[RunOutcome],
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return headers and rows: the numbers of the epoch whose weights were kept."""
    kept = {
        outcome.request.name: outcome.result["epochs"][outcome.result["kept"]]
        for outcome in outcomes
        if outcome.result is not None
    }
    measured = {name: numbers_of(epoch) for name, epoch in kept.items()}
    titles = list(dict.fromkeys(title for row in measured.values() for title in row))
    rows = []
    for outcome in outcomes:
        name = outcome.request.name
        values = [measured.get(name, {}).get(title, "") for title in titles]
        epoch = str(kept[name]["epoch"]) if name in kept else ""
        seconds = f"{outcome.seconds:.1f}" if outcome.result is not None else ""
        rows.append((name, outcome.status, epoch, *map(_number, values), seconds))
    return ("run", "status", "epoch", *titles, "seconds"), rows


def _number(value: Any) -> str:
    """Return a number with the digits of a table; JSON has all of them."""
    return f"{value:.6g}" if isinstance(value, int | float) else str(value)

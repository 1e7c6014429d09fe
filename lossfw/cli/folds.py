"""Trainings with folds on the command line: their table, and the numbers of all held-out rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lossfw.cli.batch import (
    ALLOW_NAN,
    carry_out_requests,
    common_inputs_text,
    outcome_to_dict,
    outcomes_table,
    raise_if_failed,
    show_warnings,
)
from lossfw.cli.compare import write_requested_reports
from lossfw.cli.options import warn, write_stderr
from lossfw.cli.over_seeds import (
    group_to_dict,
    seed_groups_of_runs,
    show_over_seeds,
    show_winner,
    winner_to_dict,
)
from lossfw.errors import LossfwError, RunError
from lossfw.report.text.run import show_run
from lossfw.report.text.tables import show_table, text_with_interval
from lossfw.runs.compare import winner_of
from lossfw.runs.compare.differences import list_names
from lossfw.runs.execute import Outcome, carry_out
from lossfw.runs.files import write_stdout
from lossfw.runs.folder import locked_folder
from lossfw.runs.folds import CrossValidation
from lossfw.runs.parallel_runs import common_folder
from lossfw.runs.records import RunOutcome, RunRequest

# What the intervals of rows that were held out leave out.
INTERVALS = (
    "Intervals are given the models: they do not hold how much another training would change the "
    "numbers."
)


def train_folds(requests: Sequence[RunRequest], jobs: int, *, as_json: bool, report: bool) -> None:
    """Train every fold of some trainings, and show their numbers over all rows."""
    every = [CrossValidation.of(request) for request in requests]
    trainings = [training for one in every for training in one.requests]
    with locked_folder(common_folder(trainings)):
        for one in every:
            one.begin()
        outcomes = carry_out_requests(trainings, jobs)
    by_name = {outcome.request.name: outcome for outcome in outcomes}
    trained = {name for name, outcome in by_name.items() if outcome.result is not None}
    done: dict[str, Outcome] = {}
    failures: dict[str, LossfwError] = {}
    for one in (one for one in every if one.is_complete(trained)):
        name = one.request.name
        try:
            done[name] = outcome = carry_out(one.join_held_out(), warn=warn)
            # Its numbers are shown, although its folder does not hold them.
            if outcome.failure is not None:
                raise outcome.failure
        except LossfwError as error:
            failures[name] = error
    groups = seed_groups_of_runs(
        (one.request, done[name].result.loss_name, _numbers_of_outcome(done[name]))
        for one in every
        if (name := one.request.name) in done
    )
    winner = winner_of([one.request.folder for one in every if one.request.name in done])
    if as_json:
        plain = [
            _folds_to_dict(one, by_name, done, failures) | winner_to_dict(winner, one.request)
            for one in every
        ]
        write_stdout(json.dumps([one | group_to_dict(groups, one["name"]) for one in plain]))
    else:
        _show_folds(outcomes, done)
        show_over_seeds(groups, "run")
        show_winner(winner)
    if report:
        for training in trainings:
            write_requested_reports([training])
        write_requested_reports([replace(one.request, trains=False) for one in every if one.folds])
    raise_if_failed(outcomes)
    _raise_for_failures(failures, done)


def _raise_for_failures(
    failures: Mapping[str, LossfwError], by_setting: Mapping[str, Outcome]
) -> None:
    """Raise for held-out rows whose numbers could not be computed or written, or are NaN."""
    if list(failures) == [""]:  # no sweep
        raise failures[""]
    for name, error in failures.items():
        write_stderr(f"{name}: {error}")
    if failures:
        raise RunError(f"the held-out rows of {list_names(list(failures))} have no whole result.")
    nan = [name for name, outcome in by_setting.items() if outcome.has_refused_nan]
    if nan:
        whose = "" if nan == [""] else f" of {list_names(nan)}"
        raise RunError(f"the loss{whose} is NaN over all held-out rows. {ALLOW_NAN}")


def _show_folds(outcomes: Sequence[RunOutcome], by_setting: Mapping[str, Outcome]) -> None:
    show_table(*outcomes_table(outcomes))
    show_warnings([(outcome.request.name, outcome.warnings) for outcome in outcomes])
    if not by_setting:
        return
    write_stdout("")
    if list(by_setting) == [""]:
        maker = f"{len(outcomes)} folds, each row by the model that has not seen it"
        show_run(
            by_setting[""].run.plan,
            by_setting[""].result,
            by_setting[""].loading,
            maker,
            common_inputs_text(outcomes),
        )
    else:
        show_table(*_table_of_all_rows(by_setting))
    if any(outcome.result.numbers.intervals for outcome in by_setting.values()):
        write_stdout("")
        write_stdout(INTERVALS)


def _numbers_of_outcome(outcome: Outcome) -> dict[str, Any]:
    return {"loss": outcome.result.loss, **outcome.result.metrics}


def _table_of_all_rows(by_setting: Mapping[str, Outcome]) -> tuple[list[str], list[list[str]]]:
    """Return the numbers of all rows for each setting of a sweep."""
    measured = {
        name: {"loss": outcome.result.numbers.loss, **outcome.result.numbers.metrics}
        for name, outcome in by_setting.items()
    }
    every = [(title, number) for own in measured.values() for title, number in own.items()]
    lists = {title for title, number in every if isinstance(number["value"], list)}
    titles = [title for title in dict.fromkeys(title for title, _ in every) if title not in lists]
    rows = []
    for name, own in measured.items():
        numbers = [own.get(title, {"value": None}) for title in titles]
        cells = [text_with_interval(number["value"], number.get("interval")) for number in numbers]
        rows.append([name, str(by_setting[name].result.count), *cells])
    return ["all folds", "rows", *titles], rows


def _folds_to_dict(
    one: CrossValidation,
    by_name: Mapping[str, RunOutcome],
    by_setting: Mapping[str, Outcome],
    failures: Mapping[str, LossfwError],
) -> dict[str, Any]:
    """Return all folds of a training for JSON, the numbers of all rows first."""
    outcome, error = by_setting.get(one.request.name), failures.get(one.request.name)
    if outcome is None and error is None:
        error = RunError("not every fold is trained")
    if not one.folds:
        return outcome_to_dict(by_name[one.request.name])
    folds = [outcome_to_dict(by_name[fold.name]) for fold in one.folds]
    return {
        "name": one.request.shown_name,
        "status": "done" if error is None else "failed",
        "folder": str(one.request.folder),
        "seconds": sum(fold["seconds"] for fold in folds),
        "result": None if outcome is None else outcome.result.to_dict(),
        "error": None if error is None else str(error),
        "warnings": [] if outcome is None else list(outcome.result.warnings),
        "folds": folds,
    }

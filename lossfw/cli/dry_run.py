"""``--dry-run``: the plans of runs and of trainings, checked, with nothing computed."""

from __future__ import annotations

import json
from collections.abc import Sequence

from lossfw.cli.batch import show_warnings
from lossfw.report.text.tables import show_table
from lossfw.runs.execute import prepare
from lossfw.runs.files import say
from lossfw.runs.folds import CrossValidation
from lossfw.runs.records import Run, RunRequest
from lossfw.runs.trainings import prepare_training


def show_plans(requests: Sequence[RunRequest], *, as_json: bool) -> None:
    """Make the plan of each request and show it."""
    runs = [prepare(request) for request in requests]
    if as_json:
        say(json.dumps([_plain(run) for run in runs]))
        return
    rows = []
    for run in runs:
        plan, folder = run.plan, "" if run.folder is None else str(run.folder)
        # As many digits of the digest as git shows of a commit: for the eye.
        digest = plan.digest[:12]
        rows.append((run.name, str(plan.count), str(plan.loss), plan.outputs_form, folder, digest))
    show_table(("run", "rows", "loss", "from", "folder", "digest"), rows)
    for request, run in zip(requests, runs, strict=True):
        if request.scheduler is not None:
            say(f"{run.name}: {_tasks_text(run, request.scheduler)}")
    show_warnings([(run.name, run.plan.warnings) for run in runs])


def _tasks_text(run: Run, cluster: str) -> str:
    """Return the tasks that a run gives to a cluster, in one line."""
    # Imported on use: most runs stay in their process.
    from lossfw.scale import cut, slots_of

    slots = slots_of(cluster)
    parts = cut(run.plan, slots)
    return (
        f"{len(parts.parts)} tasks of {parts.rows} rows for {slots} threads of {cluster}; "
        f"{parts.bytes_read} bytes are read"
    )


def _plain(run: Run) -> dict[str, object]:
    plan = run.plan
    return {
        "name": run.name,
        "config": run.config,
        "overrides": list(run.overrides),
        "folder": None if run.folder is None else str(run.folder),
        "rows": plan.count,
        "loss": plan.loss.to_config(),
        "form": plan.outputs_form,
        "metrics": [metric.to_config() for metric in plan.metrics],
        "digest": plan.digest,
        "warnings": list(plan.warnings),
    }


def show_trainings(requests: Sequence[RunRequest], *, as_json: bool) -> None:
    """Prepare the training of each request, or of each of its folds, and show it."""
    every = [fold for request in requests for fold in CrossValidation.of(request).requests]
    runs = [prepare_training(request) for request in every]
    notes = [
        [*request.config.notes, *run.training.warnings]
        for request, run in zip(every, runs, strict=True)
    ]
    if as_json:
        say(
            json.dumps(
                [
                    {
                        "name": run.name,
                        "config": run.config,
                        "overrides": list(run.overrides),
                        "folder": None if run.folder is None else str(run.folder),
                        "rows": len(run.training.data),
                        "held_out": len(run.training.held_out or ()),
                        "loss": run.training.loss.to_config(),
                        "form": run.training.form,
                        "metrics": [metric.to_config() for metric in run.training.metrics],
                        "digest": run.training.digest,
                        "warnings": warnings,
                    }
                    for run, warnings in zip(runs, notes, strict=True)
                ]
            )
        )
        return
    rows = [
        (
            run.name,
            str(len(run.training.data)),
            str(len(run.training.held_out or ())),
            str(run.training.loss),
            "" if run.folder is None else str(run.folder),
            run.training.digest[:12],
        )
        for run in runs
    ]
    show_table(("training", "rows", "held out", "loss", "folder", "digest"), rows)
    warnings = [
        (r.name, [*e.config.notes, *r.training.warnings]) for r, e in zip(runs, every, strict=True)
    ]
    show_warnings(warnings)

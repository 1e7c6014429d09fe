"""``--dry-run``: check the plans of runs and trainings, without computing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from lossfw.cli.batch import show_warnings
from lossfw.evaluation.plan import Plan
from lossfw.models.training.records import Training
from lossfw.report.text.tables import show_table
from lossfw.runs.execute import prepare_run
from lossfw.runs.files import write_stdout
from lossfw.runs.folds import CrossValidation
from lossfw.runs.records import Run, RunRequest, TrainingRun
from lossfw.runs.trainings import prepare_training


def show_plans(requests: Sequence[RunRequest], *, as_json: bool) -> None:
    """Make the plan of each request and show it."""
    runs = [prepare_run(request) for request in requests]
    plans = [
        _plan_to_dict(run, run.plan, run.plan.outputs_form, run.plan.warnings, rows=run.plan.count)
        for run in runs
    ]
    if as_json:
        write_stdout(json.dumps(plans))
        return
    rows = [
        (one["name"], str(one["rows"]), str(run.plan.loss), one["form"], *_folder_and_digest(one))
        for one, run in zip(plans, runs, strict=True)
    ]
    show_table(("run", "rows", "loss", "from", "folder", "digest"), rows)
    for request, run in zip(requests, runs, strict=True):
        if request.scheduler is not None:
            # Imported on use: most runs stay in their process.
            from lossfw.runs.cluster_runs import tasks_text

            write_stdout(f"{run.name}: {tasks_text(request.scheduler, run.plan)}")
    show_warnings([(one["name"], one["warnings"]) for one in plans])


def show_trainings(requests: Sequence[RunRequest], *, as_json: bool) -> None:
    """Prepare the training of each request, or of each of its folds, and show it."""
    every = [fold for request in requests for fold in CrossValidation.of(request).requests]
    trainings = []
    for request in every:
        run = prepare_training(request)
        training = run.training
        counts = {"rows": len(training.data), "held_out": len(training.held_out or ())}
        warnings = [*request.config.notes, *training.warnings]
        trainings.append(
            (training.loss, _plan_to_dict(run, training, training.form, warnings, **counts))
        )
    if as_json:
        write_stdout(json.dumps([one for _, one in trainings]))
        return
    rows = [
        (one["name"], str(one["rows"]), str(one["held_out"]), str(loss), *_folder_and_digest(one))
        for loss, one in trainings
    ]
    show_table(("training", "rows", "held out", "loss", "folder", "digest"), rows)
    show_warnings([(one["name"], one["warnings"]) for _, one in trainings])


def _plan_to_dict(
    run: Run | TrainingRun, plan: Plan | Training, form: str, warnings: Sequence[str], **counts: int
) -> dict[str, Any]:
    """Return a plan as it is shown in JSON."""
    return {
        "name": run.name,
        "config": run.config,
        "overrides": list(run.overrides),
        "folder": None if run.folder is None else str(run.folder),
        **counts,
        "loss": plan.loss.to_config(),
        "form": form,
        "metrics": [metric.to_config() for metric in plan.metrics],
        "digest": plan.digest,
        "warnings": list(warnings),
    }


def _folder_and_digest(one: Mapping[str, Any]) -> tuple[str, str]:
    """Return the folder, and as many digits of the digest as git shows of a commit: for the eye."""
    return one["folder"] or "", one["digest"][:12]

"""``lossfw run --dry-run``: check everything and compute nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence

from lossfw.cli.many import show_warnings
from lossfw.report.text.tables import show_table
from lossfw.runs.execute import prepare
from lossfw.runs.files import say
from lossfw.runs.records import Run, RunRequest


def show_plans(requests: Sequence[RunRequest], *, as_json: bool) -> None:
    """Make the plan of each request and show it.

    Raises
    ------
    ConfigError
        All mistakes of the first configuration that has any.
    OutputError
        If a folder could not be written to.
    """
    runs = [prepare(request) for request in requests]
    if as_json:
        say(json.dumps([_plain(run) for run in runs]))
        return
    headers = ("run", "rows", "loss", "from", "folder", "digest")
    show_table(headers, [_row(run) for run in runs])
    for request, run in zip(requests, runs, strict=True):
        if request.scheduler is not None:
            say(f"{run.name}: {_cut_of(run, request.scheduler)}")
    show_warnings([(run.name, run.plan.warnings) for run in runs])


def _cut_of(run: Run, cluster: str) -> str:
    """Return the tasks that a run gives to a cluster, in one line."""
    # Imported on use: most runs stay in their process.
    from lossfw.scale import cut, slots_of

    slots = slots_of(cluster)
    found = cut(run.plan, slots)
    return (
        f"{len(found.parts)} tasks of {found.rows} rows for {slots} threads of {cluster}; "
        f"{found.bytes_read} bytes are read"
    )


def _plain(run: Run) -> dict[str, object]:
    plan = run.plan
    return {
        "name": run.name,
        "config": run.config,
        "overrides": list(run.overrides),
        "folder": None if run.folder is None else str(run.folder),
        "rows": _rows(run),
        "loss": plan.loss.to_config(),
        "form": plan.outputs_form,
        "metrics": [metric.to_config() for metric in plan.metrics],
        "digest": plan.digest,
        "warnings": list(plan.warnings),
    }


def _row(run: Run) -> tuple[str, ...]:
    plan = run.plan
    folder = "" if run.folder is None else str(run.folder)
    # As many digits of the digest as git shows of a commit: for the eye.
    form, digest = plan.outputs_form, plan.digest[:12]
    return (run.name, str(_rows(run)), str(plan.loss), form, folder, digest)


def _rows(run: Run) -> int:
    return len(run.plan.data) if run.plan.sample is None else len(run.plan.sample)

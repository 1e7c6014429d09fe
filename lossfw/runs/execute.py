"""Carry out one run: from a configuration to its numbers, and to its folder if it has one.

A worker process returns its outcome as plain values.
"""

from __future__ import annotations

import math
import time
import traceback
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lossfw.components.hookspecs import LIFE_CYCLE
from lossfw.components.registry import Entry
from lossfw.config.plan.evaluation import build_plan
from lossfw.config.schema.checked import require
from lossfw.errors import LossfwError, OutputError
from lossfw.evaluation.evaluate import Progress, evaluate
from lossfw.evaluation.plan import Plan
from lossfw.evaluation.result import Result
from lossfw.runs.files import check_folder
from lossfw.runs.records import Run, RunRequest, Warn

if TYPE_CHECKING:
    from lossfw.runs.journal import RunJournal


@dataclass(frozen=True)
class Outcome:
    """The outcome of a run.

    `loading` is the time in seconds for configuration, data and weights. `failure` is why the
    folder does not hold the result, `before` whether the result is that of an earlier run, and
    `resumed` the first row computed after an interruption.
    """

    run: Run
    result: Result
    entries: tuple[Entry, ...]
    loading: float
    texts: tuple[str, ...] = ()
    failure: OutputError | None = None
    before: bool = False
    resumed: int = 0

    @property
    def has_refused_nan(self) -> bool:
        """Whether the loss is NaN and the configuration does not allow this."""
        return math.isnan(self.result.loss) and not self.run.plan.allow_nan


def prepare_run(request: RunRequest) -> Run:
    """Return a run that can start: it has its plan, and nothing is computed or written."""
    config, folder = request.config, request.folder
    if folder is not None:
        check_folder(folder)
        _refuse_foreign_config(folder, request)
    plan = build_plan(config)
    if plan.rows and folder is None:
        warning = (
            "evaluate.save_rows asks for a file of rows, which a run folder holds: give --out."
        )
        plan = replace(plan, warnings=(*plan.warnings, warning))
    if plan.rows == "parquet" and folder is not None:
        # Imported on use, and before the work: it may not be installed.
        from lossfw.data.arrow_arrays import import_pyarrow

        import_pyarrow("pyarrow.parquet")
    seed = require(config.sections).seed
    return Run(request.shown_name, config.source.name, request.overrides, folder, seed, plan)


def _refuse_foreign_config(folder: Path, request: RunRequest) -> None:
    """Refuse to write over a configuration that no run has written, or that is run."""
    # Imported on use: a run that only shows its numbers starts without them.
    from lossfw.runs.folder import CONFIG_FILE, files_of_run, refuse_foreign_config

    refuse_foreign_config(folder, "run", files_of_run(folder))
    config, written = Path(request.config.source.name), folder / CONFIG_FILE
    if not request.resume and config.exists() and written.exists() and written.samefile(config):
        raise OutputError(
            f"{written} is the configuration to run, but the run would overwrite it: choose "
            "another folder for --out, or run the file that it was made from."
        )


def carry_out(request: RunRequest, *, progress: Progress | None = None, warn: Warn) -> Outcome:
    """Carry out a run.

    A failure to write the result is in the outcome, next to the numbers; other failures, and a
    folder of another run, are raised.
    """
    begin = time.perf_counter()
    run, config = prepare_run(request), request.config
    entries, registry = tuple(config.entries), require(config.registry)
    loading = time.perf_counter() - begin
    if run.folder is None and not any(registry.followers(h, load=False) for h in LIFE_CYCLE):
        return Outcome(run, _evaluate_plan(request, run.plan, progress), entries, loading)
    # Imported on use: a run that only shows its numbers starts without them.
    from lossfw.runs.plugin_hooks import HookCallers
    from lossfw.runs.recorder import record_run

    with record_run(request, run) as recorder:
        if recorder.done is not None:
            return Outcome(run, recorder.done, entries, loading, before=True)
        hooks = HookCallers(registry, run, warn)
        hooks.call("lossfw_run_start")

        def both(done: int, total: int) -> None:
            if progress is not None:
                progress(done, total)
            hooks.call("lossfw_progress", done=done, total=total)

        try:
            result = _evaluate_plan(request, run.plan, both, recorder.journal)
        except BaseException as error:
            recorder.fail(error)
            hooks.call("lossfw_run_end", result=None)
            raise
        recorder.finish(result, hooks.warnings)
        hooks.call("lossfw_run_end", result=result)
        texts = tuple(hooks.report(result))
        recorder.keep_texts(texts)
        resumed = 0 if recorder.journal is None else recorder.journal.resumed
        return Outcome(run, result, entries, loading, texts, recorder.failure, resumed=resumed)


def _evaluate_plan(
    request: RunRequest,
    plan: Plan,
    progress: Progress | None,
    journal: RunJournal | None = None,
) -> Result:
    if request.scheduler is None:
        return evaluate(plan, progress=progress, journal=journal)
    # Imported on use: most runs stay in their process.
    from lossfw.runs.cluster_runs import evaluate_with_journal

    return evaluate_with_journal(request.scheduler, plan, progress, journal)


def carry_out_to_dict(request: RunRequest, warn: Warn) -> dict[str, Any]:
    """Carry out a run or a training, and return its fields of a `RunOutcome`; nothing is raised."""
    try:
        return _carry_out_to_dict(request, warn)
    except LossfwError as error:
        message = str(error)
    except Exception as error:
        traceback.print_exc()
        message = f"{type(error).__name__}: {error}. This is a bug in lossfw or a plugin."
    return {"result": None, "error": message}


def _carry_out_to_dict(request: RunRequest, warn: Warn) -> dict[str, Any]:
    if request.trains:
        # Imported on use: an evaluation starts without it.
        from lossfw.runs.trainings import carry_out_training, prepare_training

        trained = carry_out_training(request, prepare_training(request), warn=warn)
        return {"result": trained.trained.to_dict(), "warnings": trained.run.training.warnings}
    outcome = carry_out(request, warn=warn)
    if outcome.failure is not None:
        raise outcome.failure
    return {
        "result": outcome.result.to_dict(),
        "texts": outcome.texts,
        "warnings": outcome.result.warnings,
        "before": outcome.before,
        "nan": outcome.has_refused_nan,
    }

"""Carry out one run: from a configuration to its numbers, and to its folder if it has one."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lossfw.components.hookspecs import LIFE_CYCLE
from lossfw.components.registry import Entry
from lossfw.config.plan.evaluation import build_plan
from lossfw.config.schema.checked import known
from lossfw.errors import OutputError
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

    Attributes
    ----------
    run : Run
        The run.
    result : Result
        Its numbers.
    entries : tuple of Entry
        The origins of its components.
    loading : float
        Seconds that configuration, data and weights took.
    texts : tuple of str
        Texts that plugins add to the report.
    failure : OutputError or None
        Why the folder does not hold the result.
    before : bool
        Whether the result is that of an earlier run, and was not computed now.
    resumed : int
        The first row that was computed now, of a run that was interrupted; else 0.
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
    def nan(self) -> bool:
        """Whether the loss is NaN, and the configuration does not accept that."""
        return math.isnan(self.result.loss) and not self.run.plan.allow_nan


def prepare(request: RunRequest) -> Run:
    """Return a run that can begin: its plan is made, nothing is computed or written.

    Raises
    ------
    ConfigError
        All mistakes of the configuration.
    OutputError
        If its folder could not be written to.
    """
    config, folder = request.config, request.folder
    if folder is not None:
        check_folder(folder)
        _check_own(folder, request)
    plan = build_plan(config)
    if plan.rows and folder is None:
        warning = "evaluate.rows asks for a file of rows, which stands in a run folder: give --out."
        plan = replace(plan, warnings=(*plan.warnings, warning))
    if plan.rows == "parquet" and folder is not None:
        # Imported on use, and before the work: it may not be installed.
        from lossfw.data.parquet_columns import pyarrow

        pyarrow("pyarrow.parquet")
    seed = known(config.sections).seed
    return Run(request.shown_name, config.source.name, request.overrides, folder, seed, plan)


def _check_own(folder: Path, request: RunRequest) -> None:
    """Refuse to write over a configuration that no run has written, or that is run."""
    # Imported on use: a run that only shows its numbers starts without them.
    from lossfw.runs.folder import CONFIG_FILE, STATUS_FILE

    there = folder / CONFIG_FILE
    if not there.exists():
        return
    if not (folder / STATUS_FILE).exists():
        raise OutputError(
            f"{there} was not written by a run, and a run writes its own configuration there: "
            "name another folder for --out."
        )
    config = request.config.source.name
    if not request.resume and Path(config).exists() and there.samefile(config):
        raise OutputError(
            f"{there} is the configuration to run, and a run writes its own there: name another "
            "folder for --out, or run the file that it was made from."
        )


def carry_out(request: RunRequest, *, progress: Progress | None = None, warn: Warn) -> Outcome:
    """Carry out a run.

    Parameters
    ----------
    request : RunRequest
        The configuration, and the folder of the results.
    progress : callable, optional
        Called with the rows done and the rows in all.
    warn : callable
        Called with each warning about a plugin.

    Raises
    ------
    OutputError
        If the folder is in use or could not be written to. A failure to write
        the result is in the outcome instead, beside the numbers.
    DataError
        If the run is to be resumed and the folder holds another one.
    """
    begin = time.perf_counter()
    run, config = prepare(request), request.config
    entries, registry = tuple(config.entries), known(config.registry)
    loading = time.perf_counter() - begin
    if run.folder is None and not any(registry.followers(h, load=False) for h in LIFE_CYCLE):
        return Outcome(run, _evaluated(request, run.plan, progress), entries, loading)
    # Imported on use: a run that only shows its numbers starts without them.
    from lossfw.runs.plugin_hooks import Followers
    from lossfw.runs.recorder import keeping

    with keeping(request, run) as keeper:
        if keeper.done is not None:
            return Outcome(run, keeper.done, entries, loading, before=True)
        followers = Followers(registry, run, warn)
        followers.start()

        def both(done: int, total: int) -> None:
            if progress is not None:
                progress(done, total)
            followers.progress(done, total)

        try:
            result = _evaluated(request, run.plan, both, keeper.journal)
        except BaseException as error:
            keeper.fail(error)
            followers.end(None)
            raise
        keeper.finish(result, followers.warnings)
        followers.end(result)
        texts = tuple(followers.report(result))
        keeper.keep_texts(texts)
        resumed = 0 if keeper.journal is None else keeper.journal.resumed
        return Outcome(run, result, entries, loading, texts, keeper.failure, resumed=resumed)


def _evaluated(
    request: RunRequest,
    plan: Plan,
    progress: Progress | None,
    journal: RunJournal | None = None,
) -> Result:
    if request.scheduler is None:
        if journal is not None and journal.in_parts:
            # Imported on use: a run that goes on from parts began on a cluster.
            from lossfw.scale import evaluate_parts

            return evaluate_parts(plan, progress=progress, keeper=journal)
        result = evaluate(plan, progress=progress, journal=journal)
        return result if journal is None else result.noted(journal.notes)
    # Imported on use: most runs stay in their process.
    from lossfw.scale import connected, evaluate_on

    with connected(request.scheduler) as client:
        return evaluate_on(client, plan, progress=progress, keeper=journal)

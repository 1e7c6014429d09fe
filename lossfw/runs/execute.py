"""One run: from a configuration to its numbers, and to its folder where it has one."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from lossfw.components.hookspecs import LIFE_CYCLE
from lossfw.components.registry import Entry
from lossfw.config.build.evaluation import build_parts
from lossfw.config.schema.checked import Parts
from lossfw.errors import OutputError
from lossfw.evaluation.evaluate import Progress, evaluate
from lossfw.evaluation.result import Result
from lossfw.runs.files import check_folder
from lossfw.runs.records import Run, RunRequest, Warn


@dataclass(frozen=True)
class Outcome:
    """What became of a run.

    Attributes
    ----------
    run : Run
        The run.
    result : Result
        Its numbers.
    entries : tuple of Entry
        Where its components come from.
    loading : float
        Seconds that configuration, data and weights took.
    texts : tuple of str
        What plugins add to the report.
    failure : OutputError or None
        Why the folder does not hold the result.
    before : bool
        Whether it was done before, and not computed now.
    resumed : int
        The row that it was gone on with from; 0 for a run that began anew.
    """

    run: Run
    result: Result
    entries: tuple[Entry, ...]
    loading: float
    texts: tuple[str, ...] = ()
    failure: OutputError | None = None
    before: bool = False
    resumed: int = 0


def prepare(order: RunRequest) -> tuple[Run, Parts]:
    """Return a run that can begin: its plan is made, nothing is computed or written.

    Raises
    ------
    ConfigError
        All mistakes of the configuration.
    OutputError
        If its folder could not be written to.
    """
    if order.folder is not None:
        check_folder(order.folder)
        _check_own(order.folder, order)
    plan, parts = build_parts(order.config, order.overrides, order.plugins)
    if plan.rows and order.folder is None:
        warning = "evaluate.rows asks for a file of rows, which stands in a run folder: give --out."
        plan = replace(plan, warnings=(*plan.warnings, warning))
    if plan.rows == "parquet" and order.folder is not None:
        # Imported on use, and before the work: it may not be installed.
        from lossfw.data.parquet import pyarrow

        pyarrow("pyarrow.parquet")
    seed = 0 if parts.skeleton is None else parts.skeleton.seed
    name = order.name or Path(order.config).stem
    return Run(name, order.config, order.overrides, order.folder, seed, plan), parts


def _check_own(folder: Path, order: RunRequest) -> None:
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
    if not order.resume and Path(order.config).exists() and there.samefile(order.config):
        raise OutputError(
            f"{there} is what is to be run, and a run writes its own configuration there: name "
            "another folder for --out, or run the file that it was made from."
        )


def carry_out(order: RunRequest, *, progress: Progress | None = None, warn: Warn) -> Outcome:
    """Run what is ordered.

    Parameters
    ----------
    order : RunRequest
        The configuration, and where its files go.
    progress : callable, optional
        Called with the rows done and the rows in all.
    warn : callable
        Called with each warning about a plugin.

    Raises
    ------
    OutputError
        If the folder is in use or could not be written to. What shows only
        when the result is written is in the outcome: the numbers are there.
    DataError
        If the folder is to be gone on with and holds another run.
    """
    begin = time.perf_counter()
    run, parts = prepare(order)
    loading = time.perf_counter() - begin
    registry = parts.registry
    assert registry is not None  # there is a plan
    if run.folder is None and not any(registry.followers(h, load=False) for h in LIFE_CYCLE):
        return Outcome(run, evaluate(run.plan, progress=progress), parts.entries, loading)
    # Imported on use: a run that only shows its numbers starts without them.
    from lossfw.runs.plugin_hooks import Followers
    from lossfw.runs.recorder import keeping

    with keeping(order, run, parts) as keeper:
        if keeper.done is not None:
            return Outcome(run, keeper.done, parts.entries, loading, before=True)
        followers = Followers(registry, run, warn)
        followers.start()

        def both(done: int, total: int) -> None:
            if progress is not None:
                progress(done, total)
            followers.progress(done, total)

        try:
            result = evaluate(run.plan, progress=both, journal=keeper.journal)
        except BaseException as error:
            keeper.fail(error)
            followers.end(None)
            raise
        keeper.finish(result, followers.warnings)
        followers.end(result)
        texts = tuple(followers.report(result))
        resumed = 0 if keeper.journal is None else keeper.journal.resumed
        return Outcome(run, result, parts.entries, loading, texts, keeper.failure, resumed=resumed)

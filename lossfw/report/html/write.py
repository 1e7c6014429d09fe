"""Write the reports of runs or of trainings, and the page that compares them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lossfw.errors import ArgumentError
from lossfw.evaluation.slices import Slice
from lossfw.report.html.comparison import comparison_page
from lossfw.report.html.render import require_report
from lossfw.report.html.run import run_page
from lossfw.report.html.training import training_page
from lossfw.runs.compare import Comparison, FinishedTraining, TrainingComparison, compare
from lossfw.runs.files import write_file
from lossfw.runs.folder import REPORT_FILE


def write_reports(
    runs: Sequence[Any],
    out: Path | None,
    *,
    allow_different_data: bool = False,
    keep: bool = False,
    by: Slice | None = None,
    warn: Callable[[str], None] = lambda _: None,
) -> list[Path]:
    """Write the report of each run or training, and one that compares several; return the files.

    `out` is the file of the comparison or of a single report, by default ``report.html`` in the
    folder of the run, or in the folder that holds all runs. With `keep`, existing reports remain; a
    run removes its own when it writes new numbers. `warn` gets the reason for each part of a page
    that is missing.
    """
    require_report()
    if out is not None and out.suffix != ".html":
        raise ArgumentError(f"{out} is not the name of a page: let it end in .html.")

    def write(file: Path, page: str) -> Path:
        return write_file(file.parent, file.name, page.encode())

    trains = isinstance(runs[0], FinishedTraining)

    def page(run: Any) -> str:
        return training_page(run.path) if trains else run_page(run, warn)

    if len(runs) == 1:
        return [write(out or runs[0].path / REPORT_FILE, page(runs[0]))]
    out = out or _common_folder([run.path for run in runs]) / REPORT_FILE
    comparison: Comparison
    if trains:
        comparison = TrainingComparison.of(runs)
    else:
        comparison = compare(runs, allow_different_data=allow_different_data, by=by)
    reports = [run.path / REPORT_FILE for run in runs]
    written = [
        write(report, page(run))
        for run, report in zip(runs, reports, strict=True)
        if not (keep and report.is_file())
    ]
    title = f"{out.parent.absolute().name}: {len(runs)} {comparison.kind}s"
    return [*written, write(out, comparison_page(comparison, title, out.parent))]


def _common_folder(folders: Sequence[Path]) -> Path:
    parents = {folder.absolute().parent for folder in folders}
    if len(parents) > 1:
        raise ArgumentError(
            "the runs lie in different folders: say where their comparison goes, as in "
            "--out comparison.html."
        )
    return folders[0].parent

"""Write the reports of runs, and the page that compares them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from lossfw.errors import ArgumentError
from lossfw.evaluation.slices import Slice
from lossfw.report.html.comparison import comparison_page
from lossfw.report.html.render import need_report
from lossfw.report.html.run import run_page
from lossfw.report.html.training import training_page
from lossfw.report.html.training_comparison import training_comparison_page
from lossfw.runs.compare import FinishedRun, FinishedTraining, TrainingComparison, compare
from lossfw.runs.files import write_file
from lossfw.runs.folder import REPORT_FILE


def write_reports(
    runs: Sequence[FinishedRun],
    out: Path | None,
    *,
    side_by_side: bool = False,
    keep: bool = False,
    by: Slice | None = None,
    warn: Callable[[str], None] = lambda _: None,
) -> list[Path]:
    """Write the report of each run, and of several one that compares them.

    Parameters
    ----------
    runs : sequence of FinishedRun
        At least one.
    out : Path or None
        The file of the comparison, or of the report of a single run; it ends in
        ``.html``. None for ``report.html`` in the folder of the run, or in the folder
        that holds all runs.
    side_by_side : bool
        Allow runs on different data; see `lossfw.runs.compare.compare`.
    keep : bool
        Keep the reports that runs have, which a run removes when it writes new numbers.
    by : Slice, optional
        Also compare parts of the rows; see `lossfw.runs.compare.compare`.
    warn : callable
        Called with the reason for each part of a page that is missing.

    Returns
    -------
    list of Path
        The written files, the comparison last.

    Raises
    ------
    ArgumentError
        If the file does not end in ``.html``, no file was given and the runs lie in
        different folders, or the runs have different data.
    """
    need_report()
    _check_page(out)
    if len(runs) == 1:
        return [_write(out or runs[0].path / REPORT_FILE, run_page(runs[0], warn))]
    out = out or _common_folder([run.path for run in runs]) / REPORT_FILE
    comparison = compare(runs, side_by_side=side_by_side, by=by)
    needed = [run for run in runs if not (keep and (run.path / REPORT_FILE).is_file())]
    written = [_write(run.path / REPORT_FILE, run_page(run, warn)) for run in needed]
    page = comparison_page(comparison, _title(out, f"{len(runs)} runs"), out.parent)
    return [*written, _write(out, page)]


def write_training_reports(trainings: Sequence[FinishedTraining], out: Path | None) -> list[Path]:
    """Write the page of each training, and of several one that compares them.

    Parameters
    ----------
    trainings : sequence of FinishedTraining
        At least one, each with its folder.
    out : Path or None
        The file of the comparison, or of the page of a single training; None for
        ``report.html`` in the folder of the training, or in the one that holds all of them.

    Returns
    -------
    list of Path
        The written files, the comparison last.

    Raises
    ------
    ArgumentError
        If the file does not end in ``.html``, or no file was given and the trainings lie in
        different folders.
    """
    need_report()
    _check_page(out)
    folders = [one.path for one in trainings if one.path is not None]
    if len(folders) == 1:
        return [_write(out or folders[0] / REPORT_FILE, training_page(folders[0]))]
    written = [_write(folder / REPORT_FILE, training_page(folder)) for folder in folders]
    out = out or _common_folder(folders) / REPORT_FILE
    title = _title(out, f"{len(folders)} trainings")
    page = training_comparison_page(TrainingComparison.of(trainings), title, out.parent)
    return [*written, _write(out, page)]


def _write(file: Path, page: str) -> Path:
    return write_file(file.parent, file.name, page.encode())


def _title(file: Path, count: str) -> str:
    return f"{file.parent.absolute().name}: {count}"


def _check_page(out: Path | None) -> None:
    if out is not None and out.suffix != ".html":
        raise ArgumentError(f"{out} is no name of a page: let it end in .html.")


def _common_folder(folders: Sequence[Path]) -> Path:
    parents = {folder.absolute().parent for folder in folders}
    if len(parents) > 1:
        raise ArgumentError(
            "the runs lie in different folders: say where their comparison goes, as in "
            "--out comparison.html."
        )
    return folders[0].parent

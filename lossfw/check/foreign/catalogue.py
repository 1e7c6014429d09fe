"""Catalogues: folders of loss functions with which a harness is judged.

A folder holds ``entry.py`` (a dataclass for one function and its promises) and
``losses.py`` (the list ``ENTRIES``). The harness sees these alone. ``truth.py``
says what each entry is; it is read after everything is judged, for the table.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lossfw.check.batch import Options
from lossfw.check.function import check_function
from lossfw.check.report import Report
from lossfw.errors import DataError

_MODULES = ("entry", "losses")


@dataclass(frozen=True)
class EntryJob:
    """One entry of a catalogue; see `lossfw.check.batch.Job`.

    Attributes
    ----------
    folder : str
        The absolute path of the catalogue.
    id : str
        The entry.
    """

    folder: str
    id: str

    @property
    def label(self) -> str:
        """The entry's id."""
        return self.id

    def run(self, options: Options, watch: Callable[[str], None] | None = None) -> Report:
        """Check it; see `lossfw.check.batch.Job`."""
        entry = next(e for e in entries(Path(self.folder)) if e.id == self.id)
        return check_entry(entry, options, setup(self.folder, self.id), watch)


def jobs(folder: Path) -> list[EntryJob]:
    """Return a job for each entry of a catalogue, in its order.

    Raises
    ------
    DataError
        If the folder is no catalogue.
    """
    return [EntryJob(str(folder.absolute()), entry.id) for entry in entries(folder)]


def check_entry(
    entry: Any,
    options: Options,
    setup: str = "",
    watch: Callable[[str], None] | None = None,
) -> Report:
    """Hold one entry to the contract and to its claims.

    Parameters
    ----------
    entry : Entry
        With the attributes that the catalogue's README names.
    options : Options
    setup : str
        Code that defines the entry's functions, for snippets.
    watch : callable, optional
        Told the name of each check before it runs.
    """
    return check_function(
        entry.value,
        kind=entry.kind,
        prediction=entry.prediction,
        target=entry.target,
        gradient=entry.gradient,
        hessian=entry.hessian,
        reduce=entry.reduce,
        against=entry.against,
        params=entry.params,
        claims=entry.claims,
        name=entry.id,
        seed=options.seed,
        examples=options.examples,
        time_limit=options.time_limit,
        setup=setup,
        watch=watch,
    )


def setup(folder: str, name: str) -> str:
    """Return code that defines an entry's functions."""
    return (
        "import sys\n"
        f"sys.path.insert(0, {folder!r})\n"
        "import numpy as np\nfrom numpy import array, inf, nan\n"
        "from losses import ENTRIES\n"
        f"entry = next(e for e in ENTRIES if e.id == {name!r})\n"
        "value, reduce = entry.value, entry.reduce\n"
        "gradient, hessian = entry.gradient, entry.hessian"
    )


def entries(folder: Path) -> list[Any]:
    """Return the entries of a catalogue.

    Raises
    ------
    DataError
        If the folder is no catalogue, or its modules cannot be imported.
    """
    missing = [f"{name}.py" for name in _MODULES if not (folder / f"{name}.py").is_file()]
    if missing:
        raise DataError(
            f"{folder} is no catalogue: it has no {' and no '.join(missing)}. A catalogue is a "
            "folder with entry.py and losses.py."
        )
    try:
        return list(_losses(folder).ENTRIES)
    except Exception as error:
        raise DataError(
            f"{folder / 'losses.py'} cannot be used: {type(error).__name__}: {error}"
        ) from error


def _losses(folder: Path) -> Any:
    """Import ``losses`` of this folder, once; another folder's makes room for it."""
    path = str(folder.absolute())
    known = sys.modules.get("losses")
    if known is not None and Path(str(known.__file__)).parent == Path(path):
        return known
    for name in _MODULES:
        sys.modules.pop(name, None)
    sys.path.insert(0, path)
    try:
        return importlib.import_module("losses")
    finally:
        sys.path.remove(path)


def truth(folder: Path) -> dict[str, Any] | None:
    """Return what each entry is, None where the folder does not say."""
    path = folder / "truth.py"
    if not path.is_file():
        return None
    spec = importlib.util.spec_from_file_location("lossfw_catalogue_truth", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return dict(module.TRUTH)


@dataclass(frozen=True)
class Score:
    """How reports compare with the truth.

    Attributes
    ----------
    faulty, refuted, right : int
        Faulty entries; those that were refuted; those by the check that the truth names.
    correct, alarms : int
        Correct entries; those that were refuted all the same.
    """

    faulty: int
    refuted: int
    right: int
    correct: int
    alarms: int

    def __str__(self) -> str:
        return (
            f"{self.refuted} of {self.faulty} faulty entries refuted, {self.right} of them for the "
            f"right reason; {self.alarms} alarms on {self.correct} correct entries"
        )


def is_right(report: Report, known: Any) -> bool:
    """Tell whether a faulty entry was refuted by the check that the truth names."""
    wanted = known["refuted_by"]
    return any(r.check == wanted or r.check.startswith(f"{wanted}:") for r in report.refuted)


def score(reports: Sequence[Report], known: dict[str, Any]) -> Score:
    """Count what the reports got right."""
    faulty = [r for r in reports if known[r.name]["verdict"] == "faulty"]
    correct = [r for r in reports if known[r.name]["verdict"] != "faulty"]
    return Score(
        len(faulty),
        sum(bool(r.refuted) for r in faulty),
        sum(is_right(r, known[r.name]) for r in faulty),
        len(correct),
        sum(bool(r.refuted) for r in correct),
    )

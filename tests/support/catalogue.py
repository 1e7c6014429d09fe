"""The exam of the harness: folders of faulty and correct loss functions.

A folder holds ``entry.py`` (a dataclass for one function and its promises) and
``losses.py`` (the list ``ENTRIES``). The harness sees these alone. ``truth.py``
says what each entry is; it is read after everything is judged.
"""

import importlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lossfw.check.api import check_function
from lossfw.check.options import Options
from lossfw.check.report import Report

_MODULES = ("entry", "losses")

# What an entry says of itself, by the names that `check_function` has for it.
_DESCRIBED = ("kind", "prediction", "target", "gradient", "hessian", "reduce", "against", "params",
              "claims")  # fmt: skip


@dataclass(frozen=True)
class EntryJob:
    """One entry of the catalogue in a folder; see `lossfw.check.pool.Job`."""

    folder: str
    id: str
    options: Options = field(default_factory=Options)

    @property
    def label(self) -> str:
        return self.id

    def run(self, watch: Callable[[str], None]) -> Report:
        entry = next(e for e in entries(Path(self.folder)) if e.id == self.id)
        return check_function(
            entry.value,
            **{name: getattr(entry, name) for name in _DESCRIBED},
            name=entry.id,
            seed=self.options.seed,
            examples=self.options.examples,
            setup=setup(self.folder, self.id),
            watch=watch,
        )


def jobs(folder: Path, **options: Any) -> list[EntryJob]:
    """Return a job for each entry of a catalogue, in its order."""
    chosen = Options(**options)
    return [EntryJob(str(folder.absolute()), entry.id, chosen) for entry in entries(folder)]


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
    """Return the entries of a catalogue."""
    return list(_losses(folder).ENTRIES)


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
    """How reports compare with the truth, as names of entries.

    Attributes
    ----------
    missed : faulty entries that were not refuted
    elsewhere : faulty entries that were refuted, but not by the check that the truth names
    alarms : correct entries that were refuted all the same
    """

    faulty: list[str]
    missed: list[str]
    elsewhere: list[str]
    alarms: list[str]


def is_right(report: Report, known: Any) -> bool:
    """Tell whether a faulty entry was refuted by the check that the truth names."""
    wanted = known["refuted_by"]
    return any(r.check == wanted or r.check.startswith(f"{wanted}:") for r in report.refuted)


def score(reports: Sequence[Report], known: dict[str, Any]) -> Score:
    """Compare reports with the truth."""
    faulty = [r for r in reports if known[r.name]["verdict"] == "faulty"]
    correct = [r for r in reports if known[r.name]["verdict"] != "faulty"]
    return Score(
        [r.name for r in faulty],
        [r.name for r in faulty if not r.refuted],
        [r.name for r in faulty if r.refuted and not is_right(r, known[r.name])],
        [r.name for r in correct if r.refuted],
    )

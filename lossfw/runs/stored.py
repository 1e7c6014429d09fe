"""The objects in ``metrics.json``, ``run.json`` and ``training.json``, and their types."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    NonNegativeInt,
    ValidationError,
    model_validator,
)

from lossfw.errors import DataError
from lossfw.evaluation.baseline import SKILL
from lossfw.losses.base import Form
from lossfw.runs.files import restore_numbers

# The prefix of the names of numbers of held-out rows.
HELD_OUT = "held-out "


class _Stored(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow")


def _numbers(value: Any) -> Any:
    """Check for numbers in nested lists; None means a missing number."""
    items = list(value) if isinstance(value, list) else [value]
    while items:
        item = items.pop()
        if isinstance(item, list):
            items.extend(item)
        elif item is not None and (isinstance(item, bool) or not isinstance(item, int | float)):
            raise ValueError("numbers in lists or alone")
    return value


_Numbers = Annotated[Any, AfterValidator(_numbers)]


def _has_shape_of(interval: Any, value: Any) -> bool:
    """Tell whether there is a pair of numbers, or None, in place of each number of a value."""
    if interval is None:
        return True
    if not isinstance(interval, list):
        return False
    if not isinstance(value, list):
        return len(interval) == 2 and all(isinstance(end, int | float) for end in interval)
    pairs = zip(interval, value, strict=False)
    return len(interval) == len(value) and all(_has_shape_of(*pair) for pair in pairs)


class _Number(_Stored):
    value: _Numbers
    interval: _Numbers = None
    curve: dict[str, list[float]] | None = None

    @model_validator(mode="after")
    def _check_interval(self) -> Self:
        if not _has_shape_of(self.interval, self.value):
            raise ValueError("an interval needs two numbers for each number of the value")
        return self


class _Loss(_Number):
    name: str
    form: Form


class _SlicePart(_Stored):
    name: str
    by: str
    value: str
    count: NonNegativeInt
    weight: float
    loss: _Number
    metrics: dict[str, _Number]


class _Intervals(_Stored):
    level: float
    method: str


class _StoredResult(_Stored):
    count: NonNegativeInt
    weight: float
    loss: _Loss
    metrics: dict[str, _Number]
    intervals: _Intervals | None = None
    slices: list[_SlicePart] | None = None
    sample: list[int] | None
    digest: str
    classes: list[str] = []
    groups: NonNegativeInt | None = None

    @model_validator(mode="after")
    def _check_parts(self) -> Self:
        if any(part.metrics.keys() != self.metrics.keys() for part in self.slices or ()):
            raise ValueError("a slice has other metrics than the whole")
        return self


class _Data(_Stored):
    name: str | None = None
    rows: NonNegativeInt | None = None
    digest: str | None = None


class _Plugin(_Stored):
    name: str
    version: str


class _Options(_Stored):
    plugins: list[str] = []
    disable: list[str] = []
    installed: bool = True


class _Git(_Stored):
    commit: str
    dirty: bool


class _StoredRecord(_Stored):
    config: str | None = None
    digest: str | None = None
    seed: int | None = None
    overrides: list[str] = []
    options: _Options | None = None
    data: _Data | None = None
    weights: str | None = None
    git: _Git | None = None
    plugins: list[_Plugin] = []
    started: str | None = None
    seconds: float | None = None
    timings: dict[str, float] | None = None
    warnings: list[str] | None = None


def result_with_numbers(result: Mapping[str, Any]) -> Any:
    """Return the object of a ``metrics.json`` with infinities and NaN as numbers; see `to_json`.

    Strings are unchanged: a class or a part of the rows may be called ``nan`` or ``inf``.

    Examples
    --------
    >>> result_with_numbers({"weight": "inf", "classes": ["inf"], "slices": [{"value": "nan"}]})
    {'weight': inf, 'classes': ['inf'], 'slices': [{'value': 'nan'}]}
    """
    made = _restore_numbers_except(("loss", "slices", "classes", "digest"), result)
    if "loss" in made:
        made["loss"] = _restore_numbers_except(("name", "form"), made["loss"])
    if isinstance(made.get("slices"), list):
        made["slices"] = [
            _restore_numbers_except(("name", "by", "value"), x) for x in made["slices"]
        ]
    return made


def _restore_numbers_except(texts: Collection[str], value: Any) -> Any:
    """Return an object with infinities and NaN as numbers, except at some keys."""
    if not isinstance(value, Mapping):
        return value  # of a damaged file
    return {key: x if key in texts else restore_numbers(x) for key, x in value.items()}


def check_result(path: Path, result: Mapping[str, Any]) -> None:
    """Check the object of a ``metrics.json``, with infinities and NaN as numbers."""
    _validate(_StoredResult, path, result)


def check_record(path: Path, record: Mapping[str, Any]) -> None:
    """Check the object of a ``run.json``; see `check_result`."""
    _validate(_StoredRecord, path, record)


def _validate(model: type[BaseModel], path: Path, value: Mapping[str, Any]) -> None:
    try:
        model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise DataError(
            f"{path} was not written by a run, or is damaged: {place}: {first['msg']}. Run again."
        ) from None


def kept_epoch(trained: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the round, or epoch, of the model in ``training.json``."""
    kept: list[Mapping[str, Any]] = [
        epoch for epoch in trained["epochs"] if epoch["epoch"] == trained["kept"]
    ]
    return kept[0]


def kept_numbers(trained: Mapping[str, Any]) -> dict[str, Any]:
    """Return the single numbers of the model, and its skill against the baseline.

    The skill is that of held-out rows if there are any.
    """
    numbers = numbers_of_epoch(kept_epoch(trained))
    baseline = trained.get("baseline") or {}
    title, part = (HELD_OUT, "held_out") if "held_out" in baseline else ("", "train")
    skill = baseline.get(part, {}).get(SKILL)
    return numbers if skill is None else {**numbers, f"{title}{SKILL}": skill}


def unit_name_of(trained: Mapping[str, Any]) -> str:
    """Return what the model of ``training.json`` is trained by: ``"round"`` or ``"epoch"``."""
    return "epoch" if trained.get("training_mode", "epochs") == "epochs" else "round"


def numbers_of_epoch(epoch: Mapping[str, Any]) -> dict[str, Any]:
    """Return the single numbers of an epoch of ``training.json``, those of held-out rows last.

    Examples
    --------
    >>> numbers_of_epoch({"train": {"loss": 0.5, "metrics": {"recall": [1, 0]}}, "held_out": None})
    {'loss': 0.5}
    """
    numbers: dict[str, Any] = {}
    for title, part in (("", epoch["train"]), (HELD_OUT, epoch["held_out"])):
        if part is not None:
            numbers[f"{title}loss"] = part["loss"]
            numbers |= {f"{title}{name}": value for name, value in part["metrics"].items()}
    return {name: value for name, value in numbers.items() if not isinstance(value, list)}

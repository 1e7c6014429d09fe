"""The page of a run: what ran, its numbers, its loss, its rows, its mistakes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from lossfw import __version__
from lossfw.errors import LossfwError
from lossfw.report.html.confusion_matrix import matrix_of
from lossfw.report.html.images import as_images, as_uri
from lossfw.report.html.rebuild import Again
from lossfw.report.html.render import render
from lossfw.report.html.rows import confusion_of, described, reliability_of, spread_of, worst_of
from lossfw.report.html.run_plots import of_loss_itself, of_parts, of_reliability, of_spread
from lossfw.report.html.sensitivity_plots import Picture
from lossfw.report.plots.sample_curve import curve
from lossfw.report.text.rounding import as_interval, as_rounded
from lossfw.runs.compare import FinishedRun, RunNumber
from lossfw.runs.compare.finished_run import LOSS, is_number
from lossfw.runs.compare.rebuild_metrics import loss_of
from lossfw.runs.compare.rows import KeptRows
from lossfw.runs.folder import CONFIG_FILE

# More parts than this of one slice stand in the table alone.
_MOST_PARTS = 30

# From this side on an image is smoothed.
_FINE = 100


def run_page(ran: FinishedRun) -> str:
    """Return the page of a run that is done.

    Parameters
    ----------
    ran : FinishedRun
        The run. Its configuration is read again, for its loss and for the inputs
        of its worst rows; where that fails the page says so.

    Raises
    ------
    DataError
        If its rows are damaged.
    MissingExtraError
        If jinja2 or matplotlib is not installed.
    """
    again = Again(ran)
    rows = again.rows()
    spread = None if rows is None else spread_of(rows)
    loss_plots, loss_missing = _loss_plots(ran)
    parts: dict[str, Any] = {
        "loss_plots": loss_plots,
        "loss_missing": loss_missing,
        "spread": spread,
        "spread_plots": [] if spread is None else of_spread(spread),
        "worst": None if rows is None else _worst(again, rows),
        "matrix": matrix_of(_confusion(ran, rows)),
        "reliability": _reliability(ran, rows),
        "slices": list(_slices(ran)),
    }
    warnings = list(ran.record.get("warnings") or ())
    return render(
        "run.html",
        kind="lossfw run",
        title=ran.name,
        lead=" · ".join(_lead(ran)),
        sections=_sections(parts, warnings),
        foot=f"Written by lossfw {__version__} from the files of the run.",
        cards=list(_cards(ran)),
        by_class=_by_class(ran),
        level=_level(ran),
        warnings=warnings,
        missing=again.missing,
        facts=list(_facts(ran)),
        config=(ran.path / CONFIG_FILE).read_text(errors="replace"),
        **parts,
    )


def _lead(ran: FinishedRun) -> Iterator[str]:
    if ran.record.get("config"):
        yield PurePath(str(ran.record["config"])).name
    yield ran.data.partition(", digest")[0]
    yield ran.loss_name


def _sections(parts: Mapping[str, Any], warnings: list[str]) -> list[tuple[str, str]]:
    there = [
        ("result", "Result", True),
        ("warnings", "Warnings", warnings),
        ("loss", "The loss", True),
        ("rows", "Row losses", True),
        ("worst", "Worst rows", True),
        ("confusion", "Confusion", parts["matrix"]),
        ("reliability", "Reliability", parts["reliability"]),
        ("slices", "Slices", parts["slices"]),
        ("what", "What ran", True),
    ]
    return [(id_, name) for id_, name, shown in there if shown]


def _cards(ran: FinishedRun) -> Iterator[dict[str, str]]:
    for name, number in ran.numbers.items():
        if number.single or number.value is None:
            yield {
                "name": f"{ran.loss_name} (the loss)" if name == LOSS else name,
                "value": "–" if number.value is None else as_rounded(*number),
                "sub": as_interval(number.interval),
            }


def _level(ran: FinishedRun) -> str:
    """Return what the intervals are, empty where there are none."""
    told = ran.result.get("intervals")
    if not told:
        return ""
    return f"{100 * told['level']:.4g}% intervals, by the {told['method']}"


def _by_class(ran: FinishedRun) -> dict[str, Any] | None:
    """Return the metrics that are lists, class by class."""
    lists = {
        name: number
        for name, number in ran.numbers.items()
        if isinstance(number.value, list) and not any(isinstance(v, list) for v in number.value)
    }
    if not lists:
        return None
    longest = max(len(number.value) for number in lists.values())
    rows = [
        [str(index), *(_element(number, index) for number in lists.values())]
        for index in range(longest)
    ]
    return {"names": list(lists), "rows": rows}


def _element(number: RunNumber, index: int) -> str:
    if index >= len(number.value) or number.value[index] is None:
        return "–"
    interval = number.interval[index] if number.interval else None
    told = as_rounded(number.value[index], interval)
    return f"{told} ({as_interval(interval)})" if interval else told


def _loss_plots(ran: FinishedRun) -> tuple[list[Picture], str]:
    """Return the plots of the loss itself, or why there are none."""
    try:
        return of_loss_itself(curve(loss_of(ran))), ""
    except LossfwError as error:
        return [], f"The loss cannot be drawn: {error}"


def _worst(again: Again, rows: KeptRows) -> dict[str, Any]:
    worst = worst_of(rows)
    items = list(described(worst))
    inputs = again.inputs(worst.row)
    images = None if inputs is None else as_images(inputs)
    if images is None:
        return {"rows": items, "images": False, "pixelated": False}
    for item, image in zip(items, images, strict=True):
        item["image"] = as_uri(image)
    # Few pixels are shown as squares, many are smoothed.
    return {"rows": items, "images": True, "pixelated": max(images.shape[1:3]) < _FINE}


def _confusion(ran: FinishedRun, rows: KeptRows | None) -> list[list[float]] | None:
    """Return the run's own confusion matrix, or that of its rows."""
    for number in ran.numbers.values():
        value = number.value
        square = isinstance(value, list) and all(
            isinstance(row, list) and len(row) == len(value) for row in value
        )
        if square and len(value) > 1 and all(is_number(n) for row in value for n in row):
            return list(value)
    return None if rows is None else confusion_of(rows)


def _reliability(ran: FinishedRun, rows: KeptRows | None) -> Picture | None:
    """Draw the run's own reliability curve, or that of its rows."""
    keys = {"confidence", "accuracy", "weight"}
    curves = [metric.get("curve") or {} for metric in ran.result["metrics"].values()]
    own: Mapping[str, list[float]] | None = next((c for c in curves if keys <= c.keys()), None)
    if own is None and rows is not None:
        own = reliability_of(rows)
    return of_reliability(own) if own and own["weight"] else None


def _slices(ran: FinishedRun) -> Iterator[dict[str, Any]]:
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for part in ran.result.get("slices") or ():
        by_name.setdefault(part["name"], []).append(part)
    for index, (name, parts) in enumerate(by_name.items()):
        numbers = [_numbers(part) for part in parts]
        single = [m for m, n in ran.numbers.items() if n.single and any(m in x for x in numbers)]
        pictures = []
        if len(parts) <= _MOST_PARTS:
            for measure in single[:2]:
                values = [
                    (str(p["value"]), n[measure]) for p, n in zip(parts, numbers, strict=True)
                ]
                title = ran.loss_name if measure == LOSS else measure
                whole = ran.numbers[measure].value
                pictures.append(
                    of_parts(f"slice-{index}-{measure == LOSS:d}", title, values, whole)
                )
        yield {
            "name": name,
            "by": parts[0]["by"],
            "pictures": pictures,
            "measures": [ran.loss_name if m == LOSS else m for m in single],
            "rows": [
                {"value": p["value"], "count": p["count"], "numbers": [n.get(m) for m in single]}
                for p, n in zip(parts, numbers, strict=True)
            ],
        }


def _numbers(part: Mapping[str, Any]) -> dict[str, RunNumber]:
    found = {LOSS: part["loss"], **part["metrics"]}
    return {name: RunNumber(n.get("value"), n.get("interval")) for name, n in found.items()}


def _facts(ran: FinishedRun) -> Iterator[tuple[str, str]]:
    record = ran.record
    data = record.get("data") or {}
    yield "data", f"{data.get('name', '?')}, {data.get('rows', '?'):,} rows"
    if ran.result.get("sample") is not None:
        yield "sample", f"{ran.result['count']:,} rows drawn"
    units = [ran.settings.get(f"network.layers.{i}.units") for i in range(100)]
    layers = [
        f"{unit} {ran.settings.get(f'network.layers.{i}.activation', '')}".strip()
        for i, unit in enumerate(units)
        if unit is not None
    ]
    yield "network", ", ".join(layers) or "saved outputs"
    form = "logits" if ran.result["loss"]["form"] == "logits" else "predictions"
    yield "loss", f"{ran.loss_name}, from {form}"
    yield "seed", str(record.get("seed", "?"))
    if record.get("overrides"):
        yield "overrides", ", ".join(map(str, record["overrides"]))
    yield "started", str(record.get("started", "?"))
    if "seconds" in record:
        yield (
            "took",
            f"{record['seconds']:.3g} s, most of it: {_slowest(record.get('timings') or {})}",
        )
    plugins = ", ".join(f"{p['name']} {p['version']}" for p in record.get("plugins") or ())
    versions = (("lossfw", "lossfw"), ("Python", "python"), ("NumPy", "numpy"))
    yield "versions", ", ".join(f"{name} {record.get(key)}" for name, key in versions)
    yield "plugins", plugins or "none"
    git = record.get("git")
    if git:
        yield "git", f"{git['commit']}{', with changes' if git.get('dirty') else ''}"
    for name in ("weights", "digest"):
        if record.get(name):
            yield f"{name} digest" if name == "weights" else name, str(record[name])
    yield "data digest", str(data.get("digest", "?"))


def _slowest(timings: Mapping[str, float]) -> str:
    return max(timings, key=lambda name: timings[name]) if timings else "unknown"

"""The page of a run: its numbers, its loss, its rows, its mistakes, its configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePath
from typing import Any

from lossfw.data.labels import label_of
from lossfw.errors import ConfigError
from lossfw.evaluation.intervals.sentence import interval_sentence
from lossfw.losses.base import plural_of_form
from lossfw.nn.sample_curve import curve
from lossfw.report.html.picture import Picture, image_to_data_uri, to_images
from lossfw.report.html.rebuild import RebuiltRun
from lossfw.report.html.render import NumberCard, render
from lossfw.report.html.row_statistics import (
    confusion_matrix,
    describe_rows,
    loss_spread,
    matrix_cells,
    reliability_curve,
    worst_rows,
)
from lossfw.report.html.run_plots import (
    draw_loss,
    draw_regression,
    draw_reliability,
    draw_slice_parts,
    draw_spread,
)
from lossfw.report.text.tables import interval_text, rounded_text
from lossfw.runs.compare import FinishedRun, RunNumber
from lossfw.runs.compare.differences import loss_of
from lossfw.runs.compare.finished import LOSS, is_number
from lossfw.runs.files import read_json
from lossfw.runs.folder import CONFIG_FILE, TRAINING_FILE, read_texts
from lossfw.runs.rows import RowRecords
from lossfw.version import __version__

# A slice of more parts has no plot.
_MOST_PARTS = 30

# Images of at least so many pixels on a side are smoothed.
_FINE = 100


def run_page(run: FinishedRun, warn: Callable[[str], None] = lambda _: None) -> str:
    """Return the page of a finished run."""
    rebuilt = RebuiltRun(run)
    rows = rebuilt.rows()
    spread = None if rows is None else loss_spread(rows)
    loss_plots, loss_missing = _loss_plots(run, rebuilt.faults)
    parts: dict[str, Any] = {
        "loss_plots": loss_plots,
        "loss_missing": loss_missing,
        "spread": spread,
        "spread_plots": [] if spread is None else draw_spread(spread),
        "unit": "group" if rows is not None and rows.of_groups else "row",
        "worst": None if rows is None or rows.of_groups else _describe_worst_rows(rebuilt, rows),
        "matrix": matrix_cells(_confusion(run, rows), run.classes),
        "reliability": _reliability(run, rows),
        "slices": list(_slices(run)),
        "regression": [] if rows is None else draw_regression(rows),
        "texts": read_texts(run.path),
    }
    for reason, what in rebuilt.faults.items():
        warn(f"{run.name}: {what}: {reason}")
    warnings = list(run.record.get("warnings") or ())
    config, options = run.record.get("config"), run.result.get("intervals")
    level = interval_sentence(options).removesuffix(".") if options else ""
    lead = [PurePath(str(config)).name] if config else []
    lead += [run.data.partition(", digest")[0], run.loss_name]
    return render(
        "run.html",
        kind="lossfw run",
        title=run.name,
        lead=" · ".join(lead),
        sections=_sections(parts, warnings),
        foot=f"Written by lossfw {__version__} from the files of the run.",
        cards=list(_cards(run)),
        by_class=_metrics_by_class(run),
        level=level,
        warnings=warnings,
        missing=rebuilt.missing,
        facts=list(_facts(run)),
        config=(run.path / CONFIG_FILE).read_text(errors="replace"),
        **parts,
    )


def _sections(parts: Mapping[str, Any], warnings: list[str]) -> list[tuple[str, str]]:
    there = [
        ("result", "Result", True),
        ("warnings", "Warnings", warnings),
        ("loss", "The loss", True),
        ("rows", f"{parts['unit'].capitalize()} losses", True),
        ("worst", "Worst rows", parts["unit"] == "row"),
        ("confusion", "Confusion", parts["matrix"]),
        ("reliability", "Reliability", parts["reliability"]),
        ("regression", "Residuals", parts["regression"]),
        ("slices", "Slices", parts["slices"]),
        ("plugins", "Plugins", parts["texts"]),
        ("what", "Details", True),
    ]
    return [(id_, name) for id_, name, shown in there if shown]


def _cards(run: FinishedRun) -> Iterator[NumberCard]:
    for name, number in run.numbers.items():
        if number.single or number.value is None:
            title = f"{run.loss_name} (the loss)" if name == LOSS else name
            value = "–" if number.value is None else rounded_text(number.value, number.interval)
            yield NumberCard(title, value, interval_text(number.interval))


def _metrics_by_class(run: FinishedRun) -> dict[str, Any] | None:
    """Return the metrics that are lists, class by class."""
    lists = {
        name: number
        for name, number in run.numbers.items()
        if isinstance(number.value, list) and not any(isinstance(v, list) for v in number.value)
    }
    if not lists:
        return None
    longest = max(len(number.value) for number in lists.values())
    rows = [
        [label_of(run.classes, index), *(_element_text(number, index) for number in lists.values())]
        for index in range(longest)
    ]
    return {"names": list(lists), "rows": rows}


def _element_text(number: RunNumber, index: int) -> str:
    if index >= len(number.value) or number.value[index] is None:
        return "–"
    interval = number.interval[index] if number.interval else None
    text = rounded_text(number.value[index], interval)
    return f"{text} ({interval_text(interval)})" if interval else text


def _loss_plots(run: FinishedRun, warnings: dict[str, str]) -> tuple[list[Picture], str]:
    """Return the plots of the loss, or the reason why there are none, which goes to `warnings`."""
    try:
        return draw_loss(curve(loss_of(run))), ""
    except ConfigError as error:
        warnings.setdefault(str(error), "The loss cannot be drawn")
        why = "a plugin was not loaded for this page" if run.not_imported else "it cannot be made"
        return [], f"The loss cannot be drawn: {why}."
    except Exception as error:
        # A plugin may raise anything at the points of a line, and the page has other parts.
        return [], f"The loss cannot be drawn: {str(error) or type(error).__name__}"


def _describe_worst_rows(rebuilt: RebuiltRun, rows: RowRecords) -> dict[str, Any]:
    worst = worst_rows(rows)
    inputs, names = rebuilt.inputs(worst.row)
    items = list(describe_rows(worst, inputs, rebuilt.run.classes, names))
    found = {"rows": items, "columns": list(rows.columns)}
    images = None if inputs is None else to_images(inputs)
    if images is None:
        return {**found, "images": False, "pixelated": False}
    for item, image in zip(items, images, strict=True):
        item["image"] = image_to_data_uri(image)
    # An image of few pixels is shown as squares.
    return {**found, "images": True, "pixelated": max(images.shape[1:3]) < _FINE}


def _confusion(run: FinishedRun, rows: RowRecords | None) -> list[list[float]] | None:
    """Return the confusion matrix among the metrics, or that of the rows."""
    for number in run.numbers.values():
        value = number.value
        square = isinstance(value, list) and all(
            isinstance(row, list) and len(row) == len(value) for row in value
        )
        if square and len(value) > 1 and all(is_number(n) for row in value for n in row):
            return list(value)
    return None if rows is None else confusion_matrix(rows)


def _reliability(run: FinishedRun, rows: RowRecords | None) -> Picture | None:
    """Draw the reliability curve among the metrics, or that of the rows."""
    keys = {"confidence", "accuracy", "weight"}
    curves = [metric.get("curve") or {} for metric in run.result["metrics"].values()]
    own: Mapping[str, list[float]] | None = next((c for c in curves if keys <= c.keys()), None)
    if own is None and rows is not None:
        own = reliability_curve(rows)
    return draw_reliability(own) if own and own["weight"] else None


def _slices(run: FinishedRun) -> Iterator[dict[str, Any]]:
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for part in run.result.get("slices") or ():
        by_name.setdefault(part["name"], []).append(part)
    for index, (name, parts) in enumerate(by_name.items()):
        numbers = [_number_cards(part) for part in parts]
        single = [m for m, n in run.numbers.items() if n.single and any(m in x for x in numbers)]
        titles = {measure: run.loss_name if measure == LOSS else measure for measure in single}
        pairs = list(zip(parts, numbers, strict=True))
        pictures = [
            draw_slice_parts(
                f"slice-{index}-{m == LOSS:d}",
                titles[m],
                [(str(part["value"]), own[m]) for part, own in pairs],
                run.numbers[m].value,
            )
            for m in (single[:2] if len(parts) <= _MOST_PARTS else ())
        ]
        yield {
            "name": name,
            "by": parts[0]["by"],
            "pictures": pictures,
            "measures": list(titles.values()),
            "rows": [
                {
                    "value": part["value"],
                    "count": part["count"],
                    "numbers": [own.get(m) for m in single],
                }
                for part, own in pairs
            ],
        }


def _number_cards(part: Mapping[str, Any]) -> dict[str, RunNumber]:
    numbers = {LOSS: part["loss"], **part["metrics"]}
    return {name: RunNumber(n.get("value"), n.get("interval")) for name, n in numbers.items()}


def layers_in_words(settings: Mapping[str, Any]) -> str:
    """Return the layers of a network in words, from the keys of its configuration."""
    units = [settings.get(f"network.layers.{i}.units") for i in range(100)]
    layers = [
        f"{unit} {settings.get(f'network.layers.{i}.activation', '')}".strip()
        for i, unit in enumerate(units)
        if unit is not None
    ]
    return ", ".join(layers)


def _fold_inputs(run: FinishedRun) -> str:
    """Return the inputs of the trainings whose held-out rows are those of a run, in words."""
    trained = read_json(run.path / "fold=0" / TRAINING_FILE)
    return str((trained or {}).get("inputs", ""))


def _facts(run: FinishedRun) -> Iterator[tuple[str, str]]:
    record = run.record
    data = record.get("data") or {}
    rows = "?" if data.get("rows") is None else f"{data['rows']:,}"
    yield "data", f"{data.get('name', '?')}, {rows} rows"
    if inputs := data.get("inputs") or _fold_inputs(run):
        yield "inputs", inputs
    if run.result.get("sample") is not None:
        yield "sample", f"{run.result['count']:,} rows drawn"
    folds = run.settings.get("train.hold_out.folds")
    saved = (
        f"{folds} folds, each row by the model that has not seen it" if folds else "saved outputs"
    )
    if "model" in run.settings:
        made = record.get("model") or {}
        yield "model", made.get("is") or f"{run.settings['model']}, {saved}"
        if made.get("library"):
            yield "library", made["library"]
    else:
        layers = layers_in_words(run.settings)
        yield "network", ", ".join(filter(None, [layers, saved if folds else ""])) or saved
    yield "loss", f"{run.loss_name}, from {plural_of_form(run.result['loss']['form'])}"
    yield "seed", str(record.get("seed", "?"))
    if record.get("overrides"):
        yield "overrides", ", ".join(map(str, record["overrides"]))
    yield "started", str(record.get("started", "?"))
    if "seconds" in record:
        timings = record.get("timings") or {}
        slowest = max(timings, key=lambda name: timings[name]) if timings else "unknown"
        yield "took", f"{record['seconds']:.3g} s, most of it: {slowest}"
    plugins = ", ".join(f"{p['name']} {p['version']}" for p in record.get("plugins") or ())
    yield "versions", versions_text(record)
    yield "plugins", plugins or "none"
    git = record.get("git")
    if git:
        yield "git", f"{git['commit']}{', with changes' if git.get('dirty') else ''}"
    for name in ("weights", "digest"):
        if record.get(name):
            weights = "model" if record.get("model") else "weights"
            yield f"{weights} digest" if name == "weights" else name, str(record[name])
    yield "data digest", str(data.get("digest", "?"))


def versions_text(record: Mapping[str, Any]) -> str:
    """Return the versions in a record in words; ``?`` for one that an older release left out."""
    names = (("lossfw", "lossfw"), ("Python", "python"), ("NumPy", "numpy"))
    return ", ".join(f"{name} {record.get(key, '?')}" for name, key in names)

"""The page of a training: its learning curves, and the weights of layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from lossfw.data.weights import read_weights
from lossfw.errors import DataError
from lossfw.models.card import CARD_FILE, Card, sha256
from lossfw.models.training.dense import WEIGHTS_FILE
from lossfw.numerics.arrays import NDArray
from lossfw.report.html.picture import Picture, page_axes, to_picture
from lossfw.report.html.render import NumberCard, breakable, render
from lossfw.report.html.run import layers_in_words, versions_text
from lossfw.report.plots.style import INK, PAGE, use_log_scale
from lossfw.report.text.tables import number_text
from lossfw.report.text.training import STOPPED, baseline_text
from lossfw.runs.compare.settings import flatten_settings, read_settings
from lossfw.runs.files import read_json, restore_numbers
from lossfw.runs.folder import CONFIG_FILE, TRAINING_FILE
from lossfw.runs.stored import HELD_OUT, kept_numbers, numbers_of_epoch, unit_name_of
from lossfw.version import __version__

_HEIGHT = 3.4
_BINS = 40
# Where the rows come from, in the keys of a source.
_DATA_KEYS = ("data.file", "data.path", "data.inputs", "data.images", "data.split")
# A larger ratio of the largest to the smallest loss has a logarithmic axis.
_WIDE = 100.0


def training_page(folder: Path) -> str:
    """Return the page of a training, from its folder."""
    plain = read_json(folder / TRAINING_FILE)
    if plain is None:
        raise DataError(f"{folder} holds no training: it has no {TRAINING_FILE}.")
    try:
        trained = restore_numbers(plain)
        epochs = trained["epochs"]
        # Other models have none.
        weights = {} if "model" in trained else read_weights(folder / WEIGHTS_FILE)
        measured = f"{unit_name_of(trained)}s".capitalize()
        return render(
            "training.html",
            kind="lossfw training",
            title=folder.absolute().name,
            lead=breakable(_lead(trained)),
            sections=[
                ("result", "Result"),
                ("curves", "Learning curves"),
                *([("weights", "Weights")] if weights else []),
                ("epochs", measured),
                ("what", "Details"),
            ],
            foot=f"Written by lossfw {__version__}.",
            cards=[
                NumberCard(name, number_text(value))
                for name, value in kept_numbers(trained).items()
            ],
            curves=list(_curve_pictures(epochs, trained)),
            layers=list(_layer_rows(weights, trained["moved"])),
            histograms=list(_weight_histograms(weights)),
            measured=measured,
            headers=[unit_name_of(trained), "rate", *numbers_of_epoch(epochs[0])],
            epochs=[_row(epoch) for epoch in epochs],
            facts=list(_facts(folder, trained)),
            config=(folder / CONFIG_FILE).read_text(errors="replace"),
        )
    except (KeyError, TypeError, IndexError, ValueError) as error:
        raise DataError(f"{folder / TRAINING_FILE} is damaged ({error!r}): train again.") from None


def _lead(trained: Mapping[str, Any]) -> str:
    word, model = unit_name_of(trained), trained.get("model")
    name = f"{model['name']} · " if model else ""
    inputs = f"{told} · " if (told := trained.get("inputs")) else ""
    return (
        f"{name}{trained['loss']['name']}, from {trained['loss']['form']} · {inputs}"
        f"{trained['epochs'][-1]['epoch']} {word}s · {STOPPED[trained['stopped']]} · "
        f"{'model' if model else 'weights'} of {word} {trained['kept']}"
    )


def _facts(folder: Path, trained: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what tells this training from another one."""
    settings = flatten_settings(read_settings(folder / CONFIG_FILE))
    files = [str(settings[key]) for key in _DATA_KEYS if key in settings]
    yield "data", " · ".join([str(settings.get("data", "?")), *files])
    card = Card.read(folder / CARD_FILE)
    if layers := layers_in_words(settings):
        yield "network", layers
    if card is not None:
        yield "library", card.library
    yield "loss", f"{trained['loss']['name']}, from {trained['loss']['form']}"
    if (baseline := trained.get("baseline")) is not None:
        yield "baseline", baseline_text(baseline)
    if "train.optimizer" in settings:
        yield "optimizer", str(settings["train.optimizer"])
    yield "seed", str(settings.get("seed", "?"))
    saved = folder / (card.file if card is not None and card.file else WEIGHTS_FILE)
    if saved.is_file():
        yield f"SHA-256 of {saved.name}", sha256(saved.read_bytes())
    yield "versions", versions_text(trained.get("versions", {}))
    ended = datetime.fromtimestamp((folder / TRAINING_FILE).stat().st_mtime, UTC)
    yield f"{TRAINING_FILE} written", f"{ended:%Y-%m-%d %H:%M:%S} UTC"
    yield "digest", f"{trained['digest']} of configuration, plugins and data"


def _row(epoch: Mapping[str, Any]) -> list[str]:
    return [
        str(epoch["epoch"]),
        # Before the first step there is none.
        number_text(epoch["rate"]) if epoch["rate"] else "",
        *(number_text(value) for _, value in numbers_of_epoch(epoch).items()),
    ]


def _curve_pictures(
    epochs: Sequence[Mapping[str, Any]], trained: Mapping[str, Any]
) -> Iterator[Picture]:
    """Yield a picture of the loss and of each metric over the rounds or epochs."""
    names = [name for name in numbers_of_epoch(epochs[0]) if not name.startswith(HELD_OUT)]
    for place, name in enumerate(names):
        lines = {
            title: [numbers_of_epoch(epoch).get(f"{prefix}{name}") for epoch in epochs]
            for title, prefix in (("train", ""), ("held out", HELD_OUT))
        }
        known = {title: values for title, values in lines.items() if values[0] is not None}
        yield _curve_picture(name, [epoch["epoch"] for epoch in epochs], known, trained, place)


def needs_log_scale(numbers: Any) -> bool:
    """Tell whether numbers need a logarithmic axis."""
    values = np.asarray(numbers, float)
    positive = values[values > 0]
    return bool(positive.size == values.size and positive.max() > _WIDE * positive.min())


def _curve_picture(
    name: str,
    measured: Sequence[int],
    lines: Mapping[str, Sequence[Any]],
    trained: Mapping[str, Any],
    place: int,
) -> Picture:
    kept, word = trained["kept"], unit_name_of(trained)
    with page_axes(_HEIGHT) as axes:
        for index, (title, line) in enumerate(lines.items()):
            axes.plot(measured, line, label=title, linewidth=1.6, **PAGE.line_style(index))
        axes.axvline(kept, color=INK, linewidth=0.9, linestyle=(0, (2, 2)))
        if needs_log_scale([*lines.values()]):
            use_log_scale(axes, "y")
        axes.set(title=name, xlabel=word)
        axes.locator_params(axis="x", integer=True)
        if len(lines) > 1:
            axes.legend()
        ends = "; ".join(
            f"{title} from {number_text(line[0])} to {number_text(line[measured.index(kept)])}"
            for title, line in lines.items()
        )
        what = "model is" if "model" in trained else "weights are"
        caption = f"{name} after each {word}: {ends} in {word} {kept}, whose {what} kept."
        return to_picture(axes.figure, f"curve-{place}", name, caption)


def _layer_rows(weights: Mapping[str, NDArray], moved: Sequence[float]) -> Iterator[list[str]]:
    """Yield a row of the table of layers."""
    for number, most in enumerate(moved):
        weight, bias = weights[f"W{number + 1}"], weights[f"b{number + 1}"]
        shape = f"{weight.shape[0]} × {weight.shape[1]}"
        spread = (weight.mean(dtype=float), weight.std(dtype=float), np.abs(weight).max())
        cells = [*map(float, spread), float(np.abs(bias).max()), most]
        yield [f"layers.{number}", shape, *map(number_text, cells)]


def _weight_histograms(weights: Mapping[str, NDArray]) -> Iterator[Picture]:
    """Yield a histogram of the weights of each layer."""
    names = sorted((n for n in weights if n.startswith("W")), key=lambda name: int(name[1:]))
    for number, name in enumerate(names):
        values = weights[name].ravel().astype(float)
        with page_axes(_HEIGHT - 0.6) as axes:
            axes.hist(values, _BINS, color=PAGE.colours[number % len(PAGE.colours)])
            title = f"weights of layers.{number}"
            axes.set(title=title, ylabel="weights")
            axes.grid(visible=False, axis="x")
            caption = (
                f"The {values.size:,} weights of layers.{number}, from {values.min():.3g} to "
                f"{values.max():.3g}."
            )
            yield to_picture(axes.figure, f"weights-{number}", title, caption)

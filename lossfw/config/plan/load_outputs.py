"""Load the source of the outputs: layers with weights, saved outputs, or a model of any library."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lossfw.components.registry.blame import place_in_plugin
from lossfw.config.schema.checked import CheckedConfig, ConfigPath, require
from lossfw.config.schema.messages import first_index_in
from lossfw.config.schema.output_origin import OutputOrigin
from lossfw.config.text.reading import find_file
from lossfw.config.text.tree import Node
from lossfw.data.arrays import read_array
from lossfw.data.data_record import DataRecord
from lossfw.data.literals import numbers_array
from lossfw.data.weights import read_weights
from lossfw.errors import LossfwError, MissingExtraError, UnknownNameError
from lossfw.models import Model, ModelParameterError
from lossfw.models.predictions import Predictions
from lossfw.nn.dense import Network
from lossfw.numerics.arrays import NDArray


def load_outputs(config: CheckedConfig) -> None:
    """Fill the source of the outputs, or the outputs, if nothing is wrong."""
    if isinstance(config.model, Predictions):
        _read_predictions(config, config.model)
    elif config.model is not None:
        _load_model(config, config.model)
    else:
        _read_outputs(config, configured_outputs(config))


def configured_outputs(config: CheckedConfig) -> Path | NDArray | None:
    """Return the file of weights or saved outputs, or inline outputs.

    `files` gets the file's absolute name, unless it comes with a plugin.
    """
    for key in ("weights", "predictions", "raw_outputs"):
        node = config.root.find(["network", key])
        if node is None or not node.value:
            continue
        if isinstance(node.value, list):
            return _inline_outputs(config, key, node)
        if isinstance(node.value, str):
            return _outputs_file(config, key, node)
    return None


def _outputs_file(config: CheckedConfig, key: str, node: Node) -> Path | None:
    source = config.data_spec.source
    # A source that is wrong itself may be the one that brings the weights.
    if key == "weights" and source is None:
        return None
    bundled = source.bundled_file if key == "weights" and source is not None else None
    path = find_file(node, config.problems, bundled=bundled)
    if path is not None and (bundled is None or path != bundled(node.value)):
        config.files["network", key] = str(path)
    return path


def _inline_outputs(config: CheckedConfig, key: str, node: Node) -> NDArray | None:
    try:
        return numbers_array(node.to_plain(), finite=False)
    except ValueError as error:
        what = f"network.{key} should be {error}"
        config.add(["network", key, *first_index_in(str(error))], what)
        return None


def _read_outputs(config: CheckedConfig, configured: Path | NDArray | None) -> None:
    """Read weights and check them against the layers, or read saved outputs."""
    section = config.network_section
    if configured is None or section is None:
        return
    if not isinstance(configured, Path):
        config.outputs = configured
        return
    form = section.form
    with config.errors_at(["network", "weights" if form == "layers" else form]):
        if form != "layers":
            config.outputs = read_array(configured, form)
        elif config.layers is not None:
            arrays = read_weights(configured)
            config.recorded = DataRecord.read(configured)
            config.predictor = Network.from_arrays(
                config.layers, arrays, str(configured), section.dtype
            )


def _load_model(config: CheckedConfig, model: Model) -> None:
    """Load a trained model, with what the card beside its file says of the data."""
    if model.file is None:
        hint = "name the file of a trained model"
        if model.training_mode is not None:
            hint += f", which `lossfw train` writes: file: FOLDER/{model.file_name}"
        config.add(["model"], f"the model {model.name} has no file", hint)
        return
    with record_model_errors(config):
        try:
            predictor = model.load_predictor()
        except LossfwError:
            raise
        except NotImplementedError as error:
            config.add(["model"], str(error).removesuffix("."))
            return
        except Exception as error:
            if not (place := place_in_plugin(error)):
                raise
            raised = " ".join(f"{type(error).__name__}: {error}".split())
            config.add(
                ["model"], f"load() of the model {model.name} raised {raised}", f"see {place}"
            )
            return
        predictor.resolve_activation(require(config.registry))
        config.predictor = predictor
        of_file = predictor.output_activation is not None and not predictor.activation_is_assumed
        is_told = model.output_activation is None and of_file
        config.origin = OutputOrigin.from_model(
            ["model"], predictor.output_activation, predictor.units, is_told=is_told
        )
        config.notes += predictor.notes
        card = predictor.card
        told = DataRecord(predictor.classes, predictor.columns, categories=predictor.categories)
        config.recorded = told if card is None else card.record


@contextmanager
def record_model_errors(
    config: CheckedConfig, default_path: ConfigPath = ("model", "file")
) -> Iterator[None]:
    """Record an error of a model in the ``with`` block at the parameter that causes it."""
    with config.errors_at(default_path):
        try:
            yield
        except ModelParameterError as error:
            with config.errors_at(["model", error.parameter]):
                raise
        except UnknownNameError:
            with config.errors_at(["model", "output_activation"]):
                raise
        except MissingExtraError as error:
            config.add(["model"], str(error).removesuffix("."))


def _read_predictions(config: CheckedConfig, model: Predictions) -> None:
    with record_model_errors(config):
        registry, name = require(config.registry), model.output_activation
        output_activation = None if name is None else registry.create("activation", name)
        config.origin = OutputOrigin.from_saved(["model", "file"], "prediction", output_activation)
        config.outputs = model.read()

"""Keras: a model built by a Python file, evaluated and trained on PyTorch or JAX."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from lossfw import DataError, Loss, LossfwError, NDArray, RunError
from lossfw.models import (
    Card,
    ModelParameterError,
    Predictor,
    TrainingLeg,
    code_digest,
    code_format,
    temporary_folder,
)
from lossfw_std.bridges import bridge_to
from lossfw_std.models.code_network import CodeNetwork, torch_threads
from lossfw_std.models.epochs import check_loss, check_units, predict_raw, steps_of
from lossfw_std.models.keras_weights import OPTIMIZER, read_arrays, write_weights

_SEED = "seed_generator_state"


class Keras(CodeNetwork):
    """A Keras model, from the function that builds it and a weights file, or from a whole file.

    Use it to train a Keras network with a lossfw loss, or to evaluate one.

    Parameters
    ----------
    module : str, optional
        The function that returns the model, in a Python file: ``net.py:build``. The model takes
        rows (N, ...), and returns raw outputs (N, units).
    arguments : mapping
        The arguments of the function. If its parameter ``inputs`` has neither a default nor an
        argument, it gets the number of inputs per row.
    file : file
        Weights in ``.weights.h5``, which a training starts from; or a whole model in ``.keras``,
        which needs no `module` and is executed as code.
    output_activation : str, optional
        The activation that turns the model's outputs into predictions. Without it, the outputs are
        predictions.
    optimizer : str or mapping
        The name of an optimizer in ``keras.optimizers``, or a mapping with name and arguments:
        ``{name: SGD, momentum: 0.9}``.
    learning_rate : float
        The learning rate before the schedule of the training changes it.

    Notes
    -----
    Keras runs on its configured backend, PyTorch or JAX. PyTorch uses one thread, JAX as many as it
    wants. Each epoch has its own seed, for the order of the rows and for random layers, such as
    dropout. ``model.load_weights`` reads the file that a training writes.

    Examples
    --------
    >>> Keras(module="net.py:build", arguments={"width": 4}).to_config()
    {'name': 'keras', 'module': 'net.py:build', 'arguments': {'width': 4}}
    """

    name: ClassVar[str] = "keras"
    library: ClassVar[str] = "keras"
    extra: ClassVar[str] = "keras"
    ending: ClassVar[str] = ".weights.h5"
    optimizers: ClassVar[str] = "keras.optimizers"
    example: ClassVar[str] = "net.py:make"

    @classmethod
    def imported(cls, module: str = "") -> Any:
        """Return Keras; see the bridge for a backend that is not installed."""
        return bridge_to("keras", "keras_bridge").KerasBridge.imported(module)

    def refusal(self, loss: Loss) -> str | None:
        """Return why a loss cannot be trained on: of groups, or without gradients."""
        if loss.takes_groups:
            return (
                f"{loss.name} is a loss of groups of rows, but Keras takes a group as one row of a "
                "batch. Choose the model torch, which takes whole groups."
            )
        return super().refusal(loss)

    def output_count(self, row_shape: tuple[int, ...]) -> int:
        """Build model and optimizer, and return the number of outputs per row."""
        self.build_optimizer(learning_rate=self.learning_rate)
        predictor = self._predictor(self._build_net(row_shape), b"", None)
        if predictor.row_shape != row_shape:
            raise ModelParameterError(
                "module",
                f"{self.title} takes rows of shape {predictor.row_shape}, but those of the data "
                f"have {row_shape}: change its arguments.",
            )
        return predictor.units

    def load(self, content: bytes, card: Card | None) -> Predictor:
        """Return the model with the weights of a file, or a whole model."""
        if code_format(content) == "keras":
            with _temporary_file(content, "model.keras") as path:
                net = self.imported("keras.saving").load_model(path, compile=False, safe_mode=False)
            return self._predictor(net, content, card)
        net = self._build_net(None if card is None else card.row_shape)
        self._load_weights(net, content)
        # The code decides the outputs as well.
        return self._predictor(net, content + code_digest(self.module or "").encode(), card)

    def fit(self, leg: TrainingLeg) -> bytes:
        """Train epochs, each with its own seed."""
        if leg.saved is None:
            inputs: Any = leg.data.inputs
            check_units(self.output_count(inputs.shape[1:]), leg)
        with self._one_thread():
            self.imported("keras.utils").set_random_seed(leg.seed)
            # JAX takes seconds to compile a step: the model of the leg before is filled with what
            # that has saved, and with a seed of its own, as if it were a new one.
            if (net := leg.cache.get("net")) is None:
                net = leg.cache["net"] = self._compile_network(leg)
            if (saved := self.starting_content(leg)) is not None:
                self._load_weights(net, saved)
            self._seed_layers(net, leg.seed)
            predictor = self._predictor(net, b"", None)
            for epoch in range(leg.rounds):
                rate = self._train_epoch(leg, epoch, net)
                # The saved model would give the same, and JAX would compile it again.
                needed = leg.measures(leg.first + epoch + 1)
                parts = (leg.data, leg.held_out)
                raw = [predict_raw(predictor, data) if needed else None for data in parts]
                if leg.report_round(*raw, rate):
                    break
            return self._weights_content(net)

    def cut(self, content: bytes, rounds: int) -> bytes:
        """Return the file without the state of the optimizer, which further epochs need."""
        h5py = self.imported("h5py")
        arrays = read_arrays(h5py, content, self.file_title)
        return write_weights(h5py, {k: x for k, x in arrays.items() if not k.startswith(OPTIMIZER)})

    def _build_net(self, row_shape: tuple[int, ...] | None = None) -> Any:
        """Return the model with its first weights, for rows of a shape."""
        net = self.build_network(
            self.imported().Model,
            "keras.Model: name a function that returns one",
            "a weights file needs the function that builds the model: write module: net.py:build, "
            "and its arguments",
            row_shape,
        )
        if not net.built:
            raise ModelParameterError(
                "module",
                f"{self.title} made a model whose inputs have no shape yet: start it with "
                "keras.layers.Input((4,)), for rows of 4 numbers.",
            )
        return net

    def _compile_network(self, leg: TrainingLeg) -> Any:
        bridge = bridge_to("keras")
        inputs: Any = leg.data.inputs
        net = self._build_net(inputs.shape[1:])
        fuse = leg.raw_loss is not leg.loss
        criterion = bridge.loss(leg.loss, fuse=fuse, reduction="mean_with_sample_weight")
        net.compile(self.build_optimizer(learning_rate=self.learning_rate), criterion)
        net.optimizer.build(net.trainable_variables)
        return net

    def optimizer_names(self, library: Any) -> Iterable[str]:
        """Return the names of all optimizers."""
        base = library.Optimizer
        for name, value in vars(library).items():
            if inspect.isclass(value) and issubclass(value, base) and value is not base:
                yield name

    def _train_epoch(self, leg: TrainingLeg, epoch: int, net: Any) -> float:
        """Take the steps of an epoch; return the last learning rate."""
        rate, dtype = self.learning_rate, net.inputs[0].dtype
        for step in steps_of(leg, epoch, self.learning_rate):
            net.optimizer.learning_rate = rate = step.learning_rate
            net.reset_metrics()
            inputs = step.inputs.astype(dtype)
            try:
                loss = net.train_on_batch(inputs, step.targets, sample_weight=step.sample_weight)
            except LossfwError:
                raise
            except Exception as error:
                # JAX, which compiles the step, ends its message with that of the loss.
                message = " ".join(str(error).split())[-500:]
                raise RunError(f"{self.title} cannot be trained: {message}") from None
            check_loss(float(loss), leg, epoch, step)
            leg.report_rows(step.done)
        return rate

    def _load_weights(self, net: Any, content: bytes) -> None:
        """Give a model the weights of a file, and its optimizer the state that is there."""
        h5py = self.imported("h5py")
        with _temporary_file(b"", "model.weights.h5") as path:
            net.save_weights(path)
            own = read_arrays(h5py, path.read_bytes(), self.title)
        shapes = {name: array.shape for name, array in own.items()}
        arrays = read_arrays(h5py, content, self.file_title, shapes, self.title)
        with (
            _temporary_file(write_weights(h5py, arrays), "model.weights.h5") as path,
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")  # that a file of weights has no optimizer
            try:
                net.load_weights(path)
            except (ValueError, KeyError) as error:
                message = " ".join(str(error).split("Target variable")[0].split())
                raise DataError(
                    f"{self.file_title} does not fit {self.title}: {message:.300} Check module and "
                    "arguments."
                ) from None

    def _weights_content(self, net: Any) -> bytes:
        h5py = self.imported("h5py")
        with _temporary_file(b"", "model.weights.h5") as path:
            net.save_weights(path)
            return write_weights(h5py, read_arrays(h5py, path.read_bytes(), self.title))

    def _seed_layers(self, net: Any, seed: int) -> None:
        """Set what the layers draw in the next epoch."""
        drawing = [variable for variable in net.variables if variable.path.endswith(_SEED)]
        for number, variable in enumerate(drawing):
            variable.assign(np.array([seed, number], variable.dtype))

    def _one_thread(self) -> AbstractContextManager[None]:
        """Let PyTorch use one thread inside the ``with`` block, if Keras runs on it."""
        is_torch = self.imported().backend.backend() == "torch"
        return torch_threads(self.imported("torch"), 1) if is_torch else nullcontext()

    def _predictor(self, net: Any, content: bytes, card: Card | None) -> Predictor:
        if len(net.inputs) != 1 or len(net.outputs) != 1 or len(net.output_shape) != 2:
            raise DataError(
                f"{self.title} has inputs of shape {net.input_shape} and outputs of shape "
                f"{net.output_shape}; expected one of each, and outputs (None, units)."
            )
        row_shape = tuple(net.input_shape[1:])
        if None in row_shape:
            raise DataError(
                f"{self.title} takes rows of shape {row_shape}: start it with their lengths, such "
                "as keras.layers.Input((32, 32, 3))."
            )

        def raw_outputs(block: NDArray) -> NDArray:
            outputs: NDArray = net.predict_on_batch(block)
            return outputs

        return Predictor(
            f"keras ({self.title})",
            content,
            row_shape,
            int(net.output_shape[1]),
            raw_outputs,
            self.activation_with(card),
            dtype=str(net.inputs[0].dtype),
            pads=True,
            shared=False,
            call_context=self._one_thread,
        )


@contextmanager
def _temporary_file(content: bytes, name: str) -> Iterator[Path]:
    """Return the path of a file with some content, which is removed afterwards."""
    with temporary_folder() as folder:
        path = folder / name
        path.write_bytes(content)
        yield path

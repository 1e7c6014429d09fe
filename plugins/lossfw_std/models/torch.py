"""PyTorch: a module from a Python file, evaluated and trained."""

from __future__ import annotations

import inspect
import io
from collections.abc import Iterable
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import PositiveInt

from lossfw import DataError, NDArray, ShapeError
from lossfw.models import (
    Card,
    ModelParameterError,
    Predictor,
    TrainingLeg,
    code_digest,
    code_format,
)
from lossfw_std.bridges import bridge_to
from lossfw_std.models.code_network import CodeNetwork, torch_threads
from lossfw_std.models.epochs import check_loss, check_units, predict_raw, steps_of
from lossfw_std.models.torch_state import TorchState, optimizer_state

# Optimizers whose step needs more than gradients that are there.
_OTHER_STEPS = ("LBFGS", "SparseAdam")

# How files of `torch.save` begin: archives, and pickles of earlier versions.
_SAVED_BY_TORCH = (b"PK\x03\x04", b"\x80\x02")


class Torch(CodeNetwork):
    """A PyTorch module, from its class and a weights file, or from an exported program.

    Use it to train your own network with a lossfw loss, or to evaluate it.

    Parameters
    ----------
    module : str, optional
        The class of the module, or a function that returns one, in a Python file: ``net.py:Net``.
        It takes rows (N, ...), and returns raw outputs (N, units).
    arguments : mapping
        The arguments of the class. If its parameter ``inputs`` has neither a default nor an
        argument, it gets the number of inputs per row.
    file : file
        Weights, a state dict in ``.safetensors``, which a training starts from; or a program of
        ``torch.export`` in ``.pt2``, which needs no `module` and is executed as code.
    output_activation : str, optional
        The activation that turns the module's outputs into predictions. Without it, the outputs are
        predictions.
    optimizer : str or mapping
        The name of an optimizer in ``torch.optim``, or a mapping with name and arguments: ``{name:
        SGD, momentum: 0.9}``.
    learning_rate : float
        The learning rate before the schedule of the training changes it.
    device : {"auto", "cpu", "cuda"}
        ``auto`` uses a GPU if there is one. Only on a CPU do results repeat to the bit.
    threads : int
        Number of PyTorch threads in a training. Another number changes last digits.
    dtype : {"float32", "float64"}
        The dtype of weights and inputs.
    row_shape : list of int, optional
        The shape of the inputs of a row, if a file that lossfw did not write does not state it.

    Notes
    -----
    Each epoch has its own seed, for the order of the rows and for random layers, such as dropout.
    The file that a training writes is a state dict, which ``safetensors.torch.load_file`` reads. An
    evaluation runs in ``eval()`` mode.

    Examples
    --------
    >>> Torch(module="net.py:Net", optimizer={"name": "SGD", "momentum": 0.9}).to_config()
    {'name': 'torch', 'module': 'net.py:Net', 'optimizer': {'name': 'SGD', 'momentum': 0.9}}
    """

    name: ClassVar[str] = "torch"
    library: ClassVar[str] = "torch"
    extra: ClassVar[str] = "torch"
    ending: ClassVar[str] = ".safetensors"
    optimizers: ClassVar[str] = "torch.optim"

    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: PositiveInt = 1
    dtype: Literal["float32", "float64"] = "float32"
    row_shape: tuple[PositiveInt, ...] | None = None

    def identity(self) -> dict[str, Any]:
        """Return what determines a training, with the device that `auto` chose."""
        return super().identity() | {"device": self._device}

    def output_count(self, row_shape: tuple[int, ...]) -> int:
        """Build module and optimizer, and return the number of outputs for rows of zeros."""
        torch = self.imported()
        with torch_threads(torch, 1), torch.random.fork_rng(), torch.inference_mode():
            net = self._build_net(row_shape).eval()
            self.build_optimizer(net.parameters(), lr=self.learning_rate)
            try:
                return _units(self._forward(net, np.zeros((2, *row_shape))))
            except ShapeError as error:
                raise ModelParameterError("module", str(error)) from None

    def load(self, content: bytes, card: Card | None) -> Predictor:
        """Return the module with the weights of a file, or an exported program."""
        if code_format(content) == "pt2":
            program = self.imported("torch.export").load(io.BytesIO(content))
            return self._predictor(program.module(), _stated_shape(program), content, card)
        if self.module is None:
            self._build_net(None)  # says what is missing
        state = self._state(content)
        net = self._build_net(self.row_shape or state.row_shape)
        _load_weights(net, state, f"{self.file_title} does not fit {self.title}")
        row_shape = self.row_shape or state.row_shape or _row_shape(net)
        if row_shape is None:
            raise ModelParameterError(
                "row_shape",
                f"{self.file_title} does not state the shape of a row of inputs: write it, such as "
                "row_shape: [3, 32, 32]",
            )
        # The code decides the outputs as well.
        return self._predictor(
            net, row_shape, content + code_digest(self.module or "").encode(), card
        )

    def fit(self, leg: TrainingLeg) -> bytes:
        """Train epochs, each with a seed of its own."""
        torch = self.imported()
        if leg.saved is None:
            check_units(self.output_count(_row_shape_of(leg)), leg)
        with torch_threads(torch, self.threads), torch.random.fork_rng():
            torch.manual_seed(leg.seed)
            net = self._build_net(_row_shape_of(leg))
            optimizer = self.build_optimizer(net.parameters(), lr=self.learning_rate)
            if (saved := self.starting_content(leg)) is not None:
                state = self._state(saved)
                _load_weights(net, state, f"{self.file_title} does not fit {self.title}")
                groups = optimizer.state_dict()["param_groups"]
                optimizer.load_state_dict({"state": state.optimizer, "param_groups": groups})
            criterion = bridge_to("torch").module(leg.loss, fuse=leg.raw_loss is not leg.loss)
            for epoch in range(leg.rounds):
                rate = self._train_epoch(leg, epoch, net, optimizer, criterion)
                if leg.report_round(*self._outputs(leg, epoch, net), rate):
                    break
            kept = optimizer_state(optimizer, type(optimizer).__name__)
            return TorchState(net.state_dict(), kept, _row_shape_of(leg)).to_bytes()

    def cut(self, content: bytes, rounds: int) -> bytes:
        """Return the file without the state of the optimizer, which further epochs need."""
        return self._state(content)._replace(optimizer={}).to_bytes()

    @property
    def _device(self) -> str:
        has_card = self.device != "cpu" and self.imported().cuda.is_available()
        if self.device == "cuda" and not has_card:
            raise ModelParameterError(
                "device", "PyTorch does not find a GPU: write device: cpu, or auto."
            )
        return "cuda" if has_card else "cpu"

    def _build_net(self, row_shape: tuple[int, ...] | None = None) -> Any:
        """Return the module with its first weights, for rows of a shape."""
        torch = self.imported()
        net = self.build_network(
            torch.nn.Module,
            "torch.nn.Module: name its class, or a function that returns one",
            "the model torch needs the class of the module that the weights belong to: write "
            "module: net.py:Net, and its arguments",
            row_shape,
        )
        return net.to(self._device, getattr(torch, self.dtype))

    def _state(self, content: bytes) -> TorchState:
        try:
            return TorchState.from_bytes(content)
        except ValueError as error:
            if content.startswith(_SAVED_BY_TORCH):
                raise DataError(
                    f"{self.file_title} is a file of torch.save; expected safetensors. Convert it "
                    "in Python: import torch, safetensors.torch; safetensors.torch.save_file("
                    f'torch.load({self.file_title!r}, weights_only=True), "model.safetensors")'
                ) from None
            raise DataError(
                f"{self.file_title} is not a state dict in safetensors ({error}); in Python: "
                'safetensors.torch.save_model(net, "model.safetensors")'
            ) from None

    def optimizer_names(self, library: Any) -> Iterable[str]:
        """Return the names of the optimizers that need only gradients."""
        for name, value in vars(library).items():
            if inspect.isclass(value) and name not in ("Optimizer", *_OTHER_STEPS):
                yield name

    def _train_epoch(
        self, leg: TrainingLeg, epoch: int, net: Any, optimizer: Any, criterion: Any
    ) -> float:
        """Take the steps of an epoch; return the last learning rate."""
        torch = self.imported()
        torch.manual_seed(leg.seed + epoch)
        net.train()
        rate = self.learning_rate
        for step in steps_of(leg, epoch, self.learning_rate):
            rate = step.learning_rate
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.zero_grad()
            outputs = self._forward(net, step.inputs)
            target = torch.as_tensor(step.targets, device=outputs.device)
            if target.is_floating_point():
                target = target.to(outputs.dtype)
            optional = {"sample_weight": step.sample_weight, "group": step.group}
            loss = criterion(
                outputs if leg.raw_loss.takes_rows else outputs.reshape(target.shape),
                target,
                **{
                    key: torch.as_tensor(value, device=outputs.device)
                    for key, value in optional.items()
                    if value is not None
                },
            )
            check_loss(loss.item(), leg, epoch, step)
            loss.backward()
            optimizer.step()
            leg.report_rows(step.done)
        return rate

    def _forward(self, net: Any, rows: NDArray) -> Any:
        """Return the outputs of some rows, which the module cannot write to."""
        torch = self.imported()
        inputs = torch.tensor(rows, dtype=getattr(torch, self.dtype), device=self._device)
        try:
            outputs = net(inputs)
        except Exception as error:
            message = " ".join(str(error).split())
            raise ShapeError(
                f"{self.title} cannot take inputs of shape {tuple(rows.shape)}: {message:.300}"
            ) from None
        shape = tuple(outputs.shape) if isinstance(outputs, torch.Tensor) else None
        if shape is None or shape[:1] != (len(rows),) or len(shape) > 2:
            made = type(outputs).__name__ if shape is None else f"outputs of shape {shape}"
            raise ShapeError(
                f"{self.title} made {made} of inputs of shape {tuple(rows.shape)}; expected a "
                f"tensor ({len(rows)}, units), the raw outputs of each row."
            )
        return outputs

    def _outputs(self, leg: TrainingLeg, epoch: int, net: Any) -> list[NDArray | None]:
        """Return raw outputs after an epoch, in the blocks of an evaluation, if they are needed."""
        if leg.rounds == 1 or not leg.measures(leg.first + epoch + 1):
            return [None, None]
        predictor = self._predictor(net, _row_shape_of(leg), b"", None)
        return [predict_raw(predictor, data) for data in (leg.data, leg.held_out)]

    def _predictor(
        self, net: Any, row_shape: tuple[int, ...], content: bytes, card: Card | None
    ) -> Predictor:
        torch = self.imported()
        if isinstance(net, torch.nn.Module) and self.module is not None:
            net.eval()

        def raw_outputs(block: NDArray) -> NDArray:
            # Each thread of a process has a number of its own.
            if torch.get_num_threads() != 1:
                torch.set_num_threads(1)
            with torch.inference_mode():
                outputs: NDArray = self._forward(net, block).cpu().numpy()
            return outputs

        with torch_threads(torch, 1):
            units = _units(raw_outputs(np.zeros((2, *row_shape), self.dtype)))
        return Predictor(
            f"torch ({self.title})",
            content,
            row_shape,
            units,
            raw_outputs,
            self.activation_with(card),
            dtype=self.dtype,
            pads=True,
            shared=self._device == "cpu",
            call_context=lambda: torch_threads(torch, 1),
        )


def _row_shape_of(leg: TrainingLeg) -> tuple[int, ...]:
    """Return the shape of the inputs of a row."""
    inputs: Any = leg.data.inputs
    return tuple(inputs.shape[1:])


def _units(outputs: Any) -> int:
    """Return the outputs of a row, of an array or tensor (n,) or (n, units)."""
    return int(outputs.shape[1]) if len(outputs.shape) == 2 else 1


def _load_weights(net: Any, state: TorchState, refusal: str) -> None:
    """Give a module the weights of a file that has all of them and no others."""
    own, given = net.state_dict(), state.module
    # A file may leave out what is tied to a weight that it has.
    present = {own[name].data_ptr() for name in given if name in own}
    missing = [n for n, x in own.items() if n not in given and x.data_ptr() not in present]
    wrong = [f"it lacks {name}" for name in missing]
    wrong += [
        f"it has {name}, which the module does not have" for name in sorted(set(given) - set(own))
    ]
    wrong += [
        f"its {name} has shape {tuple(given[name].shape)}, and the module's {tuple(x.shape)}"
        for name, x in own.items()
        if name in given and given[name].shape != x.shape
    ]
    if wrong:
        more = f", and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise DataError(f"{refusal}: {', '.join(wrong[:3])}{more}. Check module and arguments.")
    net.load_state_dict(given, strict=False)


def _row_shape(net: Any) -> tuple[int, ...] | None:
    """Return the shape of a row where the first layer with weights is linear."""
    for layer in net.modules():
        if next(layer.parameters(recurse=False), None) is not None:
            width = getattr(layer, "in_features", None)
            return None if width is None else (int(width),)
    return None


def _stated_shape(program: Any) -> tuple[int, ...]:
    """Return the shape of a row of an exported program; refuse a fixed number of rows."""
    names = program.graph_signature.user_inputs
    nodes = {node.name: node.meta["val"] for node in program.graph.nodes if "val" in node.meta}
    shapes = [tuple(nodes[name].shape) for name in names if hasattr(nodes.get(name), "shape")]
    if len(shapes) != 1 or not shapes[0]:
        raise DataError(f"the program has {len(names)} inputs; expected one, the rows.")
    rows, *rest = shapes[0]
    if isinstance(rows, int) or not all(isinstance(length, int) for length in rest):
        raise DataError(
            f"the program takes inputs of shape {shapes[0]}: export it with dynamic rows only, by "
            "torch.export.export(net, (rows,), dynamic_shapes=({0: torch.export.Dim('rows')},))"
        )
    return tuple(rest)

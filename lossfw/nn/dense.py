"""Network: dense layers with activations, run in fixed blocks of rows.

The bits of a matrix product depend on the split of its rows. So a network runs over blocks
of `BLOCK_ROWS` rows aligned to the global row number, the last one padded, on one BLAS
thread: the output for a row depends neither on the batch size nor on the number of cores.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from lossfw.data.files import digest_arrays
from lossfw.errors import DataError, ShapeError
from lossfw.evaluation.predictor import BLOCK_ROWS, Outputs, one_blas_thread
from lossfw.nn.activation import Activation
from lossfw.nn.weight_names import to_own_names
from lossfw.numerics.arrays import NDArray

# The dtypes in which a network computes.
DTYPES = (np.dtype(np.float32), np.dtype(np.float64))


class LayerSpec(NamedTuple):
    """The configuration of a layer.

    Attributes
    ----------
    units : int
        Number of outputs.
    activation : Activation
        The activation of the outputs.
    """

    units: int
    activation: Activation


@dataclass(frozen=True, eq=False)
class Dense:
    """One layer: ``activation(x @ weight + bias)`` for rows ``x``.

    Attributes
    ----------
    weight : ndarray, shape (width, units)
        In C order, float32 or float64.
    bias : ndarray, shape (units,)
        Of the same dtype.
    activation : Activation
        An activation of rows acts on the last axis.
    """

    weight: NDArray
    bias: NDArray
    activation: Activation

    def pre_activation(self, rows: NDArray) -> NDArray:
        """Return ``rows @ weight + bias``, a new array."""
        result = rows @ self.weight
        result += self.bias
        return result


@dataclass(frozen=True, eq=False)
class Network:
    """A sequence of one or more dense layers of one dtype; see `from_arrays`."""

    layers: tuple[Dense, ...]
    # Rows of a block, and whether several threads may call `block` at once.
    block_rows: ClassVar[int] = BLOCK_ROWS
    shared: ClassVar[bool] = True

    @property
    def arrays(self) -> list[NDArray]:
        """Weights and biases, layer by layer."""
        return [array for layer in self.layers for array in (layer.weight, layer.bias)]

    @property
    def named_arrays(self) -> dict[str, NDArray]:
        """Weights and biases by name: ``W1``, ``b1``, ``W2`` ..."""
        names = (f"{part}{i}" for i in range(1, len(self.layers) + 1) for part in "Wb")
        return dict(zip(names, self.arrays, strict=True))

    def with_arrays(self, arrays: Sequence[NDArray]) -> Network:
        """Return the network with other weights and biases, in the order of `arrays`."""
        layers = zip(arrays[::2], arrays[1::2], self.layers, strict=True)
        return Network(tuple(Dense(weight, bias, own.activation) for weight, bias, own in layers))

    def __str__(self) -> str:
        widths = "-".join(map(str, [self.width, *(len(layer.bias) for layer in self.layers)]))
        activations = ", ".join(layer.activation.name for layer in self.layers)
        return f"{widths}, {activations}, {self.dtype}"

    @classmethod
    def from_arrays(
        cls,
        specs: Sequence[LayerSpec],
        arrays: Mapping[str, NDArray],
        file: str,
        dtype: str | None = None,
    ) -> Network:
        """Make a network from configured layers and the arrays of a file.

        The arrays are ``W1`` of shape (width, units), ``b1`` of shape (units,), ``W2`` ...,
        or have the names of another library, see `lossfw.nn.weight_names`. Their dtype must
        be the configured one.
        """
        arrays = to_own_names(arrays, [spec.units for spec in specs], file)
        _check_names(specs, arrays, file)
        layers: list[Dense] = []
        width: int | None = None
        for number, spec in enumerate(specs, start=1):
            weight, bias = arrays[f"W{number}"], arrays[f"b{number}"]
            _check_layer(number, spec.units, width, weight, bias, file)
            width = spec.units
            # C order: weights from any kind of file give the same bits.
            layers.append(Dense(np.ascontiguousarray(weight), bias, spec.activation))
        _check_dtypes(arrays, file, dtype)
        return cls(tuple(layers))

    @property
    def width(self) -> int:
        """Number of inputs."""
        return int(self.layers[0].weight.shape[0])

    @property
    def row_shape(self) -> tuple[int, ...]:
        """Shape of the inputs of a row: the width."""
        return (self.width,)

    @property
    def digest(self) -> str:
        """The SHA-256 of weights and biases."""
        return digest_arrays(*self.arrays)

    def call_context(self) -> AbstractContextManager[None]:
        """Return an empty context manager for calls of `block`."""
        return nullcontext()

    @property
    def units(self) -> int:
        """Number of outputs."""
        return int(self.layers[-1].weight.shape[1])

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the computation; inputs are converted to it."""
        return self.layers[0].weight.dtype

    def check_inputs(self, shape: tuple[int, ...]) -> None:
        """Check the shape of inputs, (N, width)."""
        if len(shape) == 2 and shape[1] == self.width:
            return
        hint = ""
        if len(shape) > 2 and int(np.prod(shape[1:])) == self.width:
            hint = f" Flatten them: inputs.reshape(-1, {self.width}), or `flatten: true`."
        raise ShapeError(
            f"inputs have shape {shape}; the network takes (N, {self.width}), since W1 has shape "
            f"{self.layers[0].weight.shape}.{hint}"
        )

    def forward(self, inputs: NDArray) -> NDArray:
        """Return the predictions (N, units) for rows of inputs (N, width).

        The global number of row 0 has to be a multiple of `BLOCK_ROWS`.
        """
        return self._run(inputs, last=True)

    def raw_outputs(self, inputs: NDArray) -> NDArray:
        """Return the input of the last activation; see `forward`."""
        return self._run(inputs, last=False)

    def run_block(self, rows: NDArray) -> Outputs:
        """Run the first 1 to `BLOCK_ROWS` rows of an aligned block, on the current BLAS threads."""
        # An overflow shows in the result, as infinity or NaN.
        with np.errstate(all="ignore"):
            signal = self._pad_block(rows)
            for layer in self.layers[:-1]:
                signal = layer.activation(layer.pre_activation(signal))
            logits = self.layers[-1].pre_activation(signal)
            predictions = self.layers[-1].activation(logits)
        return Outputs(logits[: len(rows)], predictions[: len(rows)])

    def _pad_block(self, rows: NDArray) -> NDArray:
        """Return a full contiguous block in the network's dtype, padded with zeros."""
        if len(rows) == BLOCK_ROWS:
            return np.ascontiguousarray(rows, self.dtype)
        block = np.zeros((BLOCK_ROWS, self.width), self.dtype)
        block[: len(rows)] = rows
        return block

    def _run(self, inputs: NDArray, *, last: bool) -> NDArray:
        self.check_inputs(inputs.shape)
        result = np.empty((len(inputs), self.units), self.dtype)
        with one_blas_thread():
            for start in range(0, len(inputs), BLOCK_ROWS):
                stop = start + BLOCK_ROWS
                outputs = self.run_block(inputs[start:stop])
                result[start:stop] = outputs.predictions if last else outputs.raw_outputs
        return result


def _check_names(specs: Sequence[LayerSpec], arrays: Mapping[str, NDArray], file: str) -> None:
    """Check that there is a weight and a bias for every layer, and no other array."""
    wanted = [f"{letter}{number}" for number in range(1, len(specs) + 1) for letter in "Wb"]
    if set(wanted) == set(arrays):
        return
    there = sum(name.startswith("W") for name in arrays)
    if there != len(specs):
        layers = "1 layer" if len(specs) == 1 else f"{len(specs)} layers"
        text = f"the network has {layers}, but {file} has weights of {there}"
    else:
        text = f"{file} does not have the arrays of {len(specs)} layers"
    linear = " For a linear model, W1 is coef_.T and b1 is intercept_." if "coef_" in arrays else ""
    raise DataError(
        f"{text}: it has {', '.join(sorted(arrays)) or 'no array'}; expected {', '.join(wanted)}."
        f"{linear}"
    )


def _check_layer(
    number: int, units: int, width: int | None, weight: NDArray, bias: NDArray, file: str
) -> None:
    """Check the shapes of a layer; the width of the first layer is not known here."""
    fits = weight.ndim == 2 and weight.shape[1] == units and width in (None, weight.shape[0])
    shape = f"({'width of the inputs' if width is None else width}, {units})"
    if not fits:
        hint = ""
        if weight.ndim == 2 and weight.shape[0] == units and width in (None, weight.shape[1]):
            hint = " Rows belong to inputs here: save the transpose."
        raise DataError(
            f"layers.{number - 1} of {units} units: W{number} in {file} has shape {weight.shape}; "
            f"expected {shape}.{hint}"
        )
    if bias.shape != (units,):
        raise DataError(
            f"layers.{number - 1} of {units} units: b{number} in {file} has shape {bias.shape}; "
            f"expected ({units},)."
        )


def _check_dtypes(arrays: Mapping[str, NDArray], file: str, expected: str | None) -> None:
    """Check that all arrays have one dtype, and the configured one."""
    dtypes = {array.dtype for array in arrays.values()}
    allowed = DTYPES if expected is None else (np.dtype(expected),)
    if len(dtypes) == 1 and dtypes <= set(allowed):
        return
    given = ", ".join(f"{name} {array.dtype}" for name, array in arrays.items())
    rule = "all float32 or all float64" if expected is None else f"all {expected}, as configured"
    raise DataError(
        f"{file}: weights should be {rule}; found {given}. Convert them with array.astype and "
        "save them again."
    )

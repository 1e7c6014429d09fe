"""Network: dense layers with activations, run in blocks that keep every bit.

A matrix product gives other bits when its rows are shared out otherwise. So a
network runs over blocks of `BLOCK_ROWS` rows aligned to the global row number,
the last one padded, on one BLAS thread: what comes out for a row depends on
neither the batch size nor the number of cores.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from lossfw.errors import DataError, ShapeError
from lossfw.evaluation.predictor import BLOCK_ROWS, Outputs, one_blas_thread
from lossfw.nn.activation import Activation
from lossfw.numerics.arrays import NDArray

# What a network computes in.
DTYPES = (np.dtype(np.float32), np.dtype(np.float64))


class LayerSpec(NamedTuple):
    """What a configuration says of one layer.

    Attributes
    ----------
    units : int
        How many numbers come out of it.
    activation : Activation
        What they pass through.
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
        Row-wise ones act on the last axis.
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
    """Dense layers in a row.

    Parameters
    ----------
    layers : tuple of Dense
        At least one; each takes what the one before it gives, all in one dtype.
        `from_arrays` makes them from named arrays and checks them.
    """

    layers: tuple[Dense, ...]

    @property
    def arrays(self) -> list[NDArray]:
        """Weights and biases, layer by layer."""
        return [array for layer in self.layers for array in (layer.weight, layer.bias)]

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
        """Make a network from a configuration's layers and the arrays of a file.

        Parameters
        ----------
        specs : sequence of LayerSpec
            The layers as configured.
        arrays : mapping of str to ndarray
            ``W1`` of shape (width, units), ``b1`` of shape (units,), ``W2`` ...
        file : str
            Where the arrays come from, for messages.
        dtype : str, optional
            ``"float32"`` or ``"float64"``, where the configuration says it: then
            the arrays must have it.

        Raises
        ------
        DataError
            If a layer lacks its arrays or there are arrays of more layers, or
            if a shape or dtype does not fit; it shows the layer, both shapes
            and the file.
        """
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
        """How many numbers a row of inputs has."""
        return int(self.layers[0].weight.shape[0])

    @property
    def units(self) -> int:
        """How many numbers come out for a row."""
        return int(self.layers[-1].weight.shape[1])

    @property
    def dtype(self) -> np.dtype[Any]:
        """What the network computes in; inputs are converted to it."""
        return self.layers[0].weight.dtype

    def check_inputs(self, shape: tuple[int, ...]) -> None:
        """Check the shape of inputs, (N, width); needs no row of them.

        Raises
        ------
        ShapeError
            If the rows are no rows of numbers, or too long or too short.
        """
        if len(shape) == 2 and shape[1] == self.width:
            return
        mend = ""
        if len(shape) > 2 and int(np.prod(shape[1:])) == self.width:
            mend = f" Flatten them: inputs.reshape(-1, {self.width}), or `flatten: true`."
        raise ShapeError(
            f"inputs have shape {shape}; the network takes (N, {self.width}), since W1 has shape "
            f"{self.layers[0].weight.shape}.{mend}"
        )

    def forward(self, inputs: NDArray) -> NDArray:
        """Return the predictions for rows of inputs.

        Parameters
        ----------
        inputs : ndarray, shape (N, width)
            Row 0 is taken for a row whose global number is a multiple of
            `BLOCK_ROWS`.

        Returns
        -------
        ndarray, shape (N, units)
            In the network's dtype.
        """
        return self._run(inputs, last=True)

    def logits(self, inputs: NDArray) -> NDArray:
        """Return what goes into the last activation; see `forward`."""
        return self._run(inputs, last=False)

    def block(self, rows: NDArray) -> Outputs:
        """Run at most one block of rows, on as many BLAS threads as there are.

        Parameters
        ----------
        rows : ndarray, shape (n, width)
            The first rows of an aligned block, n from 1 to `BLOCK_ROWS`.

        Returns
        -------
        Outputs
            Logits and predictions of the n rows.
        """
        # What overflows shows in the result: infinite or NaN.
        with np.errstate(all="ignore"):
            signal = self._padded(rows)
            for layer in self.layers[:-1]:
                signal = layer.activation(layer.pre_activation(signal))
            logits = self.layers[-1].pre_activation(signal)
            predictions = self.layers[-1].activation(logits)
        return Outputs(logits[: len(rows)], predictions[: len(rows)])

    def _padded(self, rows: NDArray) -> NDArray:
        """Return a whole contiguous block in the network's dtype, zeros after the last row."""
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
                outputs = self.block(inputs[start:stop])
                result[start:stop] = outputs.predictions if last else outputs.logits
        return result


def _check_names(specs: Sequence[LayerSpec], arrays: Mapping[str, NDArray], file: str) -> None:
    """Check that there is a weight and a bias for every layer, and nothing else."""
    wanted = [f"{letter}{number}" for number in range(1, len(specs) + 1) for letter in "Wb"]
    if set(wanted) == set(arrays):
        return
    there = sum(name.startswith("W") for name in arrays)
    if there != len(specs):
        text = f"the network has {len(specs)} layers, but {file} has weights of {there}"
    else:
        text = f"{file} does not have the arrays of {len(specs)} layers"
    raise DataError(
        f"{text}: it has {', '.join(sorted(arrays)) or 'no array'}; wanted {', '.join(wanted)}."
    )


def _check_layer(
    number: int, units: int, width: int | None, weight: NDArray, bias: NDArray, file: str
) -> None:
    """Check the shapes of one layer; the width of the first is known from the data only."""
    fits = weight.ndim == 2 and weight.shape[1] == units and width in (None, weight.shape[0])
    shape = f"({'width of the inputs' if width is None else width}, {units})"
    if not fits:
        mend = ""
        if weight.ndim == 2 and weight.shape[0] == units and width in (None, weight.shape[1]):
            mend = " Rows are inputs here: save the transpose."
        raise DataError(
            f"layer {number} of {units} units: W{number} in {file} has shape {weight.shape}, "
            f"wanted {shape}.{mend}"
        )
    if bias.shape != (units,):
        raise DataError(
            f"layer {number} of {units} units: b{number} in {file} has shape {bias.shape}, "
            f"wanted ({units},)."
        )


def _check_dtypes(arrays: Mapping[str, NDArray], file: str, wanted: str | None) -> None:
    """Check that a network computes in one dtype, and in the configured one."""
    dtypes = {array.dtype for array in arrays.values()}
    allowed = DTYPES if wanted is None else (np.dtype(wanted),)
    if len(dtypes) == 1 and dtypes <= set(allowed):
        return
    found = ", ".join(f"{name} {array.dtype}" for name, array in arrays.items())
    rule = "all float32 or all float64" if wanted is None else f"all {wanted}, as configured"
    raise DataError(
        f"{file}: weights should be {rule}; found {found}. Convert them with array.astype and "
        "save them again."
    )

"""BlockPredictor: a model that an evaluation runs block by block.

The bits of a matrix product depend on how its rows are split. So a predictor runs over blocks of
`block_rows` rows aligned to the global row number, on one BLAS thread: the outputs of a row depend
on neither the batch size nor the number of cores.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple, Protocol

import numpy as np

from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

# Rows of a block, at least; dense layers take so many: enough for a matrix product to run at full
# speed, few enough for a block of inputs and its hidden layers to stay in the second-level cache.
BLOCK_ROWS = 256

# Whether BLAS has one thread already.
_one_thread: ContextVar[bool] = ContextVar("one BLAS thread", default=False)


class Outputs(NamedTuple):
    """The outputs of a model for a block of rows."""

    # The argument and the result of the output activation, (rows, units); no logits without an
    # activation.
    raw_outputs: NDArray | None
    predictions: NDArray


class BlockPredictor(Protocol):
    """A model with rows of inputs and rows of outputs, such as a `Network`.

    Its ``str`` is one line for a report.
    """

    @property
    def row_shape(self) -> tuple[int, ...]:
        """Shape of the inputs of a row."""

    @property
    def units(self) -> int:
        """Length of a row of outputs."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype that the model computes in; inputs are converted to it."""

    @property
    def digest(self) -> str:
        """The SHA-256 of everything that determines the outputs, in hexadecimal."""

    @property
    def block_rows(self) -> int:
        """Number of rows per block: a power of two, at least `BLOCK_ROWS`."""

    @property
    def shared(self) -> bool:
        """Whether several threads may call `block` at the same time."""

    def call_context(self) -> AbstractContextManager[Any]:
        """Return a context manager around all calls of `block`, such as for a library's threads."""

    def check_inputs(self, shape: tuple[int, ...]) -> None:
        """Raise `ShapeError` for inputs of a shape that the model does not take."""

    def run_block(self, rows: NDArray) -> Outputs:
        """Return the outputs of at most one aligned block of rows."""


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Run matrix products on one thread inside the ``with`` block.

    BLAS splits a product among its threads, so last digits would depend on the number of cores.
    Finding the libraries takes a millisecond or more: inside another such block it is not repeated.
    """
    if _one_thread.get():
        yield
        return
    # Imported on use: an evaluation of saved outputs needs no limits.
    import threadpoolctl

    token = _one_thread.set(True)
    try:
        with threadpoolctl.threadpool_limits(limits=1, user_api="blas"):
            yield
    finally:
        _one_thread.reset(token)


def takes_flat_outputs(loss: Loss) -> bool:
    """Tell whether a loss takes (n,) from a network of one output, which gives (n, 1).

    This holds for losses of groups, and of targets with columns, whose rows are along the last
    axis.
    """
    of_numbers = not loss.prediction_space.axes
    return of_numbers and (loss.takes_groups or loss.target_space.axes > 0)


def outputs_for(loss: Loss, outputs: NDArray, targets: NDArray) -> NDArray:
    """Return outputs (n, 1) of a network as (n,) if the loss takes them so."""
    flat = targets.ndim == 1 and not loss.takes_rows
    return squeeze_column(outputs) if flat or takes_flat_outputs(loss) else outputs


def squeeze_column(outputs: NDArray) -> NDArray:
    """Return (n, 1) as (n,), and other arrays unchanged."""
    return outputs[:, 0] if outputs.ndim == 2 and outputs.shape[1] == 1 else outputs

"""Load an ONNX model and compute two rows, in a process with limits of time and memory."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from lossfw.models import run_trial

_DTYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64}
# What onnxruntime says where it gets no memory.
_NO_MEMORY = ("bad_alloc", "bad allocation", "allocate memory", "out of memory", "length_error")


def main() -> None:
    """Try the model that the parent process sends; see `lossfw.models.trial`."""
    runtime = importlib.import_module("onnxruntime")

    def try_model(content: bytes, settings: Mapping[str, Any]) -> str:
        try:
            session = make_session(runtime, content)
        except Exception as error:
            return _memory_problem(error) or str(error)
        rows = {
            entry.name: _zero_rows(entry, settings["row_shape"]) for entry in session.get_inputs()
        }
        try:
            session.run([settings["output"]] if settings["output"] else None, rows)
        except Exception as error:
            # Other mistakes are found again, and told with their place.
            return _memory_problem(error)
        return ""

    run_trial(try_model)


def make_session(runtime: Any, content: bytes) -> Any:
    """Return a session of onnxruntime with one thread, which reads no file."""
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4  # errors are raised, and not printed as well
    return runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _zero_rows(entry: Any, row_shape: list[int] | None) -> Any:
    lengths = [length if isinstance(length, int) else 1 for length in entry.shape[1:]]
    if row_shape is not None and len(row_shape) == len(lengths):
        lengths = row_shape
    return np.zeros((2, *lengths), _DTYPES.get(entry.type, np.float32))


def _memory_problem(error: Exception) -> str:
    if isinstance(error, MemoryError) or any(word in str(error).lower() for word in _NO_MEMORY):
        return "it takes more memory than a model of its size needs"
    return ""

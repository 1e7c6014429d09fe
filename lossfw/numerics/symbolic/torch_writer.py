"""Written for PyTorch: a graph as one straight-line function of tensors.

On small batches the overhead of an operation exceeds its arithmetic, so the number of operations
counts.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from lossfw.errors import TraceError
from lossfw.numerics import torch_namespace
from lossfw.numerics.symbolic.graph import (
    CAST,
    COLUMN,
    CONSTANT,
    REDUCTIONS,
    TAKEN,
    Graph,
    Operation,
)
from lossfw.numerics.symbolic.written import Writer, WrittenFunction

_METHODS = {"sum": "sum", "max": "amax", "min": "amin"}
_LIMITS = {"maximum": "min", "minimum": "max"}


def write_torch(graph: Graph, columns: int | None = None) -> WrittenFunction:
    """Return a graph as a function of tensors of one device; see `written.write`.

    Inputs have any shape, or (..., K) for `columns` K, where classes have (...). A result with one
    number per row has the shape (..., 1). Operations that PyTorch lacks raise `TraceError`.

    Examples
    --------
    >>> from lossfw.numerics.symbolic.trace import trace
    >>> written = write_torch(trace(lambda xp, r: xp.maximum(r, 2.0), {"r": "float32"}))
    >>> written(r=torch.tensor([1.0, 3.0]))
    (tensor([2., 3.]),)
    """
    return _TorchWriter(graph, columns).write_function()


class _TorchWriter(Writer):
    library: ClassVar[Any] = torch

    def leaf(self, node: Operation) -> Any:
        return node.dtype.type(node.value) if node.op == CONSTANT else None

    def number(self, value: Any) -> Any:
        # A number of Python takes the dtype of the tensor that it meets.
        return value.item()

    def library_expression(self, node_id: int, node: Operation, args: list[str]) -> str:
        op = node.op
        if op == COLUMN:
            return f"{self.bind(torch.arange, 'arange')}({self.columns}, device=x0.device)"
        if op == CAST:
            dtype = self.bind(getattr(torch, str(node.dtype)), str(node.dtype))
            return f"{args[0]}.to({dtype})"
        if op == TAKEN:
            return f"{args[0]}.gather(-1, {args[1]})"
        if op in REDUCTIONS:
            rows = (
                args[0] if self.has_prediction_shape(node.args[0]) else self._expand(node.args[0])
            )
            return f"{rows}.{_METHODS[op]}(-1, keepdim=True)"
        return self._function(node, args)

    def _function(self, node: Operation, args: list[str]) -> str:
        """Return the call of a function, in the form that takes a number for a tensor."""
        op, tensors = node.op, [n for n in node.args if n not in self.numbers]
        if op in _LIMITS and len(tensors) == 1:
            (number,) = [f"x{n}" for n in node.args if n in self.numbers]
            return f"x{tensors[0]}.clamp({_LIMITS[op]}={number})"
        is_full = op == "pow" or (op == "where" and len(tensors) > 1)
        if not is_full:
            full = self.bind(torch.full_like, "full_like")
            dtype = self.bind(getattr(torch, str(node.dtype)), str(node.dtype))
            args = [
                f"{full}(x{tensors[0]}, {arg}, dtype={dtype})" if n in self.numbers else arg
                for n, arg in zip(node.args, args, strict=True)
            ]
        function = torch_namespace.sign if op == "sign" else getattr(torch, op, None)
        if function is None:
            raise TraceError(f"PyTorch has no operation {op}")
        return f"{self.bind(function, op)}({', '.join(args)})"

    def output(self, node_id: int) -> str:
        if self.varies[node_id]:
            return f"x{node_id}"
        if self.columns is None or self.is_row[node_id]:
            return self._expand(node_id)
        return f"{self.bind(torch.full_like, 'full_like')}(x0[..., :1], x{node_id})"

    def _expand(self, node_id: int) -> str:
        """Return the expression of a node in the shape of rows."""
        if node_id in self.numbers:
            return f"{self.bind(torch.full_like, 'full_like')}(x0, x{node_id})"
        return f"x{node_id}.expand(x0.shape)"

"""A kernel of rows: strips of transposed rows with few columns, or single wide rows in chunks.

Transposed rows of a strip are adjacent and computed together.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lossfw.numerics.compiled.frames import KernelFrame
from lossfw.numerics.compiled.instructions import ElementAddress
from lossfw.numerics.compiled.operations import INTEGER, SIZES, literal
from lossfw.numerics.compiled.row_transpose import transpose_function
from lossfw.numerics.compiled.schedule import ScheduleTime
from lossfw.numerics.compiled.signature import KernelSignature
from lossfw.numerics.compiled.strip import RARE, KernelCode, Matrix, NodeValues, Strip
from lossfw.numerics.compiled.sums import pairwise_function, reduce_row
from lossfw.numerics.symbolic.graph import INPUT, Graph

# NumPy's functions of reductions that are not sums.
_EXTREMES = {"max": "maximum", "min": "minimum"}


def write_row_kernel(graph: Graph, kind: str, signature: KernelSignature) -> KernelCode:
    """Return the text of a kernel of rows, of one type of LLVM."""
    strip = _RowStrip(graph, kind, signature)
    offsets, size = dict[str, int](), 0
    for name, length in strip.arrays.items():
        offsets[name], size = size, size + length
    frame = KernelFrame(signature, offsets)
    functions = [
        *([transpose_function(kind)] if signature.transposed else []),
        *(pairwise_function(summed, summed) for summed in sorted(strip.summed_kinds)),
        strip.function(frame, "strip"),
        frame.kernel_function("strip", str(signature.strip_rows)),
    ]
    return strip.join_kernel(functions, size)


class _RowStrip(Strip):
    """The function of a strip of rows, transposed if they have few columns."""

    def __init__(self, graph: Graph, kind: str, signature: KernelSignature) -> None:
        outputs = list(graph.outputs)
        value = outputs.pop(0) if signature.values else None
        derivative = outputs.pop(0) if signature.derivatives else None
        super().__init__(graph, kind, signature, [] if derivative is None else [derivative])
        if derivative is not None:
            self.writers[derivative] = [self._write_derivative]
        # The types of long rows that are added up.
        self.summed_kinds: set[str] = set()
        if signature.transposed:
            for name in signature.row_inputs:
                array = self.array_name(f"in_{name}", kind)
                given = Matrix(f"%{name}", "%row_stride", "%column_stride")
                self.transpose(given, Matrix(array, "1", "%n"), signature.row_length)
        for phase in range(self.schedule.phases):
            self._write_phase(phase)
        if value is not None or signature.is_checked:
            with self._loop_over_rows(self.schedule.phases) as (row, values):
                if value is not None:
                    self.store("%values", kind, values.name_of(value), row)
                if signature.is_checked:
                    self.note_outside(values.name_of(outputs[0]))
        if derivative is not None and signature.transposed:
            result = Matrix("%derivatives", "%out_row_stride", "%out_column_stride")
            turned = Matrix(self.array_name("in_derivatives", kind), "1", "%n")
            self.transpose(result, turned, signature.row_length, back=True)

    @contextmanager
    def _loop_over_rows(self, phase: int) -> Iterator[tuple[str, NodeValues]]:
        """Write a loop over the rows of the strip."""
        with self.loop("%n") as row:
            yield row, NodeValues(self, ScheduleTime(phase, 0), ElementAddress(row), of_rows=True)

    def _write_derivative(self, derivative: str, address: ElementAddress) -> None:
        scaled = self.ir.emit(f"fmul {self.kind} {derivative}, %factor")
        if self.signature.transposed:
            self.store(self.input_array("derivatives"), self.kind, scaled, address.in_row)
        else:
            self.store("%derivatives", self.kind, scaled, address.column)

    # Phases.

    def _write_phase(self, phase: int) -> None:
        schedule = self.schedule
        if row_roots := sorted(schedule.row_roots.get(phase, ())):
            with self._loop_over_rows(phase) as (row, values):
                for n in row_roots:
                    self.store(self.array_of(n), self.llvm_type(n), values.name_of(n), row)
        with self._where_any_row(schedule.phase_conditions.get(phase), phase):
            self.write_elements(phase)
            for call in schedule.nodes_at_row_end(schedule.calls, phase):
                self.write_row_call(call, "%n")
            for node_id in schedule.nodes_at_row_end(schedule.reductions, phase):
                self._reduce(node_id)

    @contextmanager
    def _where_any_row(self, condition: int | None, phase: int) -> Iterator[None]:
        """Write instructions that run if a condition, if any, holds for some row of the strip."""
        if condition is None:
            yield
            return
        self.ir.emit_void(f"store i32 0, ptr {RARE}")
        with self._loop_over_rows(phase) as (_, values):
            self.ir.record_truth(RARE, values.name_of(condition))
        flag = self.ir.emit(f"load i32, ptr {RARE}")
        with self.where(self.ir.emit(f"icmp ne i32 {flag}, 0")):
            yield

    def _reduce(self, node_id: int) -> None:
        """Write the reduction of whole rows."""
        node, columns, ir = self.schedule.node(node_id), self.signature.row_length, self.ir
        kind, result = self.llvm_type(node_id), self.array_of(node_id)
        arg = self.schedule.node(node.args[0])
        array = self.input_array(arg.value) if arg.op == INPUT else self.array_of(node.args[0])
        if self.signature.transposed:
            with self.loop("%n") as row:
                indices = [self.transposed_index(row, str(column)) for column in range(columns)]
                names = [self.load(array, kind, index) for index in indices]
                total = reduce_row(ir, node.op, kind, names, self.signature.order)
                self.store(result, kind, total, row)
        elif node.op not in _EXTREMES:
            self.summed_kinds.add(kind)
            total = ir.emit(f"call {kind} @pairwise_{kind}(ptr {array}, i64 {columns})")
            total = ir.emit(f"fadd {kind} {literal(0.0, kind)}, {total}")
            ir.emit_void(f"store {kind} {total}, ptr {result}")
        else:
            # NumPy begins with the first element where there is no neutral one.
            ir.emit_void(f"store {kind} {self.load(array, kind, '0')}, ptr {result}")
            tail = ir.emit(f"getelementptr inbounds {kind}, ptr {array}, i64 1")
            slots = [(result, 0), (tail, SIZES[kind]), (result, 0)]
            self.call_loop(_EXTREMES[node.op], kind, str(columns - 1), slots)

    # The function.

    def address_instructions(self) -> list[str]:
        """Return where the rows of the strip begin."""
        first, *second = self.signature.inputs
        by_index = self.signature.by_index
        of_second = (INTEGER, "%lo") if by_index else (self.kind, "%from")
        return [
            "  %from = mul i64 %lo, %row_stride",
            "  %to = mul i64 %lo, %out_row_stride",
            *(
                f"  %{name} = getelementptr {kind}, ptr %{name}_, i64 {index}"
                for name, kind, index in (
                    (first, self.kind, "%from"),
                    *((name, *of_second) for name in second),
                    ("values", self.kind, "%lo"),
                    ("derivatives", self.kind, "%to"),
                )
            ),
        ]

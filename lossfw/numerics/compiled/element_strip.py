"""A kernel of elements: strips of some hundred elements, summed in NumPy's order.

The function ``@strip`` computes a strip and returns the sum of its values; ``@tree`` has the halves
of the sum. If a body has rare cases, ``@strip`` computes none of them, and leaves a strip with such
a case to ``@whole``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from lossfw.numerics.compiled.frames import KernelFrame
from lossfw.numerics.compiled.instructions import ElementAddress
from lossfw.numerics.compiled.operations import CALLED, DOUBLE, FLOAT, SIZES
from lossfw.numerics.compiled.row_transpose import transpose_function
from lossfw.numerics.compiled.schedule import ScheduleTime
from lossfw.numerics.compiled.signature import STRIP, KernelSignature
from lossfw.numerics.compiled.strip import RARE, KernelCode, Matrix, NodeValues, Strip
from lossfw.numerics.compiled.sums import CONVERTED, pairwise_function
from lossfw.numerics.symbolic.graph import Graph

# Bytes that a processor loads together.
_LINE = 64

# At the end of a strip with a rare element.
_AGAIN = f"""\
  %rare_here = load i32, ptr {RARE}
  %is_usual = icmp eq i32 %rare_here, 0
  br i1 %is_usual, label %usual, label %again
again:
  %total_of_whole = call double @whole({{arguments}})
  ret double %total_of_whole
usual:"""


def write_element_kernel(graph: Graph, kind: str, signature: KernelSignature) -> KernelCode:
    """Return the text of a kernel of elements, of one type of LLVM."""
    frame = KernelFrame(signature, {})
    strip = _ElementStrip(graph.without_rare_values(), kind, signature)
    functions = [strip.function(frame, "strip")]
    if any(map(signature.is_transposed, signature.inputs)):
        functions.append(transpose_function(kind))
    if strip.has_rare:
        whole = _ElementStrip(graph, kind, signature, usual=strip)
        functions.append(whole.function(frame, "whole"))
    inner, chunk = "strip", str(signature.row_length)
    if signature.has_sum:
        functions += [
            pairwise_function(DOUBLE if signature.weighted else kind),
            frame.tree_function(),
        ]
        is_converted = kind == FLOAT and not signature.weighted
        inner, chunk = "tree", str(CONVERTED) if is_converted else "%count"
    return strip.join_kernel([*functions, frame.kernel_function(inner, chunk)])


class _ElementStrip(Strip):
    """The function of a strip of elements, which starts over with ``@whole`` for rare ones."""

    def __init__(
        self,
        graph: Graph,
        kind: str,
        signature: KernelSignature,
        usual: _ElementStrip | None = None,
    ) -> None:
        super().__init__(graph, kind, signature, graph.outputs)
        if usual is not None:
            # Both functions of a kernel have the same tables.
            self.ir.tables, self.functions = usual.ir.tables, usual.functions
        outputs = list(graph.outputs)
        is_element = self.schedule.per_element[outputs[0]]
        is_called = is_element and self.schedule.node(outputs[0]).op in CALLED
        is_written = signature.values and not signature.weighted
        # The values, if a call computes them and so need not be moved.
        self._direct = outputs[0] if is_called and is_written else None
        if signature.values:
            value = outputs.pop(0)
            if value != self._direct:
                self._add_writers(self._write_value, value)
        if signature.derivatives:
            for number in range(signature.width("derivatives")):
                write = functools.partial(self._write_derivative, str(number))
                self._add_writers(write, outputs.pop(0))
        if signature.is_checked:
            self._add_writers(lambda outside, _: self.note_outside(outside), outputs.pop(0))
        self.has_rare = bool(outputs)
        self._add_writers(lambda holds, _: self.ir.record_truth(RARE, holds), *outputs)
        self._prefetch()
        for name in signature.inputs:
            self._transpose(name)
        for phase in range(self.schedule.phases):
            self._write_phase(phase)
        if signature.derivatives:
            self._transpose("derivatives", back=True)

    def _prefetch(self) -> None:
        """Ask for the memory of the next strip, which comes while this one is added up.

        Calls of NumPy's loops, records and weights take longer with these lines in the first
        cache. Beyond the end of an array nothing happens.
        """
        signature, size = self.signature, STRIP * SIZES[self.kind]
        if self.schedule.calls or signature.widths or signature.weighted:
            return
        arrays = [(name, "0") for name in signature.inputs]
        if signature.derivatives:
            arrays.append(("derivatives", "1"))
        with self.loop(str(size // _LINE)) as line:
            offset = self.ir.emit(f"add i64 {self.ir.emit(f'mul i64 {line}, {_LINE}')}, {size}")
            for name, is_written in arrays:
                place = self.ir.emit(f"getelementptr i8, ptr %{name}, i64 {offset}")
                self.ir.emit_void(
                    f"call void @llvm.prefetch.p0(ptr {place}, i32 {is_written}, i32 3, i32 1)"
                )

    def _transpose(self, name: str, *, back: bool = False) -> None:
        """Write long records number by number, or derivatives back."""
        width, length = self.signature.width(name), self.signature.row_length
        if self.signature.is_transposed(name):
            self.arrays[f"in_{name}"] = SIZES[self.kind] * width * length
            rows = Matrix(f"%{name}", str(width), "1")
            self.transpose(rows, Matrix(self.input_array(name), "1", str(length)), width, back=back)

    def _add_writers(self, write: Callable[[str, ElementAddress], None], *outputs: int) -> None:
        for output in outputs:
            self.writers.setdefault(output, []).append(write)

    def array_of(self, node_id: int) -> str:
        """Return the array of a stored node; values that a call computes are at their place."""
        return "%values" if node_id == self._direct else super().array_of(node_id)

    def _write_phase(self, phase: int) -> None:
        schedule = self.schedule
        numbers = NodeValues(self, ScheduleTime(phase, 0), ElementAddress("0"), of_rows=True)
        for node_id in sorted(schedule.row_roots.get(phase, ())):
            self.store(
                self.array_of(node_id), self.llvm_type(node_id), numbers.name_of(node_id), "0"
            )
        self.write_elements(phase)
        for call in schedule.nodes_at_row_end(schedule.calls, phase):
            self.write_row_call(call, "1")

    # Results.

    def _load_weight(self, address: ElementAddress) -> str:
        return self.load("%weight", DOUBLE, address.in_row)

    def _widen(self, x: str) -> str:
        return x if self.kind == DOUBLE else self.ir.emit(f"fpext float {x} to double")

    def _write_value(self, value: str, address: ElementAddress) -> None:
        kind = self.kind
        if self.signature.weighted:
            product = f"fmul double {self._load_weight(address)}, {self._widen(value)}"
            kind, value = DOUBLE, self.ir.emit(product)
        self.store("%values", kind, value, address.in_row)

    def _write_derivative(self, number: str, derivative: str, address: ElementAddress) -> None:
        """Store a derivative by a number times the reduction's factor, as NumPy computes it."""
        emit = self.ir.emit
        if not self.signature.weighted:
            scaled = emit(f"fmul {self.kind} {derivative}, %factor")
        else:
            factor = emit(f"fmul double {self._load_weight(address)}, %scale")
            scaled = emit(f"fmul double {self._widen(derivative)}, {factor}")
            if self.kind == FLOAT:
                scaled = emit(f"fptrunc double {scaled} to float")
        index = self.input_index("derivatives", number, address.in_row)
        self.store(self.input_array("derivatives"), self.kind, scaled, index)

    # The function.

    def address_instructions(self) -> list[str]:
        """Return the addresses, and the arrays of the strip; values that are only summed too."""
        kind, weighted = self.kind, self.signature.weighted
        names = (*self.signature.inputs, "derivatives")
        arrays = [(name, kind, self.signature.width(name)) for name in names]
        return [
            *(f"  %{name} = alloca [{size} x i8], align 64" for name, size in self.arrays.items()),
            f"  %scratch = alloca [{STRIP} x {DOUBLE if weighted else kind}], align 64",
            *(
                f"  %{name}_lo = mul i64 %lo, {width}\n"
                f"  %{name} = getelementptr inbounds {of}, ptr %{name}_, i64 %{name}_lo"
                for name, of, width in (*arrays, ("weight", DOUBLE, 1))
            ),
            "  %unwritten = icmp eq ptr %values_, null",
            f"  %written = getelementptr {kind}, ptr %values_, i64 %lo",
            "  %values = select i1 %unwritten, ptr %scratch, ptr %written",
        ]

    def end_instructions(self, frame: KernelFrame) -> list[str]:
        """Return the instructions after those of the graph, with the sum of the values."""
        again = [_AGAIN.format(arguments=frame.arguments("%lo", "%n"))] if self.has_rare else []
        *noted, nothing = super().end_instructions(frame)
        if not self.signature.has_sum:
            return [*again, *noted, nothing]
        total = "  %total = call double @pairwise_double(ptr %values, i64 %n)"
        return [*again, *noted, total, "  ret double %total"]

"""The function of a strip: the instructions of a graph, whether of elements or of rows.

Results of elements stay in the first-level cache. A strip of elements is a single row.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple

from lossfw.numerics.compiled.frames import KernelFrame
from lossfw.numerics.compiled.instructions import Chunk, ElementAddress, Instructions
from lossfw.numerics.compiled.operations import (
    BAD,
    CALLED,
    FLOAT,
    SIZES,
    LoopName,
    declarations,
    emit_bounded_index,
    emit_operation,
    literal,
    llvm_type,
)
from lossfw.numerics.compiled.row_transpose import BLOCK
from lossfw.numerics.compiled.schedule import GraphSchedule, ScheduleTime
from lossfw.numerics.compiled.signature import KernelSignature
from lossfw.numerics.symbolic.graph import COLUMN, CONSTANT, INPUT, REDUCTIONS, TAKEN, Graph

# Where a strip notes that the condition of a rare value holds.
RARE = "%rare"


class KernelCode(NamedTuple):
    """The text of a kernel, the NumPy functions that it calls, and its working memory in bytes."""

    text: str
    functions: list[LoopName]
    memory: int


class _Slot(NamedTuple):
    """The array of an argument of a call; `source` is the node that is written to it before."""

    array: str
    stride: int
    source: int | None = None


class Matrix(NamedTuple):
    """An array of rows, and its two strides."""

    array: str
    row_stride: str
    column_stride: str


class NodeValues:
    """The values of nodes in a loop over rows or elements, each loaded or computed once."""

    def __init__(
        self, strip: Strip, time: ScheduleTime, address: ElementAddress, *, of_rows: bool = False
    ) -> None:
        self._strip, self._time, self._address = strip, time, address
        # The phases whose numbers of rows are in memory.
        self._known_phases = time.phase if of_rows else time.phase + 1
        self._names: dict[int, str] = {}

    def name_of(self, node_id: int) -> str:
        """Return the name of a node's value."""
        if node_id not in self._names:
            self._names[node_id] = self._emit(node_id)
        return self._names[node_id]

    def _emit(self, node_id: int) -> str:
        strip, schedule, address = self._strip, self._strip.schedule, self._address
        node, kind = schedule.node(node_id), strip.llvm_type(node_id)
        per_element, time = schedule.per_element[node_id], schedule.times[node_id]
        if node.op == CONSTANT:
            return literal(node.value, kind)
        if node.op == COLUMN:
            return address.column
        if node.op == INPUT and per_element:
            name, _, number = node.value.partition(".")
            index = strip.input_index(name, number, address.in_row)
            return strip.load(strip.input_array(name), kind, index)
        if node.op == INPUT:
            return strip.load(f"%{node.value}", kind, address.row)
        if per_element:
            is_earlier = time < self._time or node.op in CALLED
            if is_earlier and schedule.is_stored(node_id, self._time.phase):
                return strip.load(strip.array_of(node_id), kind, strip.index_of(node_id, address))
        elif node_id in schedule.row_numbers and (
            node.op in CALLED or node.op in REDUCTIONS or time.phase < self._known_phases
        ):
            return strip.load(strip.array_of(node_id), kind, address.row)
        elif node.op == TAKEN:
            index = emit_bounded_index(
                strip.ir, self.name_of(node.args[1]), strip.signature.row_length
            )
            if strip.signature.transposed:
                index = strip.transposed_index(address.row, index)
            return strip.load(strip.input_array(schedule.node(node.args[0]).value), kind, index)
        return emit_operation(
            strip.ir, schedule.graph, node, [self.name_of(arg) for arg in node.args]
        )


class Strip(Instructions, ABC):
    """The function of a strip, while it is written."""

    def __init__(
        self, graph: Graph, kind: str, signature: KernelSignature, element_outputs: list[int]
    ) -> None:
        super().__init__(signature)
        self.kind = kind  # of inputs and outputs
        self.schedule = GraphSchedule.from_graph(graph, element_outputs=set(element_outputs))
        # What writes an output that has a number for each element, by its value and its address.
        self.writers: dict[int, list[Callable[[str, ElementAddress], None]]] = {}
        # The instructions that store constants as arguments of calls.
        self.constants: dict[int, str] = {}

    def llvm_type(self, node_id: int) -> str:
        """Return the type of LLVM of a node."""
        return llvm_type(self.schedule.node(node_id).dtype)

    def array_of(self, node_id: int) -> str:
        """Return the array of a stored node."""
        kind = self.llvm_type(node_id)
        if not self.schedule.per_element[node_id]:
            return self.array_name(f"r{node_id}", kind, of_rows=True)
        is_whole = node_id in self.schedule.row_arrays
        return self.array_name(f"{'l' if is_whole else 's'}{node_id}", kind, of_chunk=not is_whole)

    def index_of(self, node_id: int, address: ElementAddress) -> str:
        """Return the index of an element in the array of a node."""
        return address.in_row if node_id in self.schedule.row_arrays else address.in_chunk

    def input_array(self, name: str) -> str:
        """Return the array of an input, or of the derivatives, transposed if it is."""
        return f"%in_{name}" if self.signature.is_transposed(name) else f"%{name}"

    def input_index(self, name: str, number: str, index: str) -> str:
        """Return the index of an element in an input; for a record, of one of its numbers."""
        width = self.signature.width(name)
        if width == 1:
            return index
        if self.signature.is_transposed(name):
            return self.ir.emit(f"add i64 {index}, {int(number) * self.signature.row_length}")
        return self.ir.emit(f"add i64 {self.ir.emit(f'mul i64 {index}, {width}')}, {number}")

    def note_outside(self, outside: str) -> None:
        """Record whether an element or a row is outside of the domain."""
        zero = literal(0.0, self.kind)
        self.ir.record_truth(BAD, self.ir.emit(f"fcmp une {self.kind} {outside}, {zero}"))

    def transpose(self, rows: Matrix, turned: Matrix, columns: int, *, back: bool = False) -> None:
        """Write the rows of the strip into an array with adjacent rows, or back.

        Where columns are adjacent, it goes block by block.
        """
        emit, in_blocks = self.ir.emit, "false"
        if columns >= BLOCK:
            adjacent = emit(f"icmp eq i64 {rows.column_stride}, 1")
            enough = emit(f"icmp sge i64 %n, {BLOCK}")
            in_blocks = emit(f"and i1 {adjacent}, {enough}")
        of_rows = f"ptr {rows.array}, i64 {rows.row_stride}"
        of_turned = f"ptr {turned.array}, i64 {turned.column_stride}"
        arrays, lengths = f"{of_rows}, {of_turned}", f"i64 %n, i64 {columns}"
        if back:
            arrays, lengths = f"{of_turned}, {of_rows}", f"i64 {columns}, i64 %n"
        with self.where(in_blocks):
            self.ir.emit_void(f"call void @transpose({arrays}, {lengths})")
        one_by_one = emit(f"xor i1 {in_blocks}, true")
        source, to = (turned, rows) if back else (rows, turned)
        with self.where(one_by_one), self.loop(str(columns)) as column, self.loop("%n") as row:
            value = self.load(source.array, self.kind, self._index_of_row(source, row, column))
            self.store(to.array, self.kind, value, self._index_of_row(to, row, column))

    def _index_of_row(self, matrix: Matrix, row: str, column: str) -> str:
        down = self.ir.emit(f"mul i64 {row}, {matrix.row_stride}")
        along = self.ir.emit(f"mul i64 {column}, {matrix.column_stride}")
        return self.ir.emit(f"add i64 {along}, {down}")

    # The whole function.

    def join_kernel(self, functions: list[str], memory: int = 0) -> KernelCode:
        """Return the text of a kernel from functions and what this strip needs."""
        tables = [
            f"{name} = internal constant {table}, align 64"
            for table, name in self.ir.tables.items()
        ]
        text = "\n".join([*tables, *declarations(), *functions])
        return KernelCode(text + "\n", self.functions, memory)

    def function(self, frame: KernelFrame, name: str) -> str:
        """Return the function of a strip of `n` elements or rows, starting at `lo`."""
        narrow = "fptrunc double %scale to float"
        return "\n".join(
            [
                f"define internal double @{name}({frame.parameters}) noinline nounwind {{",
                "enter:",
                "  %arguments = alloca [4 x ptr]",
                "  %strides = alloca [4 x i64]",
                "  %length = alloca i64",
                *(f"  {flag} = alloca i32\n  store i32 0, ptr {flag}" for flag in (BAD, RARE)),
                *self.constants.values(),
                f"  %factor = {narrow if self.kind == FLOAT else 'fadd double %scale, -0.0'}",
                *self.address_instructions(),
                *self.ir.text,
                *self.end_instructions(frame),
                "}",
            ]
        )

    @abstractmethod
    def address_instructions(self) -> list[str]:
        """Return the instructions that find the start of a strip in inputs and outputs."""

    def end_instructions(self, frame: KernelFrame) -> list[str]:
        """Return the instructions after those of the graph."""
        return [
            f"  %bad_here = load i32, ptr {BAD}",
            "  %bad_before = load i32, ptr %bad_",
            "  %bad_now = or i32 %bad_here, %bad_before",
            "  store i32 %bad_now, ptr %bad_",
            "  ret double 0.0",
        ]

    # Steps.

    def write_elements(self, phase: int) -> None:
        """Write the loops of a phase over elements, and the calls between them."""
        if steps := self.schedule.steps(phase):
            with self.chunks() as chunk:
                for step in range(steps):
                    self._write_step(ScheduleTime(phase, step), chunk)

    def _write_step(self, time: ScheduleTime, chunk: Chunk) -> None:
        schedule = self.schedule
        calls = schedule.calls_of(time.phase, time.step + 1)
        slots = {call: self._argument_slots(call, time, chunk) for call in calls}
        stored = [
            n for n in sorted(schedule.roots.get(time, ())) if self._is_written_in_step(n, time)
        ]
        sources = [slot for call in calls for slot in slots[call] if slot.source is not None]
        outputs = [node_id for node_id in self.writers if schedule.times[node_id] == time]
        if stored or sources or outputs:
            with self.elements(chunk) as address:
                values = NodeValues(self, time, address)
                for n in stored:
                    array, index = self.array_of(n), self.index_of(n, address)
                    self.store(array, self.llvm_type(n), values.name_of(n), index)
                for array, _, source in sources:
                    if source is not None:
                        kind = self.llvm_type(source)
                        self.store(array, kind, values.name_of(source), address.in_chunk)
                for node_id in outputs:
                    for write in self.writers[node_id]:
                        write(values.name_of(node_id), address)
        for call in calls:
            result = self._chunk_start(self.array_of(call), call, chunk)
            self._write_call(call, chunk.length, [slot[:2] for slot in slots[call]], result)

    def _is_written_in_step(self, node_id: int, time: ScheduleTime) -> bool:
        """Return whether a step writes a node to an array."""
        schedule = self.schedule
        is_computed = not schedule.is_leaf(node_id) and schedule.node(node_id).op not in CALLED
        is_here = schedule.per_element[node_id] and schedule.times[node_id] == time
        return is_computed and is_here and schedule.is_stored(node_id, time.phase)

    # Calls of NumPy's loops.

    def _chunk_start(self, array: str, node_id: int, chunk: Chunk) -> str:
        """Return where a chunk begins in the array of a node."""
        is_input = self.schedule.node(node_id).op == INPUT
        is_whole = is_input or node_id in self.schedule.row_arrays
        if self.signature.transposed or not is_whole:
            return array
        kind = self.llvm_type(node_id)
        return self.ir.emit(f"getelementptr inbounds {kind}, ptr {array}, i64 {chunk.first}")

    def _argument_slots(self, call: int, time: ScheduleTime, chunk: Chunk) -> list[_Slot]:
        """Return the arrays of the arguments of a call on elements."""
        schedule, slots = self.schedule, []
        for place, arg in enumerate(schedule.node(call).args):
            node, kind = schedule.node(arg), self.llvm_type(arg)
            if node.op == CONSTANT:
                slots.append(_Slot(self._store_constant(arg), 0))
                continue
            is_input = node.op == INPUT and schedule.per_element[arg]
            # NumPy's loops may have other bits for numbers that do not lie next to each other.
            is_input = is_input and not self.signature.widths
            if is_input or (schedule.per_element[arg] and schedule.is_stored(arg, time.phase)):
                array = self.input_array(node.value) if is_input else self.array_of(arg)
                slots.append(_Slot(self._chunk_start(array, arg, chunk), SIZES[kind]))
            else:
                array = self.array_name(f"a{call}_{place}", kind, of_chunk=True)
                slots.append(_Slot(array, SIZES[kind], arg))
        return slots

    def write_row_call(self, call: int, rows: str) -> None:
        """Write the call of a function of one number for each row."""
        slots = [
            (self._store_constant(arg), 0)
            if self.schedule.node(arg).op == CONSTANT
            else (self.array_of(arg), SIZES[self.llvm_type(arg)])
            for arg in self.schedule.node(call).args
        ]
        self._write_call(call, rows, slots, self.array_of(call))

    def _store_constant(self, node_id: int) -> str:
        kind, name = self.llvm_type(node_id), f"%c{node_id}"
        value = literal(self.schedule.node(node_id).value, kind)
        self.constants[node_id] = (
            f"  {name} = alloca {kind}, align 8\n  store {kind} {value}, ptr {name}"
        )
        return name

    def _write_call(
        self, call: int, length: str, slots: list[tuple[str, int]], result: str
    ) -> None:
        kind = self.llvm_type(call)
        slots = [*slots, (result, SIZES[kind])]
        self.call_loop(self.schedule.node(call).op, kind, length, slots)

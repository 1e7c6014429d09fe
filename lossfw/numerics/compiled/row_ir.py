"""LLVM's intermediate representation of a kernel of rows.

A kernel has two functions: ``@kernel`` goes over the rows in strips, and ``@strip`` computes
one. Rows of few columns are turned, so that the rows of a strip lie beside each other and are
computed at once. A strip of many columns is a single row, in chunks. Either way what is
computed of elements stays in the first-level cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from lossfw.numerics.compiled.ir import SIZES, LoopName, declarations, tables
from lossfw.numerics.compiled.layout import CALLED, UncompiledError
from lossfw.numerics.compiled.operations import literal, type_of
from lossfw.numerics.compiled.row_frame import kernel_of_rows, strip
from lossfw.numerics.compiled.row_instructions import Chunk, Place
from lossfw.numerics.compiled.row_layout import RowLayout, Time
from lossfw.numerics.compiled.row_shape import RowShape
from lossfw.numerics.compiled.row_sums import reduced
from lossfw.numerics.compiled.row_turning import BLOCK, turning
from lossfw.numerics.compiled.row_values import ElementValues, KeptNodes, RowValues
from lossfw.numerics.compiled.sums import pairwise
from lossfw.numerics.symbolic.graph import COLUMN, CONSTANT, INPUT, Graph

# NumPy's functions of reductions that are no sums.
_EXTREMES = {"max": "maximum", "min": "minimum"}


class RowCode(NamedTuple):
    """The text of a kernel of rows.

    Attributes
    ----------
    text : str
    functions : list of LoopName
        The functions of NumPy that it calls.
    memory : int
        The bytes of memory that it works in.
    """

    text: str
    functions: list[LoopName]
    memory: int


def intermediate_of_rows(graph: Graph, kind: str, shape: RowShape) -> RowCode:
    """Return the text of a kernel of rows.

    Raises
    ------
    UncompiledError
        If an operation has no compiled form, or an output has another type.
    """
    return _Writer(graph, kind, shape).code()


class _Writer(KeptNodes):
    """The text of a kernel of rows, while it is written."""

    def __init__(self, graph: Graph, kind: str, shape: RowShape) -> None:
        outputs = list(graph.outputs)
        self.loss = outputs.pop(0) if shape.losses else None
        self.slope = outputs.pop(0) if shape.slopes else None
        self.outside = outputs.pop(0) if shape.checked else None
        wide = set() if self.slope is None else {self.slope}
        super().__init__(shape, kind, RowLayout.of(graph, wide_outputs=wide))
        self.constants: list[str] = []
        # The types of which long rows are added up.
        self.added: set[str] = set()
        for output in graph.outputs:
            if type_of(graph.nodes[output].dtype) != kind:
                raise UncompiledError(f"a result is {graph.nodes[output].dtype}")

    def code(self) -> RowCode:
        """Return the text, and the arrays that the kernel needs."""
        self._read()
        for phase in range(self.layout.phases):
            self._phase(phase)
        self._write()
        strip_of_rows = strip(self, self.kind, self.constants)
        parts = [
            *(*tables(self.lines), *declarations()),
            *([turning(self.kind)] if self.shape.turned else []),
            *(pairwise(kind, kind) for kind in sorted(self.added)),
            strip_of_rows,
            kernel_of_rows(self, self.kind),
        ]
        return RowCode("\n".join(parts) + "\n", self.functions, self.places()[1])

    # The parts of a strip.

    def _read(self) -> None:
        """Turn the rows of the inputs."""
        if not self.shape.turned:
            return
        columns = str(self.shape.columns)
        for name in self.shape.wide:
            array = self.array(f"in_{name}", self.kind)
            fits = self._fits("%column_step")
            with self.where(fits):
                self._turn(f"%{name}", "%row_step", array, "%n", "%n", columns)
            with self.where(self._not(fits)), self.loop(columns) as k, self.loop("%n") as r:
                value = self.load(f"%{name}", self.kind, self._place(r, k))
                self.store(array, self.kind, value, self._turned_place(r, k))

    def _write(self) -> None:
        """Write losses, whether rows lie outside, and slopes turned back."""
        if self.loss is not None:
            with self.loop("%n") as r:
                value = RowValues(self, r, self.layout.phases).of(self.loss)
                self.store("%losses", self.kind, value, r)
        if self.outside is not None:
            self._tell(self.outside)
        if self.slope is not None and self.shape.turned:
            self._turn_back()

    def _turn_back(self) -> None:
        columns = str(self.shape.columns)
        array = self.array("turned", self.kind)
        fits = self._fits("%slope_column_step")
        with self.where(fits):
            self._turn(array, "%n", "%slopes", "%slope_row_step", columns, "%n")
        with self.where(self._not(fits)), self.loop("%n") as r, self.loop(columns) as k:
            value = self.load(array, self.kind, self._turned_place(r, k))
            self.store("%slopes", self.kind, value, self._place(r, k, "slope_"))

    def _fits(self, column_step: str) -> str:
        """Return whether rows can be turned in blocks."""
        if self.shape.columns < BLOCK:
            return "false"
        beside = self.lines.put(f"icmp eq i64 {column_step}, 1")
        enough = self.lines.put(f"icmp sge i64 %n, {BLOCK}")
        return self.lines.put(f"and i1 {beside}, {enough}")

    def _not(self, condition: str) -> str:
        return self.lines.put(f"xor i1 {condition}, true")

    def _turn(self, from_: str, step: str, to: str, to_step: str, rows: str, columns: str) -> None:
        self.lines.do(
            f"call void @turn(ptr {from_}, i64 {step}, ptr {to}, i64 {to_step}, "
            f"i64 {rows}, i64 {columns})"
        )

    def _place(self, row: str, column: str, of: str = "") -> str:
        down = self.lines.put(f"mul i64 {row}, %{of}row_step")
        return self._sum(self.lines.put(f"mul i64 {column}, %{of}column_step"), down)

    def _turned_place(self, row: str, column: str) -> str:
        return self._sum(self.lines.put(f"mul i64 {column}, %n"), row)

    def _tell(self, outside: int) -> None:
        """Note whether some row lies outside."""
        with self.loop("%n") as r:
            value = RowValues(self, r, self.layout.phases).of(outside)
            here = self.lines.put(f"fcmp une {self.kind} {value}, {literal(0.0, self.kind)}")
            self.lines.note("%outside", here)

    def _sum(self, a: str, b: str) -> str:
        return self.lines.put(f"add i64 {a}, {b}")

    def _phase(self, phase: int) -> None:
        layout = self.layout
        if wanted := sorted(layout.of_rows.get(phase, ())):
            with self.loop("%n") as r:
                values = RowValues(self, r, phase)
                for number in wanted:
                    self.store(self.array_of(number), self.type(number), values.of(number), r)
        if phase in layout.rare:
            with self._where_some(layout.rare[phase], phase):
                self._elements(phase)
        else:
            self._elements(phase)

    @contextmanager
    def _where_some(self, condition: int, phase: int) -> Iterator[None]:
        """Write instructions that run if a condition holds for some row of the strip."""
        self.lines.do("store i1 false, ptr %some")
        with self.loop("%n") as r:
            holds = RowValues(self, r, phase).of(condition)
            so_far = self.lines.put("load i1, ptr %some")
            self.lines.do(f"store i1 {self.lines.put(f'or i1 {so_far}, {holds}')}, ptr %some")
        some = self.lines.put("load i1, ptr %some")
        with self.where(some):
            yield

    def _elements(self, phase: int) -> None:
        """Write the loops of a phase, over the elements of rows and over whole rows."""
        layout = self.layout
        if steps := layout.steps(phase):
            with self.chunks() as chunk:
                for step in range(steps):
                    self._step(Time(phase, step), chunk)
        for call in layout.calls:
            if not layout.wide[call] and layout.time[call].phase == phase + 1:
                self._call(call, "%n", [self._slot_of_row(call, arg) for arg in self._args(call)])
        for number in layout.reductions:
            if layout.time[number].phase == phase + 1:
                self._reduce(number)

    def _args(self, number: int) -> tuple[int, ...]:
        return self.layout.node(number).args

    def _step(self, time: Time, chunk: Chunk) -> None:
        """Write the loop of a step, and the calls after it."""
        layout = self.layout
        calls = layout.calls_of(time.phase, time.step + 1)
        slots = {call: self._slots(call, time, chunk) for call in calls}
        stored = [n for n in sorted(layout.wanted.get(time, ())) if self._is_stored(n, time)]
        made = [slot for call in calls for slot in slots[call] if slot.made is not None]
        slope = self.slope
        if slope is not None and layout.time[slope] != time:
            slope = None
        if stored or made or slope is not None:
            with self.elements(chunk) as place:
                values = ElementValues(self, time, place)
                for number in stored:
                    at = place.long if number in layout.long else place.short
                    self.store(self.array_of(number), self.type(number), values.of(number), at)
                for slot in made:
                    if slot.made is not None:
                        self.store(slot.array, slot.kind, values.of(slot.made), place.short)
                if slope is not None:
                    self._slope(values.of(slope), place)
        for call in calls:
            result = self._from(self.array_of(call), call, chunk)
            given = [(slot.array, slot.step) for slot in slots[call]]
            self._call(call, chunk.length, given, result)

    def _is_stored(self, number: int, time: Time) -> bool:
        layout = self.layout
        kept = number in layout.long or number in layout.short
        return (
            kept
            and layout.wide[number]
            and layout.time[number] == time
            and layout.node(number).op not in (*CALLED, INPUT, CONSTANT, COLUMN)
        )

    def _slope(self, slope: str, place: Place) -> None:
        scaled = self.lines.put(f"fmul {self.kind} {slope}, %factor")
        if self.shape.turned:
            self.store(self.array("turned", self.kind), self.kind, scaled, place.long)
        else:
            self.store("%slopes", self.kind, scaled, place.column)

    # Calls of NumPy's loops.

    def _from(self, array: str, number: int, chunk: Chunk) -> str:
        """Return where a chunk begins in the array of a node."""
        if self.shape.turned or not (number in self.layout.long or self._is_input(number)):
            return array
        kind = self.type(number)
        return self.lines.put(f"getelementptr inbounds {kind}, ptr {array}, i64 {chunk.first}")

    def _is_input(self, number: int) -> bool:
        return self.layout.node(number).op == INPUT

    def _slots(self, call: int, time: Time, chunk: Chunk) -> list[_Slot]:
        """Return the arrays of the arguments of a call on elements."""
        found = []
        for place, arg in enumerate(self._args(call)):
            kind, layout = self.type(arg), self.layout
            if layout.node(arg).op == CONSTANT:
                found.append(_Slot(self._constant(arg), kind, 0))
            elif self._is_input(arg) and layout.wide[arg]:
                array = self.input(layout.node(arg).value)
                found.append(_Slot(self._from(array, arg, chunk), kind, SIZES[kind]))
            elif layout.wide[arg] and layout.is_kept(arg, time.phase):
                found.append(_Slot(self._from(self.array_of(arg), arg, chunk), kind, SIZES[kind]))
            else:
                array = self.array(f"a{call}_{place}", kind, short=True)
                found.append(_Slot(array, kind, SIZES[kind], arg))
        return found

    def _slot_of_row(self, call: int, arg: int) -> tuple[str, int]:
        kind = self.type(arg)
        if self.layout.node(arg).op == CONSTANT:
            return self._constant(arg), 0
        return self.array_of(arg), SIZES[kind]

    def _constant(self, number: int) -> str:
        kind, slot = self.type(number), f"%c{number}"
        if f"  {slot} = alloca {kind}, align 8" not in self.constants:
            value = literal(self.layout.node(number).value, kind)
            self.constants.append(f"  {slot} = alloca {kind}, align 8")
            self.constants.append(f"  store {kind} {value}, ptr {slot}")
        return slot

    def _call(self, call: int, length: str, slots: list[tuple[str, int]], result: str = "") -> None:
        kind = self.type(call)
        output = (result or self.array_of(call), SIZES[kind])
        self.call_loop(self.layout.node(call).op, kind, length, [*slots, output])

    # Reductions.

    def _reduce(self, number: int) -> None:
        """Write the reduction of whole rows."""
        node, columns = self.layout.node(number), self.shape.columns
        kind, arg, result = self.type(number), node.args[0], self.array_of(number)
        array = self.input(self.layout.node(arg).value) if self._is_input(arg) else ""
        array = array or self.array_of(arg)
        if self.shape.turned:
            with self.loop("%n") as r:
                names = []
                for k in range(columns):
                    first = self.lines.put(f"mul i64 {k}, %n")
                    names.append(self.load(array, kind, self._sum(first, r)))
                value = reduced(self.lines, node.op, kind, names, self.shape.order)
                self.store(result, kind, value, r)
            return
        if node.op not in _EXTREMES:
            self.added.add(kind)
            total = self.lines.put(f"call {kind} @pairwise_{kind}(ptr {array}, i64 {columns})")
            total = self.lines.put(f"fadd {kind} {literal(0.0, kind)}, {total}")
            self.lines.do(f"store {kind} {total}, ptr {result}")
            return
        # NumPy begins with the first element where there is no neutral one.
        self.lines.do(f"store {kind} {self.load(array, kind, '0')}, ptr {result}")
        array = self.lines.put(f"getelementptr inbounds {kind}, ptr {array}, i64 1")
        slots = [(result, 0), (array, SIZES[kind]), (result, 0)]
        self.call_loop(_EXTREMES[node.op], kind, str(columns - 1), slots)


class _Slot(NamedTuple):
    """The array of an argument of a call; `made` is the node that is written to it before."""

    array: str
    kind: str
    step: int
    made: int | None = None

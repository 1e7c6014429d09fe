"""Instructions in blocks: the loops of a kernel, its memory, and calls of NumPy's loops."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from lossfw.numerics.compiled.operations import SIZES, TRUTH, IrBuilder, LoopName
from lossfw.numerics.compiled.signature import ELEMENTS, KernelSignature

# Arrays begin at multiples of this, the size of a line of the cache.
_ALIGNED = 64


class Chunk(NamedTuple):
    """The columns of a chunk (first column and number), or all elements of transposed rows."""

    first: str
    length: str


class ElementAddress(NamedTuple):
    """The address of an element: its row in the strip, its column, and its index in arrays."""

    row: str
    column: str = ""
    in_row: str = ""  # in an array of whole rows
    in_chunk: str = ""  # in an array of a chunk


class Instructions:
    """Instructions in blocks, the functions of NumPy that they call, and their memory."""

    def __init__(self, signature: KernelSignature) -> None:
        self.signature = signature
        self.ir = IrBuilder()
        self.label = "enter"  # of the block that is being written
        self.functions: list[LoopName] = []
        self.arrays: dict[str, int] = {}  # and their bytes
        self._label_count = 0

    def _next_label(self) -> int:
        self._label_count += 1
        return self._label_count

    def _begin_block(self, label: str) -> None:
        self.ir.text.append(f"{label}:")
        self.label = label

    # Loops.

    @contextmanager
    def loop(self, count: str) -> Iterator[str]:
        """Write a loop whose counter goes from 0 to `count`."""
        n, ir = self._next_label(), self.ir
        i = f"%i{n}"
        before = self.label
        ir.emit_void(f"br label %head{n}")
        self._begin_block(f"head{n}")
        ir.emit_void(f"{i} = phi i64 [0, %{before}], [{i}n, %next{n}]")
        ir.emit_void(f"%go{n} = icmp slt i64 {i}, {count}")
        ir.emit_void(f"br i1 %go{n}, label %body{n}, label %end{n}")
        self._begin_block(f"body{n}")
        yield i
        ir.emit_void(f"br label %next{n}")
        self._begin_block(f"next{n}")
        ir.emit_void(f"{i}n = add nuw nsw i64 {i}, 1")
        ir.emit_void(f"br label %head{n}")
        self._begin_block(f"end{n}")

    @contextmanager
    def where(self, condition: str) -> Iterator[None]:
        """Write instructions that run if a condition holds."""
        n = self._next_label()
        self.ir.emit_void(f"br i1 {condition}, label %then{n}, label %after{n}")
        self._begin_block(f"then{n}")
        yield
        self.ir.emit_void(f"br label %after{n}")
        self._begin_block(f"after{n}")

    @contextmanager
    def elements(self, chunk: Chunk) -> Iterator[ElementAddress]:
        """Write a loop over the elements of a strip, or of a chunk of a row."""
        if not self.signature.transposed:
            with self.loop(chunk.length) as i:
                column = self.ir.emit(f"add i64 {chunk.first}, {i}")
                yield ElementAddress("0", column, column, i)
            return
        with self.loop(str(self.signature.columns)) as column, self.loop("%n") as row:
            index = self.transposed_index(row, column)
            yield ElementAddress(row, column, index, index)

    @contextmanager
    def chunks(self) -> Iterator[Chunk]:
        """Write a loop over the chunks of a long row; any other strip is one chunk."""
        columns = self.signature.columns
        if columns is None:
            yield Chunk("0", "%n")
        elif self.signature.transposed:
            yield Chunk("0", self.ir.emit(f"mul i64 %n, {columns}"))
        else:
            with self.loop(str(-(-columns // ELEMENTS))) as number:
                first = self.ir.emit(f"mul i64 {number}, {ELEMENTS}")
                left = self.ir.emit(f"sub i64 {columns}, {first}")
                few = self.ir.emit(f"icmp slt i64 {left}, {ELEMENTS}")
                length = self.ir.emit(f"select i1 {few}, i64 {left}, i64 {ELEMENTS}")
                yield Chunk(first, length)

    def transposed_index(self, row: str, column: str) -> str:
        """Return the index of an element in an array of transposed rows."""
        first = self.ir.emit(f"mul i64 {column}, %n")
        return self.ir.emit(f"add i64 {first}, {row}")

    # Memory.

    def array_name(
        self, name: str, kind: str, *, of_rows: bool = False, of_chunk: bool = False
    ) -> str:
        """Return the name of an array of the memory."""
        columns = 1 if of_rows else self.signature.row_length
        if of_chunk and not self.signature.transposed:
            columns = min(columns, ELEMENTS)
        size = SIZES[kind] * columns * self.signature.strip_rows
        self.arrays[name] = -(-size // _ALIGNED) * _ALIGNED
        return f"%{name}"

    def store(self, array: str, kind: str, value: str, index: str) -> None:
        """Store a value in an array."""
        if kind == TRUTH:
            kind, value = "i8", self.ir.emit(f"zext i1 {value} to i8")
        address = self.ir.emit(f"getelementptr inbounds {kind}, ptr {array}, i64 {index}")
        self.ir.emit_void(f"store {kind} {value}, ptr {address}")

    def load(self, array: str, kind: str, index: str) -> str:
        """Load a value of an array."""
        stored = "i8" if kind == TRUTH else kind
        address = self.ir.emit(f"getelementptr inbounds {stored}, ptr {array}, i64 {index}")
        value = self.ir.emit(f"load {stored}, ptr {address}")
        return self.ir.emit(f"trunc i8 {value} to i1") if kind == TRUTH else value

    # Calls.

    def call_loop(self, name: str, kind: str, length: str, slots: list[tuple[str, int]]) -> None:
        """Call NumPy's loop of a function on arrays and their strides, the result last.

        Without a lock the loop cannot fail, so its return value is ignored.
        """
        ir = self.ir
        if (name, kind) not in self.functions:
            self.functions.append((name, kind))
        entry = 3 * self.functions.index((name, kind))
        for place, (array, stride) in enumerate(slots):
            self.store("%arguments", "ptr", array, str(place))
            self.store("%strides", "i64", str(stride), str(place))
        ir.emit_void(f"store i64 {length}, ptr %length")
        loop, context, extra = (self.load("%loops", "ptr", str(entry + part)) for part in range(3))
        arguments = f"ptr {context}, ptr %arguments, ptr %length, ptr %strides, ptr {extra}"
        ir.emit(f"call i32 {loop}({arguments})")

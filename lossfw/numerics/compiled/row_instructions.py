"""Row instructions: the loops of a kernel of rows, its memory, and calls of NumPy's loops."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from lossfw.numerics.compiled.ir import SIZES, LoopName
from lossfw.numerics.compiled.operations import TRUTH, Lines
from lossfw.numerics.compiled.row_shape import ELEMENTS, RowShape

# Arrays begin at multiples of this, the size of a line of the cache.
_ALIGNED = 64


class Chunk(NamedTuple):
    """The columns of a chunk: the first, and their number; of turned rows all elements."""

    first: str
    length: str


class Place(NamedTuple):
    """The place of an element: its row in the strip, its column, and where arrays have it."""

    row: str
    column: str
    long: str
    short: str


class RowInstructions:
    """Instructions in blocks.

    Attributes
    ----------
    shape : RowShape
    lines : Lines
    here : str
        The label of the block that is being written.
    functions : list of LoopName
        The functions of NumPy that are called.
    arrays : dict of str to int
        The arrays of the memory, and their bytes.
    """

    def __init__(self, shape: RowShape) -> None:
        self.shape = shape
        self.lines = Lines()
        self.here = "enter"
        self.functions: list[LoopName] = []
        self.arrays: dict[str, int] = {}
        self._count = 0

    def number(self) -> int:
        """Return a number for labels that no other has."""
        self._count += 1
        return self._count

    # Loops.

    @contextmanager
    def loop(self, count: str) -> Iterator[str]:
        """Write a loop, the counter of which goes from 0 to `count`."""
        n, lines = self.number(), self.lines
        i = f"%i{n}"
        lines.do(f"br label %head{n}")
        lines.text.append(f"head{n}:")
        lines.do(f"{i} = phi i64 [0, %{self.here}], [{i}n, %next{n}]")
        lines.do(f"%go{n} = icmp slt i64 {i}, {count}")
        lines.do(f"br i1 %go{n}, label %body{n}, label %end{n}")
        lines.text.append(f"body{n}:")
        self.here = f"body{n}"
        yield i
        lines.do(f"br label %next{n}")
        lines.text.append(f"next{n}:")
        lines.do(f"{i}n = add nuw nsw i64 {i}, 1")
        lines.do(f"br label %head{n}")
        lines.text.append(f"end{n}:")
        self.here = f"end{n}"

    @contextmanager
    def where(self, condition: str) -> Iterator[None]:
        """Write instructions that run if a condition holds."""
        number, lines = self.number(), self.lines
        then, after = f"then{number}", f"after{number}"
        lines.do(f"br i1 {condition}, label %{then}, label %{after}")
        lines.text.append(f"{then}:")
        self.here = then
        yield
        lines.do(f"br label %{after}")
        lines.text.append(f"{after}:")
        self.here = after

    @contextmanager
    def elements(self, chunk: Chunk) -> Iterator[Place]:
        """Write a loop over the elements of a strip, or of a chunk of a row."""
        if not self.shape.turned:
            with self.loop(chunk.length) as i:
                at = self.lines.put(f"add i64 {chunk.first}, {i}")
                yield Place(row="0", column=at, long=at, short=i)
            return
        with self.loop(str(self.shape.columns)) as k:
            first = self.lines.put(f"mul i64 {k}, %n")
            with self.loop("%n") as r:
                at = self.lines.put(f"add i64 {first}, {r}")
                yield Place(row=r, column=k, long=at, short=at)

    @contextmanager
    def chunks(self) -> Iterator[Chunk]:
        """Write a loop over the chunks of a strip; turned rows are one."""
        columns = self.shape.columns
        if self.shape.turned:
            yield Chunk("0", self.lines.put(f"mul i64 %n, {columns}"))
            return
        with self.loop(str(-(-columns // ELEMENTS))) as number:
            first = self.lines.put(f"mul i64 {number}, {ELEMENTS}")
            left = self.lines.put(f"sub i64 {columns}, {first}")
            few = self.lines.put(f"icmp slt i64 {left}, {ELEMENTS}")
            yield Chunk(first, self.lines.put(f"select i1 {few}, i64 {left}, i64 {ELEMENTS}"))

    # Memory.

    def array(self, name: str, kind: str, *, of_rows: bool = False, short: bool = False) -> str:
        """Return the name of an array of the memory."""
        columns = 1 if of_rows else self.shape.columns
        if short and not self.shape.turned:
            columns = min(columns, ELEMENTS)
        size = SIZES["i1" if kind == "i8" else kind] * columns * self.shape.rows
        self.arrays[name] = -(-size // _ALIGNED) * _ALIGNED
        return f"%{name}"

    def places(self) -> tuple[dict[str, int], int]:
        """Return where each array begins in the memory, and its size."""
        places, size = {}, 0
        for name, length in self.arrays.items():
            places[name] = size
            size += length
        return places, size

    def store(self, array: str, kind: str, value: str, at: str) -> None:
        """Store a value in an array."""
        if kind == TRUTH:
            kind, value = "i8", self.lines.put(f"zext i1 {value} to i8")
        place = self.lines.put(f"getelementptr inbounds {kind}, ptr {array}, i64 {at}")
        self.lines.do(f"store {kind} {value}, ptr {place}")

    def load(self, array: str, kind: str, at: str) -> str:
        """Load a value of an array."""
        memory = "i8" if kind == TRUTH else kind
        place = self.lines.put(f"getelementptr inbounds {memory}, ptr {array}, i64 {at}")
        value = self.lines.put(f"load {memory}, ptr {place}")
        return self.lines.put(f"trunc i8 {value} to i1") if kind == TRUTH else value

    # Calls.

    def call_loop(self, name: str, kind: str, length: str, slots: list[tuple[str, int]]) -> None:
        """Call NumPy's loop of a function on arrays and their steps, the result last.

        It needs no lock, and so it cannot fail: what it returns is not looked at.
        """
        lines = self.lines
        if (name, kind) not in self.functions:
            self.functions.append((name, kind))
        entry = 3 * self.functions.index((name, kind))
        for place, (array, step) in enumerate(slots):
            at = lines.put(f"getelementptr inbounds ptr, ptr %arguments, i64 {place}")
            lines.do(f"store ptr {array}, ptr {at}")
            at = lines.put(f"getelementptr inbounds i64, ptr %steps, i64 {place}")
            lines.do(f"store i64 {step}, ptr {at}")
        lines.do(f"store i64 {length}, ptr %length")
        loop, context, extra = (self.load("%loops", "ptr", str(entry + part)) for part in range(3))
        lines.put(
            f"call i32 {loop}(ptr {context}, ptr %arguments, ptr %length, ptr %steps, ptr {extra})"
        )

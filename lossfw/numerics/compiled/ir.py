"""LLVM's intermediate representation of a kernel.

A kernel goes over contiguous arrays and writes losses, slopes or both, and returns the sum of
the losses in NumPy's order. It has four functions: ``@kernel``, the halves of the pairwise
sum in ``@tree``, a strip of some hundred elements in ``@strip``, and its sum in
``@pairwise_double``.
Where a body has rare cases, ``@strip`` computes none of them, and leaves a strip in which one
comes up to ``@whole``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from lossfw.numerics.compiled.frame import arguments, kernel, parameters, tree
from lossfw.numerics.compiled.layout import CALLED, Layout, UncompiledError
from lossfw.numerics.compiled.node_values import NodeValues
from lossfw.numerics.compiled.operations import (
    DOUBLE,
    FLOAT,
    INTEGER,
    INTRINSICS,
    SHORT,
    TRUTH,
    UNKNOWN,
    Lines,
    compute,
    literal,
    type_of,
)
from lossfw.numerics.compiled.sums import CONVERTED, pairwise
from lossfw.numerics.symbolic.graph import CONSTANT, INPUT, Graph

# Elements of a strip. Its arrays, 2 to 4 KiB each, fit the first-level cache.
STRIP = 512

# At the end of a strip with a rare element.
_AGAIN = """\
  %rare_here = load i32, ptr %rare
  %is_usual = icmp eq i32 %rare_here, 0
  br i1 %is_usual, label %usual, label %again
again:
  %total_of_whole = call double @whole({given})
  ret double %total_of_whole
usual:
"""

SIZES = {FLOAT: 4, DOUBLE: 8, INTEGER: 8, SHORT: 4, TRUTH: 1}


@dataclass(frozen=True)
class Bound:
    """A bound of an argument: the kernel reports a number outside, and goes on.

    Attributes
    ----------
    name : str
        The input.
    test : str
        The comparison of LLVM that holds outside, as ``"olt"``; ``"members"`` if all numbers
        but a few lie outside, and ``"whole"`` if those that are not whole do.
    values : tuple of float
        The bound, or the members.
    """

    name: str
    test: str
    values: tuple[float, ...] = ()


@dataclass(frozen=True)
class Shape:
    """The inputs and outputs of a kernel.

    Attributes
    ----------
    inputs : tuple of str
        The arrays, all of one dtype.
    losses, slopes : bool
        Whether the first output is losses, and whether the last is slopes.
    weighted : bool
        Losses are multiplied by weights and only summed, slopes are multiplied too.
    bounds : tuple of Bound
    summed : bool
        Losses are summed; else they are only written.
    """

    inputs: tuple[str, ...]
    losses: bool
    slopes: bool
    weighted: bool = False
    bounds: tuple[Bound, ...] = ()
    summed: bool = True

    @property
    def has_sum(self) -> bool:
        """Whether the kernel returns the sum of losses."""
        return self.losses and self.summed


# A function of NumPy and the type of LLVM for which its loop is wanted.
LoopName: TypeAlias = tuple[str, str]


def intermediate(graph: Graph, kind: str, shape: Shape) -> tuple[str, list[LoopName]]:
    """Return the text of a kernel, and the functions of NumPy that it calls.

    Parameters
    ----------
    graph : Graph
    kind : str
        The type of LLVM of all inputs and outputs, float or double.
    shape : Shape

    Raises
    ------
    UncompiledError
        If an operation has no compiled form, or an output has another type.
    """
    strip = _Writer(Layout.of(graph.usual()), kind, shape, "strip")
    strips = [strip.text()]
    if strip.conditions:
        strips.append(_Writer(Layout.of(graph), kind, shape, "whole", strip).text())
    names = shape.inputs
    converted = kind == FLOAT and not shape.weighted
    chunk = str(CONVERTED) if converted else "%n"
    parts = [*tables(strip.lines), *declarations(), *strips]
    if shape.has_sum:
        parts += [pairwise(DOUBLE if shape.weighted else kind), tree(names, STRIP)]
    parts.append(kernel(names, "tree" if shape.has_sum else "strip", chunk, STRIP))
    return "\n".join(parts) + "\n", strip.functions


class _Writer:
    """The text of the function of a strip, while it is written.

    Where the graph has conditions of rare values, the function begins anew with ``@whole`` if
    one of them holds in its strip.
    """

    def __init__(
        self, layout: Layout, kind: str, shape: Shape, name: str, beside: _Writer | None = None
    ) -> None:
        self.layout, self.kind, self.shape, self.name = layout, kind, shape, name
        # Both functions of a kernel have the same tables.
        self.lines: Lines = Lines(beside.lines.tables if beside else {})
        self.functions: list[LoopName] = beside.functions if beside else []
        results = shape.losses + shape.slopes
        self.conditions = layout.graph.outputs[results:]
        for output in layout.graph.outputs[:results]:
            if type_of(layout.node(output).dtype) != kind:
                raise UncompiledError(f"a result is {layout.node(output).dtype}")
        first = layout.graph.outputs[0]
        called = shape.losses and not shape.weighted and layout.node(first).op in CALLED
        # The losses if they are what a call computes, and so need not be moved.
        self.direct = first if called else None

    def text(self) -> str:
        """Return the text of the function."""
        for segment in range(self.layout.last + 1):
            self._segment(segment)
        return self._strip()

    # One segment.

    def _segment(self, segment: int) -> None:
        """Write the loop of a segment, and the calls after it."""
        lines, layout = self.lines, self.layout
        before = f"end{segment - 1}" if segment else "begin"
        i = f"%i{segment}"
        lines.do(f"br label %head{segment}")
        lines.text.append(f"head{segment}:")
        lines.do(f"{i} = phi i64 [0, %{before}], [{i}n, %body{segment}]")
        lines.do(f"%go{segment} = icmp slt i64 {i}, %n")
        lines.do(f"br i1 %go{segment}, label %body{segment}, label %end{segment}")
        lines.text.append(f"body{segment}:")
        values = _Values(self, segment, i)
        if segment == 0:
            for bound in self.shape.bounds:
                lines.note(UNKNOWN, self._outside(bound, values.input(bound.name)))
        for condition in self.conditions:
            if layout.level[condition] == segment:
                lines.note("%rare", values.of(condition))
        for number in sorted(layout.wanted[segment]):
            if number in layout.stored and layout.node(number).op not in CALLED:
                self._store(number, values.of(number), i)
        calls = [call for call in layout.calls if layout.level[call] == segment + 1]
        for call in calls:
            for place, arg in enumerate(layout.node(call).args):
                if self._slot(call, place) == f"%a{call}_{place}":
                    value = values.of(arg)
                    self._store_at(f"%a{call}_{place}", self._type(arg), value, i)
        if segment == layout.last:
            self._results(values, i)
        lines.do(f"{i}n = add nuw nsw i64 {i}, 1")
        lines.do(f"br label %head{segment}")
        lines.text.append(f"end{segment}:")
        for call in calls:
            self._call(call)

    def _type(self, number: int) -> str:
        return type_of(self.layout.node(number).dtype)

    def _outside(self, bound: Bound, x: str) -> str:
        """Return whether a number lies outside; NaN never does."""
        lines, kind = self.lines, self.kind
        if bound.test == "whole":
            suffix = "f32" if kind == FLOAT else "f64"
            floor = lines.put(f"call {kind} @llvm.floor.{suffix}({kind} {x})")
            return lines.put(f"fcmp one {kind} {x}, {floor}")
        test = "one" if bound.test == "members" else bound.test
        # Outside of all: a member differs from every number but itself.
        outside = "true"
        for value in bound.values:
            differs = lines.put(f"fcmp {test} {kind} {x}, {literal(value, kind)}")
            outside = lines.put(f"and i1 {outside}, {differs}")
        return outside

    def _store(self, number: int, value: str, i: str) -> None:
        kind = self._type(number)
        if kind == TRUTH:
            kind, value = "i8", self.lines.put(f"zext i1 {value} to i8")
        self._store_at(f"%w{number}", kind, value, i)

    def _store_at(self, array: str, kind: str, value: str, i: str) -> None:
        place = self.lines.put(f"getelementptr inbounds {kind}, ptr {array}, i64 {i}")
        self.lines.do(f"store {kind} {value}, ptr {place}")

    def _results(self, values: _Values, i: str) -> None:
        outputs = list(self.layout.graph.outputs)
        lines, kind = self.lines, self.kind
        weight = ""
        if self.shape.weighted:
            place = lines.put(f"getelementptr inbounds double, ptr %weight, i64 {i}")
            weight = lines.put(f"load double, ptr {place}")
        if self.shape.losses:
            loss = values.of(outputs.pop(0))
            if weight:
                wide = loss if kind == DOUBLE else lines.put(f"fpext float {loss} to double")
                self._store_at("%b", DOUBLE, lines.put(f"fmul double {weight}, {wide}"), i)
            elif self.layout.graph.outputs[0] != self.direct:
                self._store_at("%b", kind, loss, i)
        if self.shape.slopes:
            self._store_at("%slopes", kind, self._scaled(values.of(outputs.pop(0)), weight), i)

    def _scaled(self, slope: str, weight: str) -> str:
        """Return a slope times the reduction's factor, as NumPy computes it."""
        lines, kind = self.lines, self.kind
        if not weight:
            return lines.put(f"fmul {kind} {slope}, %factor")
        both = lines.put(f"fmul double {weight}, %scale")
        wide = slope if kind == DOUBLE else lines.put(f"fpext float {slope} to double")
        product = lines.put(f"fmul double {wide}, {both}")
        return product if kind == DOUBLE else lines.put(f"fptrunc double {product} to float")

    # Calls of NumPy's loops.

    def _slot(self, call: int, place: int) -> str:
        """Return the array of an argument of a call."""
        arg = self.layout.node(call).args[place]
        node = self.layout.node(arg)
        if node.op == CONSTANT:
            return f"%c{call}_{place}"
        if node.op == INPUT:
            return f"%{node.value}"
        if arg in self.layout.stored:
            return self.array_of(arg)
        return f"%a{call}_{place}"

    def array_of(self, number: int) -> str:
        """Return the array of a stored node; a loss that a call computes is at its place."""
        return "%b" if number == self.direct else f"%w{number}"

    def _call(self, call: int) -> None:
        """Call NumPy's loop; a constant has a step of 0, as where NumPy is given a number."""
        lines, node = self.lines, self.layout.node(call)
        kind = self._type(call)
        function = (node.op, kind)
        if function not in self.functions:
            self.functions.append(function)
        entry = 3 * self.functions.index(function)
        slots = [self._slot(call, place) for place in range(len(node.args))]
        for place, slot in enumerate([*slots, self.array_of(call)]):
            step = 0 if slot.startswith("%c") else SIZES[kind]
            at = lines.put(f"getelementptr inbounds ptr, ptr %arguments, i64 {place}")
            lines.do(f"store ptr {slot}, ptr {at}")
            at = lines.put(f"getelementptr inbounds i64, ptr %steps, i64 {place}")
            lines.do(f"store i64 {step}, ptr {at}")
        lines.do("store i64 %n, ptr %length")
        loop, context, extra = (self._of_loop(entry + part) for part in range(3))
        failed = lines.put(
            f"call i32 {loop}(ptr {context}, ptr %arguments, ptr %length, ptr %steps, ptr {extra})"
        )
        so_far = lines.put("load i32, ptr %bad")
        lines.do(f"store i32 {lines.put(f'or i32 {so_far}, {failed}')}, ptr %bad")

    def _of_loop(self, entry: int) -> str:
        """Return an entry of the table of loops."""
        place = self.lines.put(f"getelementptr inbounds ptr, ptr %loops, i64 {entry}")
        return self.lines.put(f"load ptr, ptr {place}")

    # Whole functions.

    def _arrays(self) -> list[str]:
        """Return the scratch arrays of a strip."""
        found = []
        for number in sorted(self.layout.stored - {self.direct}):
            kind = self._type(number)
            kind = "i8" if kind == TRUTH else kind
            found.append(f"  %w{number} = alloca [{STRIP} x {kind}], align 64")
        for call in self.layout.calls:
            for place, arg in enumerate(self.layout.node(call).args):
                slot, kind = self._slot(call, place), self._type(arg)
                if slot.startswith("%c"):
                    found.append(f"  {slot} = alloca {kind}, align 8")
                    value = literal(self.layout.node(arg).value, kind)
                    found.append(f"  store {kind} {value}, ptr {slot}")
                elif slot.startswith("%a"):
                    found.append(f"  {slot} = alloca [{STRIP} x {kind}], align 64")
        return found

    def _strip(self) -> str:
        """Return the function of a strip, of `n` elements from `lo` on."""
        given = arguments(self.shape.inputs, "%lo", "%n")
        kind, inputs = self.kind, self.shape.inputs
        summed = DOUBLE if self.shape.weighted else kind
        moved = [*((name, kind) for name in inputs), ("slopes", kind), ("weight", DOUBLE)]
        narrow = "fptrunc double %scale to float"
        return "\n".join(
            [
                f"define internal double @{self.name}({parameters(inputs)}) noinline nounwind {{",
                "enter:",
                f"  %scratch = alloca [{STRIP} x {summed}], align 64",
                *self._arrays(),
                "  %arguments = alloca [4 x ptr]",
                "  %steps = alloca [4 x i64]",
                "  %length = alloca i64",
                "  %bad = alloca i32",
                "  store i32 0, ptr %bad",
                "  %rare = alloca i32",
                "  store i32 0, ptr %rare",
                f"  %factor = {narrow if kind == FLOAT else 'fadd double %scale, -0.0'}",
                *(
                    f"  %{name} = getelementptr inbounds {of}, ptr %{name}_, i64 %lo"
                    for name, of in moved
                ),
                "  %unkept = icmp eq ptr %losses_, null",
                f"  %kept = getelementptr {kind}, ptr %losses_, i64 %lo",
                "  %b = select i1 %unkept, ptr %scratch, ptr %kept",
                "  br label %begin",
                "begin:",
                *self.lines.text,
                *(_AGAIN.format(given=given).splitlines() if self.conditions else ()),
                "  %bad_here = load i32, ptr %bad",
                "  %bad_before = load i32, ptr %bad_",
                "  %bad_now = or i32 %bad_here, %bad_before",
                "  store i32 %bad_now, ptr %bad_",
                "  %total = call double @pairwise_double(ptr %b, i64 %n)"
                if self.shape.has_sum
                else "  %total = fadd double 0.0, 0.0",
                "  ret double %total",
                "}",
            ]
        )


class _Values(NodeValues[_Writer]):
    """The values of nodes in the loop of a segment."""

    def __init__(self, writer: _Writer, segment: int, i: str) -> None:
        super().__init__(writer)
        self.segment, self.i = segment, i
        self.inputs: dict[str, str] = {}

    def _made(self, number: int) -> str:
        layout = self.writer.layout
        node = layout.node(number)
        if node.op == CONSTANT:
            return literal(node.value, type_of(node.dtype))
        if node.op == INPUT:
            return self.input(node.value)
        earlier = layout.level[number] < self.segment or node.op in CALLED
        if number in layout.stored and earlier:
            return self._loaded(self.writer.array_of(number), type_of(node.dtype))
        arguments = [self.of(arg) for arg in node.args]
        return compute(self.writer.lines, layout.graph, node, arguments)

    def input(self, name: str) -> str:
        """Return the name of an input's value."""
        if name not in self.inputs:
            self.inputs[name] = self._loaded(f"%{name}", self.writer.kind)
        return self.inputs[name]

    def _loaded(self, array: str, kind: str) -> str:
        lines = self.writer.lines
        memory = "i8" if kind == TRUTH else kind
        place = lines.put(f"getelementptr inbounds {memory}, ptr {array}, i64 {self.i}")
        value = lines.put(f"load {memory}, ptr {place}")
        return lines.put(f"trunc i8 {value} to i1") if kind == TRUTH else value


def declarations() -> list[str]:
    """Return the declarations of LLVM's own functions."""
    found = []
    for kind, suffix in ((FLOAT, "f32"), (DOUBLE, "f64")):
        for name in INTRINSICS.values():
            found.append(f"declare {kind} @llvm.{name}.{suffix}({kind})")
        found.append(f"declare {kind} @llvm.copysign.{suffix}({kind}, {kind})")
    return found


def tables(lines: Lines) -> list[str]:
    """Return the constant tables that instructions use."""
    return [f"{name} = internal constant {table}, align 64" for table, name in lines.tables.items()]

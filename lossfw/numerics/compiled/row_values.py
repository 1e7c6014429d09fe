"""Row values: the values of nodes in the loops of a kernel of rows."""

from __future__ import annotations

from lossfw.numerics.compiled.layout import CALLED
from lossfw.numerics.compiled.node_values import NodeValues
from lossfw.numerics.compiled.operations import compute, index_within, literal, type_of
from lossfw.numerics.compiled.row_instructions import Place, RowInstructions
from lossfw.numerics.compiled.row_layout import RowLayout, Time
from lossfw.numerics.compiled.row_shape import RowShape
from lossfw.numerics.symbolic.graph import COLUMN, CONSTANT, INPUT, REDUCTIONS, TAKEN


class KeptNodes(RowInstructions):
    """Instructions of a graph, and the arrays in which its nodes are kept.

    Attributes
    ----------
    kind : str
        The type of LLVM of inputs and outputs.
    layout : RowLayout
    """

    def __init__(self, shape: RowShape, kind: str, layout: RowLayout) -> None:
        super().__init__(shape)
        self.kind, self.layout = kind, layout

    def type(self, number: int) -> str:
        """Return the type of LLVM of a node."""
        return type_of(self.layout.node(number).dtype)

    def array_of(self, number: int) -> str:
        """Return the array of a kept node."""
        kind = self.type(number)
        if not self.layout.wide[number]:
            return self.array(f"r{number}", kind, of_rows=True)
        long = number in self.layout.long
        return self.array(f"{'l' if long else 's'}{number}", kind, short=not long)

    def input(self, name: str) -> str:
        """Return the array of an input, turned if rows are."""
        return f"%in_{name}" if self.shape.turned else f"%{name}"


class RowValues(NodeValues[KeptNodes]):
    """The values of nodes of one number for each row, in a loop over rows."""

    def __init__(self, writer: KeptNodes, row: str, phase: int) -> None:
        super().__init__(writer)
        self.row, self.phase = row, phase

    def _made(self, number: int) -> str:
        writer, layout = self.writer, self.writer.layout
        node, kind = layout.node(number), writer.type(number)
        if node.op == CONSTANT:
            return literal(node.value, kind)
        if node.op == INPUT:
            return writer.load(f"%{node.value}", kind, self.row)
        known = node.op in CALLED or node.op in REDUCTIONS
        if known or (number in layout.kept and layout.time[number].phase < self.phase):
            return writer.load(writer.array_of(number), kind, self.row)
        if node.op == TAKEN:
            return self._taken(layout.node(node.args[0]).value, kind, self.of(node.args[1]))
        return compute(writer.lines, layout.graph, node, [self.of(arg) for arg in node.args])

    def _taken(self, name: str, kind: str, index: str) -> str:
        """Return an element of a row."""
        writer, lines = self.writer, self.writer.lines
        index = index_within(lines, index, writer.shape.columns)
        if writer.shape.turned:
            first = lines.put(f"mul i64 {index}, %n")
            index = lines.put(f"add i64 {first}, {self.row}")
        return writer.load(writer.input(name), kind, index)


class ElementValues(NodeValues[KeptNodes]):
    """The values of nodes in the loop of a step over elements."""

    def __init__(self, writer: KeptNodes, time: Time, place: Place) -> None:
        super().__init__(writer)
        self.time, self.place = time, place

    def _made(self, number: int) -> str:
        writer, layout, place = self.writer, self.writer.layout, self.place
        node, kind = layout.node(number), writer.type(number)
        if node.op == CONSTANT:
            return literal(node.value, kind)
        if node.op == COLUMN:
            return place.column
        if node.op == INPUT and layout.wide[number]:
            return writer.load(writer.input(node.value), kind, place.long)
        if node.op == INPUT:
            return writer.load(f"%{node.value}", kind, place.row)
        if not layout.wide[number] and number in layout.kept:
            return writer.load(writer.array_of(number), kind, place.row)
        earlier = layout.time[number] < self.time or node.op in CALLED
        if earlier and layout.is_kept(number, self.time.phase):
            at = place.long if number in layout.long else place.short
            return writer.load(writer.array_of(number), kind, at)
        return compute(writer.lines, layout.graph, node, [self.of(arg) for arg in node.args])

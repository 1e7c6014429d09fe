"""LLVM's instructions for the operations of a graph."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from lossfw.numerics.compiled.layout import UncompiledError
from lossfw.numerics.symbolic.graph import BY_BODY, CAST, FRACTION, LOOK_UP, Graph, Operation

FLOAT, DOUBLE, TRUTH, INTEGER, SHORT = "float", "double", "i1", "i64", "i32"
_FLOATS, _INTEGERS = (FLOAT, DOUBLE), (INTEGER, SHORT)

# The bits of a number of an integer type. Those of other widths are refused: NumPy has functions
# of its own for them, and no body needs them.
_BITS = {INTEGER: 64, SHORT: 32}

_ARITHMETIC = {"add": "add", "subtract": "sub", "multiply": "mul", "divide": "div"}
_COMPARISONS = {
    "less": "lt",
    "less_equal": "le",
    "greater": "gt",
    "greater_equal": "ge",
    "equal": "eq",
    "not_equal": "ne",
}
_LOGIC = {"logical_and": "and", "logical_or": "or", "logical_xor": "xor"}
INTRINSICS = {
    "abs": "fabs",
    "sqrt": "sqrt",
    "floor": "floor",
    "ceil": "ceil",
    "trunc": "trunc",
    "round": "rint",
}

# The fields of a float64.
_MANTISSA = (1 << 52) - 1
_SIGN = 1 << 63
_BELOW_ONE = 1022 << 52
_LEAST_NORMAL = 2.0**-1022
_LIFT = 64


def type_of(dtype: np.dtype[Any]) -> str:
    """Return the type of LLVM for a dtype."""
    if dtype.kind == "b":
        return TRUTH
    if dtype in (np.int64, np.int32):
        return INTEGER if dtype == np.int64 else SHORT
    if dtype in (np.float32, np.float64):
        return FLOAT if dtype == np.float32 else DOUBLE
    raise UncompiledError(f"{dtype} has no compiled form")


def literal(value: Any, kind: str) -> str:
    """Return a number as LLVM writes it: floats by their bits, as float64."""
    if kind == TRUTH:
        return str(bool(value)).lower()
    if kind in _INTEGERS:
        return str(int(value))
    number = float(np.float32(value)) if kind == FLOAT else float(value)
    return f"0x{struct.unpack('<Q', struct.pack('<d', number))[0]:016X}"


class Lines:
    """Instructions, each with a name of its own.

    Attributes
    ----------
    text : list of str
    tables : dict
        The constant tables that the instructions use, as LLVM writes them, and their names.
    """

    def __init__(self, tables: dict[str, str] | None = None) -> None:
        self.text: list[str] = []
        self.tables: dict[str, str] = {} if tables is None else tables
        self._count = 0

    def put(self, instruction: str) -> str:
        """Add an instruction and return the name of its result."""
        self._count += 1
        name = f"%x{self._count}"
        self.text.append(f"  {name} = {instruction}")
        return name

    def do(self, instruction: str) -> None:
        """Add an instruction without a result."""
        self.text.append(f"  {instruction}")

    def note(self, place: str, truth: str) -> None:
        """Note in memory that something holds for an element."""
        wide = self.put(f"zext i1 {truth} to i32")
        so_far = self.put(f"load i32, ptr {place}")
        self.do(f"store i32 {self.put(f'or i32 {so_far}, {wide}')}, ptr {place}")


# Where instructions note that a kernel cannot compute what the body does.
UNKNOWN = "%bad"


def compute(lines: Lines, graph: Graph, node: Operation, a: list[str]) -> str:
    """Add the instructions of a node to lines, given the names of its arguments."""
    kind = type_of(node.dtype)
    source = type_of(graph.nodes[node.args[0]].dtype)
    if node.op in _ARITHMETIC:
        letter = "f" if kind in _FLOATS else ""
        return lines.put(f"{letter}{_ARITHMETIC[node.op]} {kind} {a[0]}, {a[1]}")
    if node.op in _COMPARISONS:
        return _compared(lines, node.op, source, a)
    if node.op in _LOGIC:
        return lines.put(f"{_LOGIC[node.op]} i1 {a[0]}, {a[1]}")
    if node.op == "logical_not":
        return lines.put(f"xor i1 {a[0]}, true")
    if node.op == "where":
        return lines.put(f"select i1 {a[0]}, {kind} {a[1]}, {kind} {a[2]}")
    if node.op == CAST:
        return _cast(lines, source, kind, a[0])
    if node.op == BY_BODY:
        lines.note(UNKNOWN, a[0])
        return a[1]
    if node.op == LOOK_UP:
        return _looked_up(lines, node, kind, a[0])
    if node.op == "negative" and source in _INTEGERS:
        return lines.put(f"sub {kind} 0, {a[0]}")
    if source not in _FLOATS:
        dtype = graph.nodes[node.args[0]].dtype
        raise UncompiledError(f"{node.op} of {dtype} has no compiled form")
    return _of_floats(lines, node.op, source, a)


def _compared(lines: Lines, op: str, source: str, a: list[str]) -> str:
    relation = _COMPARISONS[op]
    if source in _FLOATS:
        # Unordered, that is NaN, is different from everything.
        order = "u" if op == "not_equal" else "o"
        return lines.put(f"fcmp {order}{relation} {source} {a[0]}, {a[1]}")
    sign = "" if op in ("equal", "not_equal") else "s"
    return lines.put(f"icmp {sign}{relation} {source} {a[0]}, {a[1]}")


def _cast(lines: Lines, source: str, kind: str, x: str) -> str:
    if source == kind:
        return x
    if kind == TRUTH:
        test = "icmp ne" if source in _INTEGERS else "fcmp une"
        return lines.put(f"{test} {source} {x}, {literal(0, source)}")
    if source == TRUTH:
        return lines.put(f"{'zext' if kind in _INTEGERS else 'uitofp'} i1 {x} to {kind}")
    if source in _INTEGERS and kind in _INTEGERS:
        return lines.put(f"{'sext' if kind == INTEGER else 'trunc'} {source} {x} to {kind}")
    if source in _INTEGERS:
        return lines.put(f"sitofp {source} {x} to {kind}")
    if kind in _INTEGERS:
        return _whole(lines, source, kind, x)
    return lines.put(f"{'fpext' if kind == DOUBLE else 'fptrunc'} {source} {x} to {kind}")


def _whole(lines: Lines, source: str, kind: str, x: str) -> str:
    """Return a float as an integer; what becomes of one that does not fit is the processor's."""
    size = _intrinsic(lines, "fabs", source, x)
    lines.note(
        UNKNOWN, lines.put(f"fcmp uge {source} {size}, {literal(2.0 ** (_BITS[kind] - 1), source)}")
    )
    # Frozen, for LLVM knows nothing of the result.
    return lines.put(f"freeze {kind} {lines.put(f'fptosi {source} {x} to {kind}')}")


def index_within(lines: Lines, index: str, length: int) -> str:
    """Return an index of an axis as NumPy takes it, from the end if it is negative.

    It is noted if it lies outside, which NumPy tells as an error.
    """
    below = lines.put(f"icmp slt i64 {index}, 0")
    from_end = lines.put(f"add i64 {index}, {length}")
    index = lines.put(f"select i1 {below}, i64 {from_end}, i64 {index}")
    # Without a sign, a negative number is a large one.
    beyond = lines.put(f"icmp uge i64 {index}, {length}")
    lines.note(UNKNOWN, beyond)
    return lines.put(f"select i1 {beyond}, i64 0, i64 {index}")


def _looked_up(lines: Lines, node: Operation, kind: str, index: str) -> str:
    """Take an element of a table."""
    if kind == TRUTH or not node.value:
        raise UncompiledError(f"a table of {len(node.value)} {node.dtype} has no compiled form")
    numbers = ", ".join(f"{kind} {literal(x, kind)}" for x in node.value)
    table = f"[{len(node.value)} x {kind}] [{numbers}]"
    name = lines.tables.setdefault(table, f"@table{len(lines.tables)}")
    index = index_within(lines, index, len(node.value))
    place = lines.put(f"getelementptr inbounds {kind}, ptr {name}, i64 {index}")
    return lines.put(f"load {kind}, ptr {place}")


def _of_floats(lines: Lines, op: str, kind: str, a: list[str]) -> str:
    x = a[0]
    if op in INTRINSICS:
        return _intrinsic(lines, INTRINSICS[op], kind, x)
    if op == "negative":
        return lines.put(f"fneg {kind} {x}")
    if op == "square":
        return lines.put(f"fmul {kind} {x}, {x}")
    if op == "reciprocal":
        return lines.put(f"fdiv {kind} {literal(1.0, kind)}, {x}")
    if op in ("maximum", "minimum"):
        return extreme(lines, "ogt" if op == "maximum" else "olt", kind, *a)
    if op == "sign":
        return _sign(lines, kind, x)
    if op == "copysign":
        suffix = "f32" if kind == FLOAT else "f64"
        return lines.put(f"call {kind} @llvm.copysign.{suffix}({kind} {x}, {kind} {a[1]})")
    if op == "isnan":
        return lines.put(f"fcmp uno {kind} {x}, {x}")
    if op in ("isinf", "isfinite"):
        size = _intrinsic(lines, "fabs", kind, x)
        test = "oeq" if op == "isinf" else "olt"
        return lines.put(f"fcmp {test} {kind} {size}, {literal(float('inf'), kind)}")
    if op == "signbit":
        width = "i32" if kind == FLOAT else "i64"
        bits = lines.put(f"bitcast {kind} {x} to {width}")
        return lines.put(f"icmp slt {width} {bits}, 0")
    return _part(lines, op, kind, x)


def _intrinsic(lines: Lines, name: str, kind: str, x: str) -> str:
    suffix = "f32" if kind == FLOAT else "f64"
    return lines.put(f"call {kind} @llvm.{name}.{suffix}({kind} {x})")


def extreme(lines: Lines, test: str, kind: str, x: str, y: str) -> str:
    """Return the larger or the smaller; a NaN of either is the result."""
    better = lines.put(f"fcmp {test} {kind} {x}, {y}")
    chosen = lines.put(f"select i1 {better}, {kind} {x}, {kind} {y}")
    no_number = lines.put(f"fcmp uno {kind} {x}, {x}")
    return lines.put(f"select i1 {no_number}, {kind} {x}, {kind} {chosen}")


def _sign(lines: Lines, kind: str, x: str) -> str:
    """Return -1, 0 or 1; NaN stays, and a zero becomes +0."""
    result = x
    for test, value in (("oeq", 0.0), ("olt", -1.0), ("ogt", 1.0)):
        holds = lines.put(f"fcmp {test} {kind} {x}, {literal(0.0, kind)}")
        result = lines.put(f"select i1 {holds}, {kind} {literal(value, kind)}, {kind} {result}")
    return result


def _part(lines: Lines, op: str, kind: str, x: str) -> str:
    """Return fraction or exponent by the bits of a float64, in which every float32 is normal."""
    x = _cast(lines, kind, DOUBLE, x)
    size = _intrinsic(lines, "fabs", DOUBLE, x)
    small = lines.put(f"fcmp olt double {size}, {literal(_LEAST_NORMAL, DOUBLE)}")
    lifted = lines.put(f"fmul double {x}, {literal(2.0**_LIFT, DOUBLE)}")
    bits = lines.put(f"select i1 {small}, double {lifted}, double {x}")
    bits = lines.put(f"bitcast double {bits} to i64")
    # 0, infinity and NaN are their own fraction, with exponent 0.
    zero = lines.put(f"fcmp oeq double {x}, {literal(0.0, DOUBLE)}")
    finite = lines.put(f"fcmp olt double {size}, {literal(float('inf'), DOUBLE)}")
    endless = lines.put(f"xor i1 {finite}, true")
    special = lines.put(f"or i1 {zero}, {endless}")
    if op == FRACTION:
        kept = lines.put(f"and i64 {bits}, {_SIGN - (1 << 64) | _MANTISSA}")
        built = lines.put(f"or i64 {kept}, {_BELOW_ONE}")
        built = lines.put(f"bitcast i64 {built} to double")
        fraction = lines.put(f"select i1 {special}, double {x}, double {built}")
        return _cast(lines, DOUBLE, kind, fraction)
    shifted = lines.put(f"lshr i64 {bits}, 52")
    exponent = lines.put(f"and i64 {shifted}, 2047")
    less = lines.put(f"select i1 {small}, i64 {1022 + _LIFT}, i64 1022")
    exponent = lines.put(f"sub i64 {exponent}, {less}")
    exponent = lines.put(f"select i1 {special}, i64 0, i64 {exponent}")
    return _cast(lines, INTEGER, SHORT, exponent)

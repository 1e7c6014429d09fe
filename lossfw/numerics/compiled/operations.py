"""LLVM's instructions for the operations of a graph."""

from __future__ import annotations

import struct
from typing import Any, TypeAlias

import numpy as np

from lossfw.numerics.symbolic.graph import (
    CAST,
    EXPONENT,
    FRACTION,
    LOOK_UP,
    Graph,
    Operation,
)

# Operations that NumPy's inner loops compute: these bits are NumPy's own.
CALLED = frozenset(
    (
        *("exp", "expm1", "exp2", "log", "log1p", "log2", "log10", "sinh", "cosh", "tanh", "pow"),
        *("sin", "cos", "tan", "asin", "acos", "atan", "asinh", "acosh", "atanh", "atan2"),
        *("remainder", "logaddexp", "hypot"),
    )
)
# Operations that IEEE arithmetic defines to the last bit, or that only move bits.
INLINE = frozenset(
    (
        *("add", "subtract", "multiply", "divide", "negative", "abs", "square", "reciprocal"),
        *("sqrt", "floor", "ceil", "trunc", "round", "sign", "copysign", "maximum", "minimum"),
        *("less", "less_equal", "greater", "greater_equal", "equal", "not_equal"),
        *("logical_and", "logical_or", "logical_xor", "logical_not", "where"),
        *("isnan", "isinf", "isfinite", "signbit", CAST, FRACTION, EXPONENT, LOOK_UP),
    )
)

# Integers of other widths are refused: NumPy has functions of its own for them, and no body needs
# them.
FLOAT, DOUBLE, TRUTH, INTEGER, SHORT = "float", "double", "i1", "i64", "i32"
_FLOATS, _INTEGERS = (FLOAT, DOUBLE), (INTEGER, SHORT)
SIZES = {FLOAT: 4, DOUBLE: 8, INTEGER: 8, SHORT: 4, TRUTH: 1}

# A function of NumPy, and the type of LLVM of its arguments and its result.
LoopName: TypeAlias = tuple[str, str]

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
_INTRINSICS = {
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


class UncompiledError(Exception):
    """A graph has an operation without compiled form."""


def require_compiled_form(node: Operation, *others: str) -> None:
    """Raise `UncompiledError` for an operation that is neither in kernels nor in `others`."""
    if node.op not in CALLED and node.op not in INLINE and node.op not in others:
        raise UncompiledError(f"{node.op} has no compiled form")
    if node.op in CALLED and node.dtype.kind != "f":
        raise UncompiledError(f"{node.op} of {node.dtype} has no compiled form")


def llvm_type(dtype: np.dtype[Any]) -> str:
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


class IrBuilder:
    """LLVM instructions with unique names, and the constant tables that they use."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.tables: dict[str, str] = {}  # as LLVM writes them, and their names
        self._count = 0

    def emit(self, instruction: str) -> str:
        """Add an instruction and return the name of its result."""
        self._count += 1
        name = f"%x{self._count}"
        self.text.append(f"  {name} = {instruction}")
        return name

    def emit_void(self, instruction: str) -> None:
        """Add an instruction without a result."""
        self.text.append(f"  {instruction}")

    def record_truth(self, flag: str, truth: str) -> None:
        """Record in memory, in an i32, that a condition holds for an element."""
        wide = self.emit(f"zext i1 {truth} to i32")
        so_far = self.emit(f"load i32, ptr {flag}")
        self.emit_void(f"store i32 {self.emit(f'or i32 {so_far}, {wide}')}, ptr {flag}")


# Where instructions note that a kernel cannot compute what the body does.
BAD = "%bad"


def emit_operation(ir: IrBuilder, graph: Graph, node: Operation, a: list[str]) -> str:
    """Add the instructions of a node to lines, given the names of its arguments."""
    kind = llvm_type(node.dtype)
    source = llvm_type(graph.nodes[node.args[0]].dtype)
    if node.op in _ARITHMETIC:
        letter = "f" if kind in _FLOATS else ""
        return ir.emit(f"{letter}{_ARITHMETIC[node.op]} {kind} {a[0]}, {a[1]}")
    if node.op in _COMPARISONS:
        return _emit_comparison(ir, node.op, source, a)
    if node.op in _LOGIC:
        return ir.emit(f"{_LOGIC[node.op]} i1 {a[0]}, {a[1]}")
    if node.op == "logical_not":
        return ir.emit(f"xor i1 {a[0]}, true")
    if node.op == "where":
        return ir.emit(f"select i1 {a[0]}, {kind} {a[1]}, {kind} {a[2]}")
    if node.op == CAST:
        return _emit_cast(ir, source, kind, a[0])
    if node.op == LOOK_UP:
        return _emit_table_look_up(ir, node, kind, a[0])
    if node.op == "negative" and source in _INTEGERS:
        return ir.emit(f"sub {kind} 0, {a[0]}")
    if source not in _FLOATS:
        dtype = graph.nodes[node.args[0]].dtype
        raise UncompiledError(f"{node.op} of {dtype} has no compiled form")
    return _emit_float_operation(ir, node.op, source, a)


def _emit_comparison(ir: IrBuilder, op: str, source: str, a: list[str]) -> str:
    relation = _COMPARISONS[op]
    if source in _FLOATS:
        # Unordered, that is NaN, is different from everything.
        order = "u" if op == "not_equal" else "o"
        return ir.emit(f"fcmp {order}{relation} {source} {a[0]}, {a[1]}")
    sign = "" if op in ("equal", "not_equal") else "s"
    return ir.emit(f"icmp {sign}{relation} {source} {a[0]}, {a[1]}")


def _emit_cast(ir: IrBuilder, source: str, kind: str, x: str) -> str:
    if source == kind:
        return x
    if kind == TRUTH:
        test = "icmp ne" if source in _INTEGERS else "fcmp une"
        return ir.emit(f"{test} {source} {x}, {literal(0, source)}")
    if source == TRUTH:
        return ir.emit(f"{'zext' if kind in _INTEGERS else 'uitofp'} i1 {x} to {kind}")
    if source in _INTEGERS and kind in _INTEGERS:
        return ir.emit(f"{'sext' if kind == INTEGER else 'trunc'} {source} {x} to {kind}")
    if source in _INTEGERS:
        return ir.emit(f"sitofp {source} {x} to {kind}")
    if kind in _INTEGERS:
        return _emit_float_to_integer(ir, source, kind, x)
    return ir.emit(f"{'fpext' if kind == DOUBLE else 'fptrunc'} {source} {x} to {kind}")


def _emit_float_to_integer(ir: IrBuilder, source: str, kind: str, x: str) -> str:
    """Return a float as an integer; the processor decides what becomes of one that does not fit."""
    size = _emit_intrinsic(ir, "fabs", source, x)
    limit = literal(2.0 ** (8 * SIZES[kind] - 1), source)
    ir.record_truth(BAD, ir.emit(f"fcmp uge {source} {size}, {limit}"))
    # Frozen, because LLVM knows nothing about the result.
    return ir.emit(f"freeze {kind} {ir.emit(f'fptosi {source} {x} to {kind}')}")


def emit_bounded_index(ir: IrBuilder, index: str, length: int) -> str:
    """Return an index of an axis as in NumPy, from the end if it is negative.

    It records an index out of bounds, for which NumPy raises an error.
    """
    below = ir.emit(f"icmp slt i64 {index}, 0")
    from_end = ir.emit(f"add i64 {index}, {length}")
    index = ir.emit(f"select i1 {below}, i64 {from_end}, i64 {index}")
    # Without a sign, a negative number is a large one.
    beyond = ir.emit(f"icmp uge i64 {index}, {length}")
    ir.record_truth(BAD, beyond)
    return ir.emit(f"select i1 {beyond}, i64 0, i64 {index}")


def _emit_table_look_up(ir: IrBuilder, node: Operation, kind: str, index: str) -> str:
    """Take an element of a table."""
    if kind == TRUTH or not node.value:
        raise UncompiledError(f"a table of {len(node.value)} {node.dtype} has no compiled form")
    numbers = ", ".join(f"{kind} {literal(x, kind)}" for x in node.value)
    table = f"[{len(node.value)} x {kind}] [{numbers}]"
    name = ir.tables.setdefault(table, f"@table{len(ir.tables)}")
    index = emit_bounded_index(ir, index, len(node.value))
    place = ir.emit(f"getelementptr inbounds {kind}, ptr {name}, i64 {index}")
    return ir.emit(f"load {kind}, ptr {place}")


def _emit_float_operation(ir: IrBuilder, op: str, kind: str, a: list[str]) -> str:
    x = a[0]
    if op in _INTRINSICS:
        return _emit_intrinsic(ir, _INTRINSICS[op], kind, x)
    if op == "negative":
        return ir.emit(f"fneg {kind} {x}")
    if op == "square":
        return ir.emit(f"fmul {kind} {x}, {x}")
    if op == "reciprocal":
        return ir.emit(f"fdiv {kind} {literal(1.0, kind)}, {x}")
    if op in ("maximum", "minimum"):
        return emit_extreme(ir, "ogt" if op == "maximum" else "olt", kind, *a)
    if op == "sign":
        return _emit_sign(ir, kind, x)
    if op == "copysign":
        return _emit_intrinsic(ir, "copysign", kind, *a)
    if op == "isnan":
        return ir.emit(f"fcmp uno {kind} {x}, {x}")
    if op in ("isinf", "isfinite"):
        size = _emit_intrinsic(ir, "fabs", kind, x)
        test = "oeq" if op == "isinf" else "olt"
        return ir.emit(f"fcmp {test} {kind} {size}, {literal(float('inf'), kind)}")
    if op == "signbit":
        width = SHORT if kind == FLOAT else INTEGER
        bits = ir.emit(f"bitcast {kind} {x} to {width}")
        return ir.emit(f"icmp slt {width} {bits}, 0")
    return _emit_float_part(ir, op, kind, x)


def _emit_intrinsic(ir: IrBuilder, name: str, kind: str, *arguments: str) -> str:
    suffix = "f32" if kind == FLOAT else "f64"
    typed = ", ".join(f"{kind} {x}" for x in arguments)
    return ir.emit(f"call {kind} @llvm.{name}.{suffix}({typed})")


def emit_extreme(ir: IrBuilder, test: str, kind: str, x: str, y: str) -> str:
    """Return the larger or the smaller; a NaN of either is the result."""
    better = ir.emit(f"fcmp {test} {kind} {x}, {y}")
    chosen = ir.emit(f"select i1 {better}, {kind} {x}, {kind} {y}")
    no_number = ir.emit(f"fcmp uno {kind} {x}, {x}")
    return ir.emit(f"select i1 {no_number}, {kind} {x}, {kind} {chosen}")


def _emit_sign(ir: IrBuilder, kind: str, x: str) -> str:
    """Return -1, 0 or 1; NaN stays, and a zero becomes +0."""
    result = x
    for test, value in (("oeq", 0.0), ("olt", -1.0), ("ogt", 1.0)):
        holds = ir.emit(f"fcmp {test} {kind} {x}, {literal(0.0, kind)}")
        result = ir.emit(f"select i1 {holds}, {kind} {literal(value, kind)}, {kind} {result}")
    return result


def _emit_float_part(ir: IrBuilder, op: str, kind: str, x: str) -> str:
    """Return fraction or exponent by the bits of a float64, in which every float32 is normal."""
    x = _emit_cast(ir, kind, DOUBLE, x)
    size = _emit_intrinsic(ir, "fabs", DOUBLE, x)
    small = ir.emit(f"fcmp olt double {size}, {literal(_LEAST_NORMAL, DOUBLE)}")
    lifted = ir.emit(f"fmul double {x}, {literal(2.0**_LIFT, DOUBLE)}")
    bits = ir.emit(f"select i1 {small}, double {lifted}, double {x}")
    bits = ir.emit(f"bitcast double {bits} to i64")
    # 0, infinity and NaN are their own fraction, with exponent 0.
    zero = ir.emit(f"fcmp oeq double {x}, {literal(0.0, DOUBLE)}")
    finite = ir.emit(f"fcmp olt double {size}, {literal(float('inf'), DOUBLE)}")
    endless = ir.emit(f"xor i1 {finite}, true")
    special = ir.emit(f"or i1 {zero}, {endless}")
    if op == FRACTION:
        kept = ir.emit(f"and i64 {bits}, {_SIGN - (1 << 64) | _MANTISSA}")
        built = ir.emit(f"or i64 {kept}, {_BELOW_ONE}")
        built = ir.emit(f"bitcast i64 {built} to double")
        fraction = ir.emit(f"select i1 {special}, double {x}, double {built}")
        return _emit_cast(ir, DOUBLE, kind, fraction)
    shifted = ir.emit(f"lshr i64 {bits}, 52")
    exponent = ir.emit(f"and i64 {shifted}, 2047")
    less = ir.emit(f"select i1 {small}, i64 {1022 + _LIFT}, i64 1022")
    exponent = ir.emit(f"sub i64 {exponent}, {less}")
    exponent = ir.emit(f"select i1 {special}, i64 0, i64 {exponent}")
    return _emit_cast(ir, INTEGER, SHORT, exponent)


def declarations() -> list[str]:
    """Return the declarations of LLVM's own functions."""
    lines = ["declare void @llvm.prefetch.p0(ptr, i32, i32, i32)"]
    for kind, suffix in ((FLOAT, "f32"), (DOUBLE, "f64")):
        for name in _INTRINSICS.values():
            lines.append(f"declare {kind} @llvm.{name}.{suffix}({kind})")
        lines.append(f"declare {kind} @llvm.copysign.{suffix}({kind}, {kind})")
    return lines

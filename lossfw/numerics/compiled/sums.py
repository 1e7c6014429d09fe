"""LLVM's instructions for sums and extremes in NumPy's own order.

NumPy adds a contiguous array pairwise: halves that are multiples of 8 down to 128 elements, and
those in eight running sums. An array that must be converted to float64 is converted, and so summed,
in pieces of 8,192 elements one after the other.
"""

from __future__ import annotations

from functools import reduce

from lossfw.numerics.compiled.operations import DOUBLE, IrBuilder, emit_extreme, literal
from lossfw.numerics.compiled.signature import SumOrder

_LEAF = 128
_LANES = 8

_EXTREMES = {"max": "ogt", "min": "olt"}

# NumPy's buffer, in elements.
CONVERTED = 8192


def pairwise_function(kind: str, total: str = DOUBLE) -> str:
    """Return the function that sums an array of floats, in the same or another type.

    It is named ``@pairwise_`` and the type of the sum.
    """
    return f"""
define internal {total} @pairwise_{total}(ptr %a, i64 %n) nounwind {{
entry:
  %few = icmp slt i64 %n, {_LANES}
  br i1 %few, label %rest, label %many
many:
  %leaf = icmp sle i64 %n, {_LEAF}
  br i1 %leaf, label %first, label %halves
first:
{_load("x0", "0", kind, total, _LANES)}
  %whole = and i64 %n, -{_LANES}
  br label %lanes
lanes:
  %i = phi i64 [{_LANES}, %first], [%next, %more]
  %sums = phi <{_LANES} x {total}> [%x0, %first], [%added, %more]
  %go = icmp slt i64 %i, %whole
  br i1 %go, label %more, label %join
more:
{_load("x1", "%i", kind, total, _LANES)}
  %added = fadd <{_LANES} x {total}> %sums, %x1
  %next = add nuw nsw i64 %i, {_LANES}
  br label %lanes
join:
{_join_lanes(total)}
  br label %rest
rest:
  %from = phi i64 [0, %entry], [%whole, %join]
  %start = phi {total} [{literal(-0.0, total)}, %entry], [%lane_sum, %join]
  br label %single
single:
  %k = phi i64 [%from, %rest], [%k2, %one]
  %sum = phi {total} [%start, %rest], [%sum2, %one]
  %left = icmp slt i64 %k, %n
  br i1 %left, label %one, label %done
one:
{_load("x2", "%k", kind, total, 1)}
  %sum2 = fadd {total} %sum, %x2
  %k2 = add nuw nsw i64 %k, 1
  br label %single
done:
  ret {total} %sum
halves:
  %half = lshr i64 %n, 1
  %h = and i64 %half, -{_LANES}
  %a1 = call {total} @pairwise_{total}(ptr %a, i64 %h)
  %b = getelementptr inbounds {kind}, ptr %a, i64 %h
  %m = sub i64 %n, %h
  %b1 = call {total} @pairwise_{total}(ptr %b, i64 %m)
  %both = fadd {total} %a1, %b1
  ret {total} %both
}}
"""


def _load(name: str, index: str, kind: str, total: str, count: int) -> str:
    """Return the loading of one or several floats in the type of the sum."""
    many, wide = (x if count == 1 else f"<{count} x {x}>" for x in (kind, total))
    align = 8 if kind == DOUBLE else 4
    place = f"  %{name}p = getelementptr inbounds {kind}, ptr %a, i64 {index}\n"
    if kind == total:
        return f"{place}  %{name} = load {many}, ptr %{name}p, align {align}"
    loaded = f"  %{name}n = load {many}, ptr %{name}p, align {align}\n"
    return f"{place}{loaded}  %{name} = fpext {many} %{name}n to {wide}"


def _join_lanes(total: str) -> str:
    """Return the sum of eight running sums, as ((0+1)+(2+3)) + ((4+5)+(6+7))."""
    lines = [f"  %l{k} = extractelement <{_LANES} x {total}> %sums, i32 {k}" for k in range(_LANES)]
    names = [f"%l{k}" for k in range(_LANES)]
    step = 0
    while len(names) > 1:
        joined = []
        for left, right in zip(names[::2], names[1::2], strict=True):
            step += 1
            name = "%lane_sum" if len(names) == 2 else f"%j{step}"
            lines.append(f"  {name} = fadd {total} {left}, {right}")
            joined.append(name)
        names = joined
    return "\n".join(lines)


def reduce_row(ir: IrBuilder, op: str, kind: str, names: list[str], order: SumOrder) -> str:
    """Add the instructions of a reduction of a row of few elements, and return its result."""
    if op in _EXTREMES:
        return reduce(lambda a, b: emit_extreme(ir, _EXTREMES[op], kind, a, b), names)

    def add(a: str, b: str) -> str:
        return ir.emit(f"fadd {kind} {a}, {b}")

    zero = literal(0.0, kind)
    if order == "columns":
        return reduce(add, names, zero)
    count = len(names) // _LANES * _LANES
    lanes = names[: min(_LANES, count)]
    for first in range(_LANES, count, _LANES):
        lanes = [add(*pair) for pair in zip(lanes, names[first : first + _LANES], strict=True)]
    while len(lanes) > 1:
        lanes = [add(*pair) for pair in zip(lanes[::2], lanes[1::2], strict=True)]
    return add(zero, reduce(add, [*lanes, *names[count:]]))

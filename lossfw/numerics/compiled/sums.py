"""LLVM's instructions for a sum in NumPy's own order.

NumPy adds a contiguous array pairwise: halves that are multiples of 8 down to 128 elements,
and those in eight running sums. An array that has to be converted to float64 is converted, and
so added, in pieces of 8,192 elements, one after the other.
"""

from __future__ import annotations

from lossfw.numerics.compiled.operations import DOUBLE, literal

LEAF = 128
LANES = 8

# NumPy's buffer, in elements.
CONVERTED = 8192


def pairwise(kind: str) -> str:
    """Return the function ``@pairwise`` of an array of floats of one type."""
    return f"""
define internal double @pairwise(ptr %a, i64 %n) nounwind {{
entry:
  %few = icmp slt i64 %n, {LANES}
  br i1 %few, label %rest, label %many
many:
  %leaf = icmp sle i64 %n, {LEAF}
  br i1 %leaf, label %first, label %halves
first:
{_load("x0", "0", kind, LANES)}
  %whole = and i64 %n, -{LANES}
  br label %lanes
lanes:
  %i = phi i64 [{LANES}, %first], [%next, %more]
  %sums = phi <{LANES} x double> [%x0, %first], [%added, %more]
  %go = icmp slt i64 %i, %whole
  br i1 %go, label %more, label %join
more:
{_load("x1", "%i", kind, LANES)}
  %added = fadd <{LANES} x double> %sums, %x1
  %next = add nuw nsw i64 %i, {LANES}
  br label %lanes
join:
{_joined_lanes()}
  br label %rest
rest:
  %from = phi i64 [0, %entry], [%whole, %join]
  %start = phi double [{literal(-0.0, DOUBLE)}, %entry], [%lane_sum, %join]
  br label %single
single:
  %k = phi i64 [%from, %rest], [%k2, %one]
  %sum = phi double [%start, %rest], [%sum2, %one]
  %left = icmp slt i64 %k, %n
  br i1 %left, label %one, label %done
one:
{_load("x2", "%k", kind, 1)}
  %sum2 = fadd double %sum, %x2
  %k2 = add nuw nsw i64 %k, 1
  br label %single
done:
  ret double %sum
halves:
  %half = lshr i64 %n, 1
  %h = and i64 %half, -{LANES}
  %a1 = call double @pairwise(ptr %a, i64 %h)
  %b = getelementptr inbounds {kind}, ptr %a, i64 %h
  %m = sub i64 %n, %h
  %b1 = call double @pairwise(ptr %b, i64 %m)
  %both = fadd double %a1, %b1
  ret double %both
}}
"""


def _load(name: str, at: str, kind: str, count: int) -> str:
    """Return the loading of one or several floats as float64."""
    many, wide = (kind, DOUBLE) if count == 1 else (f"<{count} x {kind}>", f"<{count} x double>")
    align = 8 if kind == DOUBLE else 4
    place = f"  %{name}p = getelementptr inbounds {kind}, ptr %a, i64 {at}\n"
    if kind == DOUBLE:
        return f"{place}  %{name} = load {many}, ptr %{name}p, align {align}"
    loaded = f"  %{name}n = load {many}, ptr %{name}p, align {align}\n"
    return f"{place}{loaded}  %{name} = fpext {many} %{name}n to {wide}"


def _joined_lanes() -> str:
    """Return the sum of eight running sums, as ((0+1)+(2+3)) + ((4+5)+(6+7))."""
    lines = [f"  %l{k} = extractelement <{LANES} x double> %sums, i32 {k}" for k in range(LANES)]
    names = [f"%l{k}" for k in range(LANES)]
    step = 0
    while len(names) > 1:
        joined = []
        for left, right in zip(names[::2], names[1::2], strict=True):
            step += 1
            name = "%lane_sum" if len(names) == 2 else f"%j{step}"
            lines.append(f"  {name} = fadd double {left}, {right}")
            joined.append(name)
        names = joined
    return "\n".join(lines)

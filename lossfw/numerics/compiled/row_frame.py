"""The functions of a kernel of rows around its instructions: a strip, and the way in."""

from __future__ import annotations

from lossfw.numerics.compiled.operations import FLOAT, INTEGER, UNKNOWN
from lossfw.numerics.compiled.row_instructions import RowInstructions


def strip(written: RowInstructions, kind: str, constants: list[str]) -> str:
    """Return the function of a strip of `n` rows."""
    pointers = ", ".join(f"ptr noalias %{name}" for name in _parameters(written))
    narrow = "fptrunc double %scale to float"
    head = (
        f"define internal void @strip({pointers}, ptr noalias %loops, double %scale, "
        "i64 %row_step, i64 %column_step, i64 %slope_row_step, i64 %slope_column_step, "
        "i64 %n) noinline nounwind {"
    )
    return "\n".join(
        [
            head,
            "enter:",
            "  %arguments = alloca [4 x ptr]",
            "  %steps = alloca [4 x i64]",
            "  %length = alloca i64",
            "  %some = alloca i1",
            f"  {UNKNOWN} = alloca i32",
            f"  store i32 0, ptr {UNKNOWN}",
            *constants,
            f"  %factor = {narrow if kind == FLOAT else 'fadd double %scale, -0.0'}",
            *written.lines.text,
            f"  %unknown = load i32, ptr {UNKNOWN}",
            "  %outside_before = load i32, ptr %outside",
            "  %outside_now = or i32 %unknown, %outside_before",
            "  store i32 %outside_now, ptr %outside",
            "  ret void",
            "}",
        ]
    )


def kernel_of_rows(written: RowInstructions, kind: str) -> str:
    """Return the function ``@kernel``, which is called from outside."""
    shape = written.shape
    rows = shape.rows
    begins = [
        f"  %{name} = getelementptr i8, ptr %memory, i64 {place}"
        for name, place in written.places()[0].items()
    ]
    first, *second = shape.inputs
    moved = [(first, kind, "%from")]
    for name in second:
        by_index = shape.by_index
        moved.append((name, INTEGER if by_index else kind, "%lo" if by_index else "%from"))
    moved += [("losses", kind, "%lo"), ("slopes", kind, "%to")]
    moves = [f"  %{name} = getelementptr {of}, ptr %{name}_, i64 {at}" for name, of, at in moved]
    given = ", ".join(f"ptr %{name}" for name in _parameters(written))
    names = (*shape.inputs, "unused")[:2]
    arrays = ", ".join(f"ptr %{name}_" for name in (*names, "losses", "slopes"))
    return f"""
define void @kernel({arrays}, double %scale, i64 %count, i64 %row_step, i64 %column_step,
                i64 %slope_row_step, i64 %slope_column_step, ptr %outside, ptr %memory,
                ptr %loops) nounwind {{
enter:
{chr(10).join(begins)}
  br label %head
head:
  %lo = phi i64 [0, %enter], [%next, %body]
  %go = icmp slt i64 %lo, %count
  br i1 %go, label %body, label %done
body:
  %left = sub i64 %count, %lo
  %last = icmp slt i64 %left, {rows}
  %n = select i1 %last, i64 %left, i64 {rows}
  %from = mul i64 %lo, %row_step
  %to = mul i64 %lo, %slope_row_step
{chr(10).join(moves)}
  call void @strip({given}, ptr %loops, double %scale, i64 %row_step, i64 %column_step,
               i64 %slope_row_step, i64 %slope_column_step, i64 %n)
  %next = add i64 %lo, %n
  br label %head
done:
  ret void
}}
"""


def _parameters(written: RowInstructions) -> list[str]:
    return [*written.shape.inputs, "losses", "slopes", "outside", *written.arrays]

"""The functions of a kernel around its strips: the halves of the sum, and the way in."""

from __future__ import annotations


def parameters(inputs: tuple[str, ...]) -> str:
    """Return the parameters of the inner functions, which are all alike."""
    arrays = [*inputs, "losses", "slopes", "weight"]
    return (
        ", ".join(f"ptr noalias %{name}_" for name in arrays)
        + ", double %scale, ptr noalias %loops, ptr noalias %bad_, i64 %lo, i64 %n"
    )


def arguments(inputs: tuple[str, ...], lo: str, n: str) -> str:
    """Return the arguments of an inner function that is called by another."""
    arrays = [*inputs, "losses", "slopes", "weight"]
    given = ", ".join(f"ptr %{name}_" for name in arrays)
    return f"{given}, double %scale, ptr %loops, ptr %bad_, i64 {lo}, i64 {n}"


def tree(inputs: tuple[str, ...], strip: int) -> str:
    """Return the function ``@tree``: a sum by halves, as NumPy's pairwise sum takes them."""
    return f"""
define internal double @tree({parameters(inputs)}) nounwind {{
  %small = icmp sle i64 %n, {strip}
  br i1 %small, label %whole, label %halves
whole:
  %all = call double @strip({arguments(inputs, "%lo", "%n")})
  ret double %all
halves:
  %half = lshr i64 %n, 1
  %h = and i64 %half, -8
  %left = call double @tree({arguments(inputs, "%lo", "%h")})
  %middle = add i64 %lo, %h
  %rest = sub i64 %n, %h
  %right = call double @tree({arguments(inputs, "%middle", "%rest")})
  %both = fadd double %left, %right
  ret double %both
}}
"""


def kernel(inputs: tuple[str, ...], inner: str, chunk: str, strip: int) -> str:
    """Return the function ``@kernel``, which is called from outside.

    It adds the sums of pieces of `chunk` elements one after the other; without losses, and so
    without sums, pieces are strips. Its only argument is a record of all others, for each
    argument of a call from Python costs as much as some hundred elements: two arrays, the
    second of which may be unused, losses, slopes, weights, the factor of the slopes, the length,
    the place of the sum and NumPy's loops, of 8 bytes each.
    """
    names = (*inputs, "unused")[:2]
    fields = [(f"{name}_", "ptr") for name in (*names, "losses", "slopes", "weight")]
    fields += [("scale", "double"), ("count", "i64"), ("sum", "ptr"), ("loops", "ptr")]
    loads = "\n".join(
        f"  %at_{name} = getelementptr inbounds i64, ptr %record, i64 {place}\n"
        f"  %{name} = load {kind}, ptr %at_{name}"
        for place, (name, kind) in enumerate(fields)
    )
    step = chunk if inner == "tree" else str(strip)
    return f"""
define i32 @kernel(ptr %record) nounwind {{
enter:
{loads}
  %bad_ = alloca i32
  store i32 0, ptr %bad_
  br label %head
head:
  %lo = phi i64 [0, %enter], [%next, %body]
  %so_far = phi double [0.0, %enter], [%total, %body]
  %go = icmp slt i64 %lo, %count
  br i1 %go, label %body, label %done
body:
  %left = sub i64 %count, %lo
  %last = icmp slt i64 %left, {step.replace("%n", "%count")}
  %n = select i1 %last, i64 %left, i64 {step.replace("%n", "%count")}
  %piece = call double @{inner}({arguments(inputs, "%lo", "%n")})
  %total = fadd double %so_far, %piece
  %next = add i64 %lo, %n
  br label %head
done:
  store double %so_far, ptr %sum
  %bad = load i32, ptr %bad_
  ret i32 %bad
}}
"""

"""The functions of a kernel around its strips: the entry point, and the halves of the sum."""

from __future__ import annotations

from dataclasses import dataclass

from lossfw.numerics.compiled.signature import KernelSignature

# Only calls of rows have strides.
_STRIDES = ("row_stride", "column_stride", "out_row_stride", "out_column_stride")


@dataclass(frozen=True)
class KernelFrame:
    """The functions around the strips of a kernel."""

    signature: KernelSignature
    offsets: dict[str, int]  # where the arrays that all strips share begin in its memory

    @property
    def parameters(self) -> str:
        """The parameters that all inner functions have."""
        pointers = (f"ptr noalias %{name}" for name in self._pointers())
        return ", ".join([*pointers, "double %scale", *self._strides(), "i64 %lo", "i64 %n"])

    def arguments(self, lo: str, n: str) -> str:
        """Return the arguments with which one inner function calls another."""
        pointers = (f"ptr %{name}" for name in self._pointers())
        return ", ".join([*pointers, "double %scale", *self._strides(), f"i64 {lo}", f"i64 {n}"])

    def _strides(self) -> list[str]:
        return [] if self.signature.columns is None else [f"i64 %{name}" for name in _STRIDES]

    def _pointers(self) -> list[str]:
        arrays = (*self.signature.inputs, "values", "derivatives", "weight", "bad")
        return [*(f"{name}_" for name in arrays), *self.offsets, "loops"]

    def tree_function(self) -> str:
        """Return the function ``@tree``: a sum by halves, as in NumPy's pairwise sum."""
        return f"""
define internal double @tree({self.parameters}) nounwind {{
  %small = icmp sle i64 %n, {self.signature.row_length}
  br i1 %small, label %whole, label %halves
whole:
  %all = call double @strip({self.arguments("%lo", "%n")})
  ret double %all
halves:
  %half = lshr i64 %n, 1
  %h = and i64 %half, -8
  %left = call double @tree({self.arguments("%lo", "%h")})
  %middle = add i64 %lo, %h
  %rest = sub i64 %n, %h
  %right = call double @tree({self.arguments("%middle", "%rest")})
  %both = fadd double %left, %right
  ret double %both
}}
"""

    def kernel_function(self, inner: str, chunk: str) -> str:
        """Return the function ``@kernel``, the entry point.

        It calls an inner function for each chunk of rows or elements, and adds their sums.
        Its only argument is the record of a call, because each argument from Python costs
        as much as some hundred elements.
        """
        arrays = [f"{name}_" for name in (*self.signature.inputs, "unused")[:2]]
        fields = [(name, "ptr") for name in (*arrays, "values_", "derivatives_", "weight_")]
        fields += [("scale", "double"), ("count", "i64"), ("sum", "ptr"), ("loops", "ptr")]
        if self.signature.columns is not None:
            fields += [*((name, "i64") for name in _STRIDES), ("memory", "ptr")]
        loads = [
            f"  %at_{name} = getelementptr inbounds i64, ptr %record, i64 {place}\n"
            f"  %{name} = load {kind}, ptr %at_{name}"
            for place, (name, kind) in enumerate(fields)
        ]
        loads += [
            f"  %{name} = getelementptr i8, ptr %memory, i64 {offset}"
            for name, offset in self.offsets.items()
        ]
        newline = "\n"
        return f"""
define i32 @kernel(ptr %record) nounwind {{
enter:
{newline.join(loads)}
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
  %last = icmp slt i64 %left, {chunk}
  %n = select i1 %last, i64 %left, i64 {chunk}
  %part = call double @{inner}({self.arguments("%lo", "%n")})
  %total = fadd double %so_far, %part
  %next = add i64 %lo, %n
  br label %head
done:
  store double %so_far, ptr %sum
  %bad = load i32, ptr %bad_
  ret i32 %bad
}}
"""

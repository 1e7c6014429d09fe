"""Former names of functions, which stay for a release."""

from lossfw.numerics.parameters import cache_constants, high_precision, representable_limit
from lossfw.numerics.primitive import computed_in_float64, with_float32_form
from lossfw.numerics.selection import apply_where, apply_where_rows
from lossfw.numerics.xlogy import multiply_or_zero

holdable = representable_limit
in_double = computed_in_float64
in_double_by = with_float32_form
patched = apply_where
patched_rows = apply_where_rows
precisely = high_precision
remembered = cache_constants
times = multiply_or_zero

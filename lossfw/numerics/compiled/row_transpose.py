"""Transposition of a matrix, in blocks that stay in registers."""

from __future__ import annotations

# Rows and columns of a block. The last block of a row or a column begins earlier, so that it
# fits, and writes some elements again.
BLOCK = 4


def transpose_function(kind: str) -> str:
    """Return the function ``@transpose``: `to` gets the rows of `from` as its columns.

    Both have at least `BLOCK` rows and columns, a stride between rows, and adjacent columns. A loop
    over single elements takes three times as long.
    """
    four = f"<4 x {kind}>"
    loads = "\n".join(_load(i, kind, four) for i in range(BLOCK))
    stores = "\n".join(_store(i, kind, four) for i in range(BLOCK))
    return f"""
define internal void @transpose(ptr noalias %from, i64 %from_stride, ptr noalias %to,
                                i64 %to_stride, i64 %rows, i64 %columns) noinline nounwind {{
enter:
  %last_row = sub i64 %rows, {BLOCK}
  %last_column = sub i64 %columns, {BLOCK}
  br label %rows_head
rows_head:
  %i = phi i64 [0, %enter], [%next_i, %rows_next]
  %more_rows = icmp slt i64 %i, %rows
  br i1 %more_rows, label %rows_body, label %end
rows_body:
  %fits_i = icmp slt i64 %i, %last_row
  %row = select i1 %fits_i, i64 %i, i64 %last_row
  %first = mul i64 %row, %from_stride
  br label %columns_head
columns_head:
  %j = phi i64 [0, %rows_body], [%next_j, %columns_body]
  %more_columns = icmp slt i64 %j, %columns
  br i1 %more_columns, label %columns_body, label %rows_next
columns_body:
  %fits_j = icmp slt i64 %j, %last_column
  %column = select i1 %fits_j, i64 %j, i64 %last_column
  %source = add i64 %first, %column
  %begin = mul i64 %column, %to_stride
  %target = add i64 %begin, %row
{loads}
  %a = shufflevector {four} %row0, {four} %row1, {_index_vector(0, 4, 2, 6)}
  %b = shufflevector {four} %row0, {four} %row1, {_index_vector(1, 5, 3, 7)}
  %c = shufflevector {four} %row2, {four} %row3, {_index_vector(0, 4, 2, 6)}
  %d = shufflevector {four} %row2, {four} %row3, {_index_vector(1, 5, 3, 7)}
  %column0 = shufflevector {four} %a, {four} %c, {_index_vector(0, 1, 4, 5)}
  %column1 = shufflevector {four} %b, {four} %d, {_index_vector(0, 1, 4, 5)}
  %column2 = shufflevector {four} %a, {four} %c, {_index_vector(2, 3, 6, 7)}
  %column3 = shufflevector {four} %b, {four} %d, {_index_vector(2, 3, 6, 7)}
{stores}
  %next_j = add nuw nsw i64 %j, {BLOCK}
  br label %columns_head
rows_next:
  %next_i = add nuw nsw i64 %i, {BLOCK}
  br label %rows_head
end:
  ret void
}}
"""


def _index_vector(*places: int) -> str:
    return f"<4 x i32> <{', '.join(f'i32 {place}' for place in places)}>"


def _load(i: int, kind: str, vector_type: str) -> str:
    return f"""  %down{i} = mul i64 {i}, %from_stride
  %source{i} = add i64 %source, %down{i}
  %at_source{i} = getelementptr inbounds {kind}, ptr %from, i64 %source{i}
  %row{i} = load {vector_type}, ptr %at_source{i}, align 4"""


def _store(i: int, kind: str, vector_type: str) -> str:
    return f"""  %along{i} = mul i64 {i}, %to_stride
  %target{i} = add i64 %target, %along{i}
  %at_target{i} = getelementptr inbounds {kind}, ptr %to, i64 %target{i}
  store {vector_type} %column{i}, ptr %at_target{i}, align 4"""

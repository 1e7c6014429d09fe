"""Data: datasets, and the readers of files that sources share."""

from lossfw.data.archives import check_sizes
from lossfw.data.arrays import file_kind, open_columns, open_dataset, read_array
from lossfw.data.categories import category_column, concatenate_columns
from lossfw.data.chosen_rows import ChosenRows
from lossfw.data.columns import ColumnError, DataColumn
from lossfw.data.dataset import Batch, Dataset
from lossfw.data.files import digest_arrays, digest_files, join_digests, read_bytes
from lossfw.data.groups import RowGroups
from lossfw.data.lazy_arrays import Group
from lossfw.data.literals import NestedNumbers, numbers_array
from lossfw.data.missing import Missing, MissingRules
from lossfw.data.named_columns import NamedColumns
from lossfw.data.npy import check_npz_name, npz_names, read_npz
from lossfw.data.pictures import PictureFormat, Pictures, open_pictures
from lossfw.data.row_filter import RowFilter
from lossfw.data.row_transforms import ExpandColumn, transform_rows
from lossfw.data.selected_rows import FilteredRows, Selection, select_rows
from lossfw.data.source import File, Location, Source, column_error
from lossfw.data.table import Table, TableOptions, TableRows

__all__ = [
    "Batch",
    "ChosenRows",
    "ColumnError",
    "DataColumn",
    "Dataset",
    "ExpandColumn",
    "File",
    "FilteredRows",
    "Group",
    "Location",
    "Missing",
    "MissingRules",
    "NamedColumns",
    "NestedNumbers",
    "PictureFormat",
    "Pictures",
    "RowFilter",
    "RowGroups",
    "Selection",
    "Source",
    "Table",
    "TableOptions",
    "TableRows",
    "category_column",
    "check_npz_name",
    "check_sizes",
    "column_error",
    "concatenate_columns",
    "digest_arrays",
    "digest_files",
    "file_kind",
    "join_digests",
    "npz_names",
    "numbers_array",
    "open_columns",
    "open_dataset",
    "open_pictures",
    "read_array",
    "read_bytes",
    "read_npz",
    "select_rows",
    "transform_rows",
]

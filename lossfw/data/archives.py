"""Check the sizes in the headers of zip archives before anything is unpacked."""

from __future__ import annotations

import zipfile
from collections.abc import Collection

from lossfw.errors import DataError

# The least bytes that deflate takes for so many of zeros.
_DEFLATE_RATIO = 1032
# An archive may unpack to this, whatever its size, and beyond to so many times its size. Numbers
# that are measured, and texts of JSON, are far below.
FREE_BYTES, RATIO = 2**28, 100


def check_sizes(members: Collection[zipfile.ZipInfo], location: object, remedy: str) -> None:
    """Refuse members of an archive with impossible sizes, or that unpack to far more bytes.

    Parameters
    ----------
    members : collection of ZipInfo
        The members to unpack.
    location : object
        The file, for messages.
    remedy : str
        What to do with a valid file that is compressed too well.

    Raises
    ------
    DataError
        If the size of a member is impossible for its compression, or the sum is too large.
    """
    for info in members:
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise DataError(
                f"{location}: {info.filename} is compressed by an unsupported method; expected "
                f"deflate or no compression. {remedy}"
            )
        packed = info.compress_size
        most = packed if info.compress_type == zipfile.ZIP_STORED else _DEFLATE_RATIO * packed
        if info.file_size > most:
            raise DataError(
                f"{location} is damaged: {info.filename} has {packed:,} bytes, but its header "
                f"states {info.file_size:,} bytes unpacked, which is impossible."
            )
    size, packed = (sum(getattr(x, key) for x in members) for key in ("file_size", "compress_size"))
    if size > max(FREE_BYTES, RATIO * packed):
        raise DataError(
            f"{location} has {packed:,} bytes and unpacks to {size:,}, more than {RATIO} times as "
            f"many, so lossfw does not unpack it. {remedy}"
        )

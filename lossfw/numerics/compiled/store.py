"""Store: object files of kernels in a folder of the user, for the next process.

A file is machine code that will be run. So a folder or a file that others may write to is not
read. A file is written whole under another name and then renamed; it begins with the digest of
what follows, so that a damaged one is told and made again. What fails here costs time only.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from pathlib import Path

# The environment variable with the folder of caches; empty for no cache.
VARIABLE = "LOSSFW_CACHE"

_DIGEST_BYTES = hashlib.sha256().digest_size
_WRITTEN_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def folder() -> Path | None:
    """Return the folder of object files, None if the user wants no cache."""
    chosen = os.environ.get(VARIABLE)
    if chosen is not None:
        return Path(chosen) / "kernels" if chosen else None
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "lossfw" / "kernels"


def read(key: str) -> bytes | None:
    """Return the object code of a key, None if there is none to be trusted."""
    place = _trusted_folder()
    if place is None:
        return None
    try:
        path = place / f"{key}.o"
        if not is_private(path):
            return None
        content = path.read_bytes()
    except OSError:
        return None
    code = content[_DIGEST_BYTES:]
    return code if hashlib.sha256(code).digest() == content[:_DIGEST_BYTES] else None


def write(key: str, code: bytes) -> None:
    """Keep object code; where that is not possible, the next process compiles again."""
    place = _trusted_folder(make=True)
    if place is None:
        return
    with contextlib.suppress(OSError):
        descriptor, name = tempfile.mkstemp(dir=place, suffix=".part")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(hashlib.sha256(code).digest() + code)
            Path(name).replace(place / f"{key}.o")
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise


def _trusted_folder(*, make: bool = False) -> Path | None:
    try:
        place = folder()
        if place is None:
            return None
        if make:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
        return place if is_private(place) else None
    except (OSError, RuntimeError):
        # A user without a home has no cache.
        return None


def is_private(path: Path) -> bool:
    """Tell whether a file or a folder is the user's own, and no one else may write to it."""
    found = path.stat()
    if hasattr(os, "getuid"):
        return found.st_uid == os.getuid() and not found.st_mode & _WRITTEN_BY_OTHERS
    return True

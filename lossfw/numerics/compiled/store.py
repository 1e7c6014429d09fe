"""Store: object files of kernels in a folder of the user, for the next process.

A file is machine code that will be run. So a folder or a file that others may write to is not
read. A file is written whole under another name and then renamed; it begins with the digest of
what follows, so that a damaged one is told and made again. What fails here costs time only.
Where a kernel was found to differ from its body, a file with the reason takes its place.
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

# The end of the name of a file that says why a kernel is not used.
_REFUSED = ".refused"

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
    return _read(f"{key}.o")


def refusal(key: str) -> str:
    """Return why the code of a key is not used any more; empty if it may be."""
    return (_read(f"{key}{_REFUSED}") or b"").decode(errors="replace")


def has_refusals() -> bool:
    """Return whether any code is not used any more."""
    place = _trusted_folder()
    return place is not None and any(place.glob(f"*{_REFUSED}"))


def _read(name: str) -> bytes | None:
    """Return what follows the digest in a file, None if it is not to be trusted."""
    place = _trusted_folder()
    if place is None:
        return None
    try:
        path = place / name
        if not is_private(path):
            return None
        content = path.read_bytes()
    except OSError:
        return None
    rest = content[_DIGEST_BYTES:]
    return rest if hashlib.sha256(rest).digest() == content[:_DIGEST_BYTES] else None


def write(key: str, code: bytes) -> None:
    """Keep object code; where that is not possible, the next process compiles again."""
    _write(f"{key}.o", code)


def refuse(key: str, problem: str) -> None:
    """Keep the reason why the code of a key is not used any more, in place of the code."""
    _write(f"{key}{_REFUSED}", problem.encode())
    with contextlib.suppress(OSError):
        if place := _trusted_folder():
            (place / f"{key}.o").unlink(missing_ok=True)


def _write(name: str, content: bytes) -> None:
    place = _trusted_folder(make=True)
    if place is None:
        return
    with contextlib.suppress(OSError):
        descriptor, part = tempfile.mkstemp(dir=place, suffix=".part")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(hashlib.sha256(content).digest() + content)
            Path(part).replace(place / name)
        except OSError:
            Path(part).unlink(missing_ok=True)
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

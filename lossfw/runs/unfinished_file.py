"""The file of an unfinished run: its rows and its state, in SQLite.

One commit has both, so they match whenever the process or the system ends. An entry has its range
and a CRC-32, which reveal rows that a disk has damaged or lost.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

_SCHEMA = {
    f"CREATE TABLE {table} (start INTEGER PRIMARY KEY, stop INTEGER, crc INTEGER, content BLOB)"
    for table in ("rows", "state")
}
# Bytes of a state in one entry: SQLite takes a thousand million, and a state may have more.
_STATE_BYTES = 64 * 2**20


class StoredEntry(NamedTuple):
    """Rows of a run, or bytes of its state, from `start` up to and excluding `stop`."""

    start: int
    stop: int
    crc: int
    content: bytes

    @classmethod
    def of(cls, start: int, stop: int, content: bytes) -> StoredEntry:
        """Return a new entry with its checksum."""
        return cls(start, stop, zlib.crc32(content), content)


class UnfinishedFile:
    """The open file of an unfinished run, which no other process can open.

    Any fault of the file raises `sqlite3.Error`, or `UnicodeDecodeError` if SQLite's message
    quotes damaged bytes. A damaged entry raises `ValueError` or `TypeError`.
    """

    def __init__(self, path: Path) -> None:
        # A transaction begins with the first entry, and ends in `commit`.
        self._base = sqlite3.connect(path, timeout=0, isolation_level="IMMEDIATE")
        try:
            # The lock holds from here to the end, also where folders cannot be locked.
            self._base.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._base.execute("BEGIN EXCLUSIVE")
            found = {sql for (sql,) in self._base.execute("SELECT sql FROM sqlite_master")}
            if not found:
                for sql in sorted(_SCHEMA):
                    self._base.execute(sql)
            elif found != _SCHEMA:
                raise sqlite3.DatabaseError("it has other tables")
            self._base.commit()
            self._inode = path.stat()
        except BaseException:
            self._base.close()
            raise
        self._path = path

    @property
    def is_in_place(self) -> bool:
        """Whether the file still exists and was not replaced."""
        try:
            now = self._path.stat()
        except OSError:
            return False
        return (now.st_dev, now.st_ino) == (self._inode.st_dev, self._inode.st_ino)

    def clear(self) -> None:
        """Remove all entries."""
        self._base.execute("DELETE FROM rows")
        self._base.execute("DELETE FROM state")
        self._base.commit()

    def add(self, rows: Iterable[StoredEntry]) -> None:
        """Add rows, or replace those with the same start."""
        self._base.executemany("INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?)", rows)

    def commit(self, state: bytes) -> None:
        """Commit the added rows, and the state that includes them."""
        self._base.execute("DELETE FROM state")
        for start in range(0, len(state), _STATE_BYTES):
            piece = state[start : start + _STATE_BYTES]
            entry = StoredEntry.of(start, start + len(piece), piece)
            self._base.execute("INSERT INTO state VALUES (?, ?, ?, ?)", entry)
        self._base.commit()

    @property
    def has_uncommitted(self) -> bool:
        """Whether there are entries to commit. After an error, SQLite may have dropped them."""
        return self._base.in_transaction

    def entries(self, table: Literal["rows", "state"]) -> Iterator[StoredEntry]:
        """Yield the entries of a table in order."""
        sql = f"SELECT * FROM {table} ORDER BY start"  # noqa: S608  # a name of ours
        for entry in map(StoredEntry._make, self._base.execute(sql)):
            if zlib.crc32(entry.content) != entry.crc:
                raise ValueError(f"its {table} {entry.start} to {entry.stop} have another CRC-32")
            yield entry

    def state(self) -> bytes:
        """Return the state of the last commit; empty without one."""
        return b"".join(entry.content for entry in self.entries("state"))

    def close(self) -> None:
        """Close the file, without uncommitted entries."""
        self._base.close()

"""Units: what intervals treat as independent: rows, groups, values of a column, blocks of time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from lossfw.components.naming import did_you_mean
from lossfw.errors import ParameterError
from lossfw.evaluation.slices import COLUMN

AUTO = "auto"
# The time of rows that stand in its order.
ROW = "row"
# Fewer blocks have no interval, more are as good as rows.
MIN_BLOCKS, MAX_BLOCKS = 5, 4096

_KINDS = ("rows", "groups")
_TIME_KEYS = ("time", "blocks")


@dataclass(frozen=True)
class Units:
    """What intervals treat as independent.

    Examples
    --------
    >>> Units.read("column.patient").format_count(40), Units.read("rows").format_count(1)
    ('40 patients (column.patient)', '1 row')
    >>> Units.read({"time": "column.day"}).to_plain()
    {'time': 'column.day', 'blocks': 'auto'}
    """

    # "groups" are those of `data.group_key`, whose column is `column` where it is known.
    kind: Literal["rows", "groups", "column", "time"] = "rows"
    # The column of the data; of a time empty for the number of the row.
    column: str = ""
    # The number of blocks of time; 0 for as many as the errors ask for.
    blocks: int = 0

    @classmethod
    def read(cls, given: Any) -> Self:
        """Return the units that a configuration describes, or raise `ParameterError`."""
        if isinstance(given, Mapping):
            return cls._read_time(given)
        if given in _KINDS:
            return cls(given)
        if isinstance(given, str) and given.startswith(COLUMN) and given != COLUMN:
            return cls("column", given.removeprefix(COLUMN))
        guess = did_you_mean(str(given), _KINDS) if isinstance(given, str) else ""
        if isinstance(given, str) and given.isidentifier() and not guess:
            guess = f"A column of the data is {COLUMN}{given}."
        raise ParameterError(
            f"units should be rows, groups, {COLUMN}NAME or {{time: {COLUMN}NAME}}, got {given!r}. "
            f"{guess}".rstrip()
        )

    @classmethod
    def _read_time(cls, mapping: Mapping[str, Any]) -> Self:
        unknown = [str(key) for key in mapping if key not in _TIME_KEYS]
        if unknown or "time" not in mapping:
            got = f"got the key {unknown[0]!r}" if unknown else "time is missing"
            raise ParameterError(
                f"units of time have the keys time and blocks, as {{time: {COLUMN}day, blocks: "
                f"auto}}; {got}."
            )
        time, blocks = mapping["time"], mapping.get("blocks", AUTO)
        if time != ROW and not (isinstance(time, str) and time.startswith(COLUMN)):
            raise ParameterError(
                f"time should be {COLUMN}NAME, or {ROW} for rows in the order of time, got "
                f"{time!r}."
            )
        is_count = isinstance(blocks, int) and not isinstance(blocks, bool)
        if blocks != AUTO and not (is_count and MIN_BLOCKS <= blocks <= MAX_BLOCKS):
            raise ParameterError(
                f"blocks should be {AUTO}, or a whole number from {MIN_BLOCKS} to {MAX_BLOCKS}, "
                f"got {blocks!r}."
            )
        name = "" if time == ROW else time.removeprefix(COLUMN)
        return cls("time", name, 0 if blocks == AUTO else blocks)

    def to_plain(self) -> str | dict[str, Any]:
        """Return the units as a configuration writes them."""
        if self.kind == "column":
            return f"{COLUMN}{self.column}"
        if self.kind == "time":
            time = f"{COLUMN}{self.column}" if self.column else ROW
            return {"time": time, "blocks": self.blocks or AUTO}
        return self.kind

    @property
    def text(self) -> str:
        """The units in one line, as for a command-line argument."""
        plain = self.to_plain()
        if isinstance(plain, str):
            return plain
        return f"{{time: {plain['time']}, blocks: {plain['blocks']}}}"

    @property
    def merges_blocks(self) -> bool:
        """Whether blocks of time are merged as the errors require."""
        return self.kind == "time" and not self.blocks

    @property
    def short_blocks(self) -> int:
        """The number of short blocks of time."""
        return self.blocks or MAX_BLOCKS

    def noun(self, count: int) -> str:
        """Return the noun for a number of units.

        Examples
        --------
        >>> Units("column", "city").noun(2), Units("column", "patient_id").noun(2)
        ('cities', 'values')
        """
        if self.kind == "rows":
            word = "row"
        elif self.kind == "time":
            return "block of time" if count == 1 else "blocks of time"
        else:
            word = self.column if self.column.isalpha() else "value" if self.column else "group"
        if count == 1:
            return word
        if word.endswith("y") and word[-2:-1] not in "aeiou":
            return f"{word[:-1]}ies"
        return f"{word}es" if word.endswith(("s", "x", "ch", "sh")) else f"{word}s"

    def format_count(self, count: int) -> str:
        """Return the number of units in words, with their column."""
        of = f" ({COLUMN}{self.column})" if self.column else ""
        return f"{count:,} {self.noun(count)}{of}"

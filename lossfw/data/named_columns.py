"""NamedColumns: a parameter that maps columns of a target to columns of a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic_core import CoreSchema, PydanticCustomError, core_schema


class NamedColumns(dict[str, str | int]):
    """The columns of a file by the names that a loss uses for them; hashable.

    Examples
    --------
    >>> NamedColumns.read({"time": "months", "event": "died"})
    {'time': 'months', 'event': 'died'}
    """

    def __hash__(self) -> int:  # type: ignore[override]  # nobody changes a parameter
        return hash(tuple(self.items()))

    @classmethod
    def read(cls, value: Any) -> Self:
        """Return a mapping of names to columns, or raise the error of a parameter."""
        if (
            isinstance(value, Mapping)
            and value
            and all(isinstance(name, str) for name in value)
            and all(isinstance(key, str) or type(key) is int for key in value.values())
        ):
            return cls(value)
        raise PydanticCustomError("wanted", "a mapping, as in {time: months, event: died}")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(cls.read)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        columns = {"type": ["string", "integer"]}
        return {"type": "object", "additionalProperties": columns, "minProperties": 1}

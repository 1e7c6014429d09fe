"""Missing, the type of a parameter that says how to treat rows with missing values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias

from pydantic import BeforeValidator
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

# What becomes of a row in which a value is missing: NaN is kept as a number, the row is an
# error, or it is left out.
IfMissing: TypeAlias = Literal["keep", "error", "drop"]

_OF_ROLE: Mapping[str, tuple[IfMissing, ...]] = {
    "inputs": ("error", "drop", "keep"),
    "targets": ("error", "drop"),
}
_EXAMPLE = "as in {inputs: keep, targets: drop}"


class MissingByRole(dict[str, IfMissing]):
    """How to treat a row without an input or without a target; hashable."""

    def __hash__(self) -> int:  # type: ignore[override]  # nobody changes a parameter
        return hash(tuple(self.items()))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> CoreSchema:
        return core_schema.is_instance_schema(cls)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        properties = {role: {"enum": list(known)} for role, known in _OF_ROLE.items()}
        return {"type": "object", "properties": properties, "additionalProperties": False}


def _parse_roles(value: Any) -> Any:
    """Return a mapping of roles as it is kept; a single word where it says the same."""
    if not isinstance(value, Mapping):
        if value in _OF_ROLE["inputs"]:
            return value
        known = ", ".join(_OF_ROLE["inputs"])
        raise PydanticCustomError("wanted", f"one of {known}, or a mapping, {_EXAMPLE}")
    for role, rule in value.items():
        if role not in _OF_ROLE:
            raise PydanticCustomError("wanted", f"inputs, targets or both, {_EXAMPLE}")
        if rule not in _OF_ROLE[role]:
            known = ", ".join(_OF_ROLE[role])
            why = "; a row without a target has no loss" if rule == "keep" else ""
            raise PydanticCustomError("wanted", f"one of {known} for {role}{why}")
    made = MissingByRole({role: value.get(role, "error") for role in _OF_ROLE})
    single: dict[tuple[IfMissing, IfMissing], IfMissing] = {
        ("error", "error"): "error",
        ("drop", "drop"): "drop",
        ("keep", "error"): "keep",
    }
    return single.get((made["inputs"], made["targets"]), made)


Missing: TypeAlias = Annotated[IfMissing | MissingByRole, BeforeValidator(_parse_roles)]


class MissingRules(NamedTuple):
    """How to treat a row without an input, and one without a target or a weight.

    Examples
    --------
    >>> MissingRules.parse("keep")
    MissingRules(inputs='keep', targets='error')
    """

    inputs: IfMissing
    targets: IfMissing

    @classmethod
    def parse(cls, missing: Missing) -> MissingRules:
        """Return what a parameter says."""
        if isinstance(missing, MissingByRole):
            return cls(missing["inputs"], missing["targets"])
        return cls(missing, "error" if missing == "keep" else missing)

    @property
    def may_drop_rows(self) -> bool:
        """Whether rows may be left out."""
        return "drop" in self

"""Classes that the section `train` names, and that no plugin offers."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

from lossfw.components.component import Component
from lossfw.nn.initializers import INITIALS
from lossfw.nn.schedules import SCHEDULES

# The classes of a kind, by name.
Rules: TypeAlias = Mapping[str, type[Component]]

RULES: Mapping[str, Rules] = MappingProxyType({"schedule": SCHEDULES, "initial": INITIALS})

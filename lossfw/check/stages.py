"""Stages: the order in which an instance is checked.

Errors at ordinary numbers are found first; then come the laws of the call, which use only plain
numbers, and the formula at the remaining numbers. A search may end between two checks, never inside
one, so checks that ran have the same results as without a time limit.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

from lossfw.check.core.region import Region
from lossfw.check.core.search import Search
from lossfw.check.core.subject import Subject
from lossfw.check.options import Options

# Names of checks of a formula begin so.
_OF_FORMULA = (
    "value",
    "gradient",
    "hessian",
    "nan:legal",
    "claim",
    "curvature",
    "distribution",
)

# Without a result of the right shape nothing else has a meaning.
_FIRST = "shape:result"

# The checks of a formula that look at the points of a region. The others follow curves, or look at
# plain numbers.
AT_POINTS = frozenset({
    "value", "gradient", "hessian", "nan:legal",
    "value:negative_zero", "gradient:both", "curvature:bound", "claim:nonnegative",
    "claim:lower_bound", "claim:bounded", "claim:zero_at_target", "claim:symmetric",
    "claim:exchangeable", "claim:shift_invariant", "claim:permutation_equivariant",
    "claim:linear_in_target", "claim:gradient_zero_almost_everywhere",
})  # fmt: skip


class Stage(Enum):
    """A part of the checks."""

    ORDINARY = "ordinary"
    CALL = "call"
    EXTREMES = "extremes"
    # The only stage of what is not a loss.
    WHOLE = "all"

    def checks(self, names: Iterable[str]) -> list[str]:
        """Return those of the named checks that run in the stage."""
        return [name for name in names if self._has(name)]

    def _has(self, check: str) -> bool:
        of_formula = check == _FIRST or is_of_formula(check)
        return {
            Stage.ORDINARY: of_formula,
            Stage.CALL: not of_formula,
            Stage.EXTREMES: check in AT_POINTS,
            Stage.WHOLE: True,
        }[self]


# The regions in which a stage looks at points; the others look everywhere.
_REGIONS = {
    Stage.ORDINARY: (Region.ORDINARY, Region.FAR),
    Stage.EXTREMES: (Region.WIDE,),
}

# At other parameters points are drawn from this fraction of the examples. Instances that differ
# from another one only in their numbers get a fraction of them for each stage, those with
# operations of their own get more. More sets of parameters than a number share the points that so
# many get.
_DRAWN = 0.25
_SHARE = 0.2
_SHARE_OF_NEW_OPERATIONS = 0.3
_SETS = 8


class Effort(NamedTuple):
    """The effort for one instance among several sets of parameters."""

    examples: float = 1.0  # a fraction of those of the options; 1 for the defaults
    has_new_operations: bool = True  # not only other numbers than those of another instance
    others: int = 0  # how many sets of parameters there are beside the defaults

    def search(self, stage: Stage, options: Options) -> Search:
        """Return the search of a stage."""
        examples = max(1, round(self.examples * options.examples))
        regions = _REGIONS.get(stage, ())
        if not regions or self.examples == 1:
            search = Search(options.seed, examples, options.rtol)
            return search.narrow(*regions) if regions else search
        share = _SHARE_OF_NEW_OPERATIONS
        if not self.has_new_operations:
            share = _SHARE * min(1.0, _SETS / self.others)
        drawn = max(1, round(_DRAWN * options.examples))
        # Curves and chords go by the examples, as many as without stages.
        search = Search(options.seed, drawn, options.rtol)
        return search.narrow(*regions, fraction=share, examples=examples)


def is_of_formula(check: str) -> bool:
    """Tell whether a check is about a formula; the others hold for all parameters or for none."""
    return check.startswith(_OF_FORMULA)


def stages_of(subject: object, names: Iterable[str]) -> list[Stage]:
    """Return the stages in which checks of a subject run, in their order."""
    if not isinstance(subject, Subject):
        return [Stage.WHOLE]
    known = list(names)
    return [stage for stage in Stage if stage is not Stage.WHOLE and stage.checks(known)]

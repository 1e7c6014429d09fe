"""The harness: it tries to refute the claims of components, and laws that hold for all.

`check` and `check_function` make a `Subject` from a component or outside functions
(`core.subject`). The runner runs each check that applies, a law for every subject (`laws`) or a
test of a claim (`claims`), with a `Search` that draws the points (`core.search`, `core.draw`).
Results are compared with the exact ones (`core.exact`) of arguments that are rounded (`core.moves`,
`core.interval`) by one oracle (`core.oracle`), whose errors the harness passes within a tolerance
(`core.judge`) and `accuracy` reports at their worst. `options` says how hard a search is and what
counts, and `instances` lists the instances of a class to check. `core.causes` reports one mistake
of an author once, and `core.extra_points` finds points for each side of a branch. `core.shrink`
finds simpler numbers for a counterexample, `severity` grades it by them, and `findings` makes one
finding of those that have one cause; a `Report` has them all and their text. `foreign` calls the
functions of other libraries, and `jobs` runs many checks or measurements in several processes.
"""

from lossfw.check.api import check, check_function, subject
from lossfw.check.refutation import Refutation
from lossfw.check.report import Report
from lossfw.check.testing import parametrize_with_checks

__all__ = ["Refutation", "Report", "check", "check_function", "parametrize_with_checks", "subject"]

"""The harness: it tries to refute the claims of components, and the laws that hold for all.

`check` and `check_function` make a `Subject` of a component or of outside
functions (`core.subject`). The runner takes each check that applies, a law that
every subject is held to (`laws`) or an attack on a claim (`claims`), with a
`Search` that draws the points (`core.session`, `core.draw`). Results are compared
with the formula on exact numbers (`core.exact`) by one judge (`core.judge`), whose
errors the harness passes with some leniency (`core.leniency`) and `accuracy`
reports at their worst. `options` says how hard a search is and what counts,
`severity` sorts findings, and `edges` lists the instances of a class to check.
`core.causes` tells one slip of an author once, and `core.branches` finds points for
each side of a branch. `foreign` calls the functions of other libraries, and
`pool` runs many checks or measurements in several processes.
"""

from lossfw.check.component import check
from lossfw.check.function import check_function, subject
from lossfw.check.report import Refutation, Report
from lossfw.check.testing import parametrize_with_checks

__all__ = ["Refutation", "Report", "check", "check_function", "parametrize_with_checks", "subject"]

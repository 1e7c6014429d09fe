"""How often a star is false: settings of two models, or ways of training, that are equally good.

Each setting draws one comparison and says whether it has a star, or whether the interval of one
number misses the truth, and whether lossfw warns. Seeds are fixed: comparison k of a setting has
``default_rng([crc32 of its name, k])``. `before` is the percentage that was measured when intervals
were of 100 folds of rows, and trainings were compared by Student's t over seeds. The table of
`docs/explanation/trust.md` has all of them; `tests/benchmarks/calibration.py` writes it.
"""

from support.calibration.families import families
from support.calibration.means import means, own
from support.calibration.metrics import metrics
from support.calibration.series import series
from support.calibration.setting import (
    COUNT,
    LEAST_WARNED,
    MOST,
    OWN,
    STARS,
    Rates,
    Setting,
    is_held,
    rates,
)
from support.calibration.trainings import trainings

__all__ = ["COUNT", "SETTINGS", "Rates", "is_held", "rates", "row", "table"]

SETTINGS = {
    one.name: one for one in (*means(), *own(), *metrics(), *series(), *families(), *trainings())
}

_HEAD = "| setting | promised | before | now | warned |\n|---|---|---|---|---|"


def row(setting: Setting, found: Rates) -> str:
    """Return the line of a setting in the table."""
    promised = f"at most {MOST:.0%}"
    if setting.hopeless:
        promised = f"a warning in {LEAST_WARNED:.0%}"
    elif setting.counts == OWN:
        promised = "none"
    before = "" if setting.before is None else f"{setting.before:.1f}"
    warned = f"{100 * found.warned:.1f}" if found.warned else ""
    return f"| {setting.name} | {promised} | {before} | {100 * found.stars:.1f} | {warned} |"


def table(found: dict[str, Rates]) -> str:
    """Return the tables of all settings, in percent."""
    parts = []
    for counts in (STARS, OWN):
        lines = [row(one, found[one.name]) for one in SETTINGS.values() if one.counts == counts]
        parts.append("\n".join([f"{counts.capitalize()}, in percent:\n", _HEAD, *lines]))
    return "\n\n".join(parts) + "\n"

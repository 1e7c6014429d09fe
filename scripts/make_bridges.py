"""Train each pair of a library's objective and a loss, and write the page of the documentation.

python scripts/make_bridges.py docs/reference/bridges.md
"""

import argparse
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import sklearn.ensemble  # noqa: F401  # what is loaded later has threads of its own
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from lossfw.report.text.tables import markdown_table
from support.parity import NOT_TO_BE_HAD, ROWS, Parity, described, gap

PACKAGES = {
    "xgboost": "xgboost",
    "lightgbm": "lightgbm",
    "catboost": "catboost",
    "sklearn": "scikit-learn",
}

PAGE = """# Objectives of libraries and losses

Where a library has its own objective, the lossfw loss of the same formula trains the same model.
Each row was trained both ways, 20 rounds on a scikit-learn data set: the largest difference of raw
predictions (of probabilities, for classes), in parts of their standard deviation, without and
with weights. `tests/bridges/test_parity.py` holds each row to 1e-5. Measured with {releases}.

"Set" says what has to be set, so that both do the same: `curvature`, a start other than that of
least loss, and parameters. NEWTON stands for `leaf_estimation_method="Newton"` and
`leaf_estimation_iterations=1`.

{table}

Not to be had:

{missing}

The curvatures of XGBoost's own objectives are about to change: rows with "before 3.5" are true of
earlier releases.
"""


def _row(row: Parity) -> tuple[str, ...]:
    gaps = [f"{gap(row, weighted):.0e}" if row.holds_here else "" for weighted in (False, True)]
    return row.library, f"`{row.theirs}`", f"`{described(row)}`", _set(row), *gaps


def _set(row: Parity) -> str:
    """Return what has to be set for a row, in words."""
    parts = [] if row.curvature == "auto" else [f"`curvature={row.curvature!r}`"]
    parts += [] if row.start == "least" else [f"start {row.start}"]
    given = {**row.params, **row.own}
    if given.get("leaf_estimation_method") == "Newton":
        given = {k: v for k, v in given.items() if not k.startswith("leaf_estimation")}
        parts.append("NEWTON")
    both = row.params.keys() & row.own.keys()
    ours = {key: f" (ours: {row.params[key]!r})" for key in both}
    parts += [f"`{key}={value!r}`{ours.get(key, '')}" for key, value in given.items()]
    parts += [f"before {row.before}"] if row.before else []
    return ", ".join([*parts, *filter(None, [row.note])])


def main() -> None:
    """Train, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("page", type=Path)
    page = parser.parse_args().page
    head = ("library", "its objective", "loss", "set", "gap", "weighted")
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")
        table = markdown_table(head, [_row(row) for row in ROWS])
    missing = "\n".join(f"- {lib}: `{name}`: {why}." for (lib, name), why in NOT_TO_BE_HAD.items())
    releases = ", ".join(f"{name} {version(name)}" for name in PACKAGES.values())
    page.write_text(PAGE.format(releases=releases, table=table, missing=missing))


if __name__ == "__main__":
    main()

"""How often a star is false, for the table of docs/explanation/trust.md.

    python tests/benchmarks/calibration.py [--count 2000] [--only series] [--write PAGE]

Some fifteen minutes of one core. With ``--write`` the table goes into a page, between the two
comments that name it; ``make calibration`` does so. The slow test of the same settings,
`tests/evaluation/intervals/test_calibration.py`, holds the table to a run of its own.
"""

import argparse
import os
import sys
from pathlib import Path

# A process has one core: others are there for the person who waits.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[1]))

from pages import put_into

from support import calibration

# What stands around the table in a page.
BEGIN = "<!-- Table of tests/benchmarks/calibration.py -->\n"


def main():
    """Print the rates of all settings, or write them into a page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=calibration.COUNT)
    parser.add_argument("--only", default="")
    parser.add_argument("--write", type=Path)
    asked = parser.parse_args()
    if asked.write and (asked.only or asked.count != calibration.COUNT):
        parser.error("a page has all settings and comparisons: leave --only and --count out")
    found = {}
    for name, setting in calibration.SETTINGS.items():
        if asked.only in name:
            found[name] = rates = calibration.rates(setting, asked.count)
            held = "" if calibration.is_held(setting, rates) else "  too many"
            print(calibration.row(setting, rates) + held, flush=True)
    if asked.write:
        put_into(asked.write, calibration.table(found).rstrip("\n"), BEGIN)


if __name__ == "__main__":
    main()

"""Try the losses of other libraries, and write the page of the documentation.

    python scripts/make_wild.py docs/explanation/in-the-wild.md [--reports FILE]

The libraries are torch, jax with optax, keras, scikit-learn and torchmetrics, if they are
installed. A finding without a rule in tests/support/wild/findings.py stops the script.
"""

import argparse
import json
import sys
import warnings
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.wild.cases import CASES  # beside the tests that use it
from support.wild.findings import rule_for
from support.wild.page import LIBRARIES, page, version
from support.wild.trying import attempt, missing


def main() -> None:
    """Try everything, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("page", type=Path)
    parser.add_argument("--reports", type=Path, help="Store reports here, and reuse those stored.")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    reports = _reports(arguments.reports)
    unknown = [
        f"{case}: {refutation['check']}: {refutation['message']}"
        for case in CASES
        if str(case) in reports
        for refutation in reports[str(case)]["refuted"]
        if rule_for(case, refutation) is None
    ]
    if unknown:
        sys.exit(
            "\n".join(["Findings without a rule in tests/support/wild/findings.py:", *unknown])
        )
    if not reports:
        sys.exit(
            f"expected at least one of {', '.join(LIBRARIES)}; none is installed, and the page "
            "would be empty."
        )
    tried = {case.library for case in CASES if str(case) in reports}
    versions = {library: version(library) for library in LIBRARIES if library in tried}
    arguments.page.write_text(page(reports, versions))


def _reports(kept: Path | None) -> dict[str, Any]:
    """Return case -> report; reports in the file `kept` are not made again."""
    reports = json.loads(kept.read_text()) if kept and kept.is_file() else {}
    for case in CASES:
        if str(case) in reports or missing(case):
            continue
        print(case, file=sys.stderr)
        reports[str(case)] = attempt(case).to_dict()
        if kept:
            kept.write_text(json.dumps(reports))
    return reports


if __name__ == "__main__":
    main()

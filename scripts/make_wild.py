"""Try the losses of other libraries, and write the page of the documentation.

    python scripts/make_wild.py docs/explanation/in-the-wild.md [--reports FILE]

The libraries are torch, jax with optax, keras, scikit-learn and torchmetrics, if they are
installed. A finding without a rule in tests/support/wild/findings.py stops the script.
"""

import argparse
import importlib
import json
import os
import sys
import textwrap
import warnings
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.wild.cases import CASES  # beside the tests that use it
from support.wild.findings import CONVENTION, DEFECT, PRECISION, rule_for
from support.wild.others import FOUND, READ
from support.wild.trying import attempt, missing

LIBRARIES = {
    "torch": "PyTorch",
    "optax": "optax on JAX",
    "keras": "Keras on JAX",
    "sklearn": "scikit-learn",
    "torchmetrics": "torchmetrics",
}

HEAD = """\
# In the wild

What the harness finds in the losses of other libraries. Each function is compared, by its own
name, with the textbook formula of one of ours on 60-digit numbers; where we have none, its gradient
is compared with differences of its own values. It is held to what `lossfw.check.check_function`
holds any function to: results right to 64 units in the last place, or to what moving each input by
4 of them does; shapes, dtypes, NaN, purity; its gradient, as the library computes it; its weighted
mean, where it has one; and the claims of ours that hold for floats too (never negative, zero at the
target, symmetric).

Nobody promised to keep our contract. So each finding has been looked at, and is one of

- **defect**: a result that nobody can want;
- **precision**: a result that is right in exact arithmetic, and has lost digits, or all of them, or
  has overflowed;
- **convention**: another rule than ours, which is documented or plainly meant.

"Not refuted" means that these checks at these examples found nothing, and no more. Two things are
left out: infinite logits, which are legal with us and with nobody else, and on JAX subnormal
numbers, which XLA takes for 0 on processors. `make wild` writes this page; anybody can ask for one
function:

```
lossfw check torch.nn.functional:huber_loss --against huber -p delta=1.0
```
"""

BY_HAND = """\
## Found by hand

These were found when the tests of other libraries ran with losses of lossfw, and by reading. They
are not values of a function whose formula is one of ours, or not values at all.
"""

READ_ONLY = """\
## Read, not run

LossFunctions.jl says of each loss which properties it has, as lossfw does by claims. These do not
hold; they were read in its source, and not run:
"""

TAIL = """\
## Not tried

Losses of pairs and triplets, of sequences (CTC), of the whole batch (AUC, NT-Xent, Dice over a
batch, d2 scores, which are quotients of two means), those with a random part, and those that need a
network's state. Second derivatives, which none of these libraries gives as such. Class weights and
`ignore_index`, whose denominators differ between libraries.
"""

SORTS = (DEFECT, PRECISION, CONVENTION)

# Case -> report.
Reports = dict[str, Any]


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


def _reports(kept: Path | None) -> Reports:
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


def version(library: str) -> str:
    """Return the version of a library that is installed."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    return str(importlib.import_module(library).__version__)


def page(reports: Reports, versions: dict[str, str]) -> str:
    """Return the page for the reports of cases by their names."""
    parts = [HEAD, _overview(reports, versions)]
    for library, title in LIBRARIES.items():
        found = _of(library, reports)
        if found:
            parts += [f"## {title} {versions[library]}", _table(found), *_findings(found)]
    return "\n\n".join(part.strip() for part in [*parts, by_hand(), TAIL]) + "\n"


def by_hand() -> str:
    """Return the sections of what was found without the harness: by hand, and by reading."""
    parts = [BY_HAND]
    for found in FOUND:
        text = f"{found.library} ({found.sort}): {found.words}. The code prints what follows it:"
        parts += [_filled(text), f"```py\n{found.code}```", f"```text\n{found.printed}```"]
    parts.append(READ_ONLY)
    for fact in READ:
        text = _filled(f"- {fact.words} (`{fact.file}` at commit {fact.commit}):", "  ")
        parts.append(f"{text}\n  `{fact.line}`.")
    return "\n\n".join(part.strip() for part in parts)


def _filled(text: str, indent: str = "") -> str:
    return textwrap.fill(text, 100, break_long_words=False, break_on_hyphens=False,
                         subsequent_indent=indent)  # fmt: skip


def _of(library: str, reports: Reports) -> list[tuple[Any, Any]]:
    """Return the cases of a library with their reports."""
    return [(c, reports[str(c)]) for c in CASES if c.library == library and str(c) in reports]


def _sorts(case: Any, report: Any) -> list[str]:
    return [rule_for(case, r).sort for r in report["refuted"]]


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _overview(reports: Reports, versions: dict[str, str]) -> str:
    lines = [_row("library", "functions", "checks", "defects", "precision", "conventions"),
             _row("---", *["---:"] * 5)]  # fmt: skip
    for library, title in LIBRARIES.items():
        found = _of(library, reports)
        sorts = [sort for case, report in found for sort in _sorts(case, report)]
        checks = sum(len(r["passed"]) + len(r["refuted"]) for _, r in found)
        counts = [sorts.count(sort) for sort in SORTS]
        lines.append(_row(f"{title} {versions.get(library, '')}", len(found), checks, *counts))
    return "\n".join(lines)


def _table(found: list[tuple[Any, Any]]) -> str:
    lines = [_row("function", "compared with", "not refuted", "refuted"),
             _row("---", "---", "---:", "---")]  # fmt: skip
    for case, report in found:
        refuted = ", ".join(f"{r['check']} ({rule_for(case, r).sort})" for r in report["refuted"])
        count, examples = len(report["passed"]), sum(report["passed"].values())
        held = f"{count} checks, {examples:,} examples"
        lines.append(_row(f"`{case}`", _compared(case), held, refuted or "nothing"))
    return "\n".join(lines)


def _compared(case: Any) -> str:
    if case.against is None:
        return "its own differences"
    options = "".join(f", {k}={v}" for k, v in case.params.items())
    return f"`{case.against}{options}`"


def _findings(found: list[tuple[Any, Any]]) -> list[str]:
    """Return a section for each sort; a finding that is as another before it is not shown again."""
    parts = []
    for sort in SORTS:
        shown: dict[tuple[str, str], list[tuple[Any, Any]]] = {}
        for case, report in found:
            for refutation in report["refuted"]:
                rule = rule_for(case, refutation)
                if rule.sort == sort:
                    shown.setdefault((rule.case, rule.words), []).append((case, refutation))
        if shown:
            parts.append(f"### {sort.capitalize()}")
            parts += [_finding(words, every) for (_, words), every in shown.items()]
    return parts


def _finding(words: str, every: list[tuple[Any, Any]]) -> str:
    _, refutation = every[0]
    checks = ", ".join(dict.fromkeys(r["check"] for _, r in every))
    names = ", ".join(dict.fromkeys(f"`{case}`" for case, _ in every))
    text = f"{names} ({checks}): {words}."
    message = refutation["message"].splitlines()[0].rstrip(".")
    return "\n\n".join(
        [
            _filled(text),
            textwrap.fill(f"Found: {message}.", 100, break_long_words=False),
            # Not run with the other pages: the libraries need not be there.
            f"```py\n{refutation['snippet']}\n```",
        ]
    )


if __name__ == "__main__":
    main()

"""What share of small mistakes in the product the tests find.

    pytest --cov=lossfw --cov=plugins --cov-context=test -n auto
    python tests/benchmarks/mutants.py mutants.txt --count 200 --seed 52

Each mutant changes one operator, number or condition of a random line. The tests that run the line
are run, until one fails. A line of ``mutants.txt`` says which test that was, or that none did; a
second call goes on from there. ``--before`` names the file of another tree with the same product:
what found a mutant there is tried first. Changes files of the tree and puts them back.
"""

import argparse
import ast
import os
import random
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import pytest
from coverage import CoverageData

TREE = Path(__file__).parents[2]
# A line that more tests run is tried with so many of them, drawn at random.
MOST_TESTS = 400
# Seconds after which a mutant counts as found: it hangs, where the tests take a few minutes.
HANGS = 600
# Instead of a test: pytest does not know one of the names, or cannot even read the tests.
UNKNOWN = "(pytest does not know the tests)"
FAILED = re.compile(r"(FAILED|ERROR) tests/")
SWAPS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip


class Mutant(NamedTuple):
    """One node of a file, and the code that takes its place."""

    file: Path
    node: ast.AST
    code: str

    def __str__(self):
        old = " ".join(ast.unparse(self.node).split())
        return f"{self.file.relative_to(TREE)}:{self.node.lineno}: {old} -> {self.code}"

    def text(self, source):
        """Return the file with the mistake in it; columns of ``ast`` count bytes."""
        lines = source.splitlines(keepends=True)
        before = sum(map(len, lines[: self.node.lineno - 1])) + self.node.col_offset
        after = sum(map(len, lines[: self.node.end_lineno - 1])) + self.node.end_col_offset
        return source[:before] + self.code.encode() + source[after:]


def changed(node):
    """Return the code of each small mistake that can be made at a node."""
    match node:
        case ast.Compare(ops=[op]) if type(op) in SWAPS:
            return [
                f"({ast.unparse(ast.Compare(node.left, [SWAPS[type(op)]()], node.comparators))})"
            ]
        case ast.BinOp(left, op, right) if type(op) in SWAPS:
            return [f"({ast.unparse(ast.BinOp(left, SWAPS[type(op)](), right))})"]
        case ast.BoolOp(op, values):
            return [f"({ast.unparse(ast.BoolOp(SWAPS[type(op)](), values))})"]
        case ast.UnaryOp(ast.Not() | ast.USub(), operand):
            return [f"({ast.unparse(operand)})"]
        case ast.Constant(bool(value)):
            return [str(not value)]
        case ast.Constant(int(value) | float(value)):
            return [f"({value + 1})"]
        case ast.IfExp(test, body, other):
            return [f"({ast.unparse(ast.IfExp(test, other, body))})"]
    return []


def sites(file):
    """Yield each mutant of a file: of its statements, not of annotations."""
    tree = ast.parse(file.read_bytes())
    for parent in ast.walk(tree):
        if isinstance(parent, ast.If | ast.While | ast.Assert) and not mentions_types(parent.test):
            yield Mutant(file, parent.test, f"(not ({ast.unparse(parent.test)}))")
        if isinstance(parent, ast.Return) and ast.unparse(parent) not in ("return", "return None"):
            yield Mutant(file, parent.value, "None")
        for inner in (getattr(parent, "annotation", None), getattr(parent, "returns", None)):
            leave_out(inner)
        if isinstance(parent, ast.JoinedStr):  # Python 3.11 has no columns inside of it
            leave_out(parent)
        if not getattr(parent, "left_out", False):
            yield from (Mutant(file, parent, code) for code in changed(parent))


def leave_out(node):
    for inner in ast.walk(node) if node is not None else ():
        inner.left_out = True


def mentions_types(test):
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def drawn(count, seed):
    """Return random mutants, each on a line of its own."""
    lines = {}
    for folder in ("lossfw", "plugins"):
        for file in sorted((TREE / folder).rglob("*.py")):
            for mutant in sites(file):
                lines.setdefault((file, mutant.node.lineno), []).append(mutant)
    draw = random.Random(seed)
    return [draw.choice(lines[line]) for line in draw.sample(sorted(lines), count)]


def tests_of(mutant, data, first, draw):
    """Return the tests that run a line; those of the whole file if only its import runs it."""
    by_line = data.contexts_by_lineno(str(mutant.file))
    last = mutant.node.end_lineno
    names = {name for line in range(mutant.node.lineno, last + 1) for name in by_line.get(line, ())}
    if "" in names:
        names = {name for found in by_line.values() for name in found}
    tests = sorted({name.rpartition("|")[0] for name in names if name})
    some = sorted(draw.sample(tests, min(len(tests), MOST_TESTS)))
    return [first, *(test for test in some if test != first)] if first in tests else some


def finder(mutant, tests):
    """Return the first test that fails with the mutant in the tree, or ``None``."""
    source, times = mutant.file.read_bytes(), mutant.file.stat()
    try:
        mutant.file.write_bytes(mutant.text(source))
        done = first_failure(tests)
        if done is UNKNOWN:  # names of cases can tell the number that is changed
            done = first_failure(sorted({test.partition("[")[0] for test in tests}))
    finally:
        mutant.file.write_bytes(source)
        os.utime(mutant.file, ns=(times.st_atime_ns, times.st_mtime_ns))
    return done


def first_failure(tests):
    """Return the first of these tests that fails, or ``None``."""
    if not tests:
        return None
    paths = os.pathsep.join([str(TREE), str(TREE / "plugins")])
    # Bytecode of a mutant must not stay: it would be taken for that of the file put back.
    environment = os.environ | {"PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as chosen:
        chosen.write("\n".join(tests))
        chosen.flush()
        options = ("-x", "-q", "--no-header", "-p", "no:cacheprovider", f"@{chosen.name}")
        try:
            done = subprocess.run(
                [sys.executable, "-m", "pytest", *options],
                cwd=TREE, env=environment, capture_output=True, text=True, timeout=HANGS,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return "(hangs)"
    if done.returncode == 0:
        return None
    failed = [line.partition(" ")[2] for line in done.stdout.splitlines() if FAILED.match(line)]
    if failed:
        return failed[0].partition(" - ")[0]
    return UNKNOWN if done.returncode == pytest.ExitCode.USAGE_ERROR else "(pytest cannot start)"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--before", type=Path)
    parser.add_argument("--data", type=Path, default=TREE / ".coverage")
    options = parser.parse_args()
    data = CoverageData(options.data)
    data.read()
    before = options.before.read_text().splitlines() if options.before else []
    finders = {line.split("\t")[1]: line.split("\t")[3] for line in before}
    done = options.results.read_text().splitlines() if options.results.exists() else []
    with options.results.open("a", buffering=1) as results:
        for number, mutant in enumerate(drawn(options.count, options.seed)):
            if number < len(done):
                continue
            tests = tests_of(mutant, data, finders.get(str(mutant)), random.Random(number))
            print(f"{number}\t{mutant}\t{len(tests)}\t{finder(mutant, tests)}", file=results)
    lines = options.results.read_text().splitlines()
    found = sum(not line.endswith("\tNone") for line in lines)
    print(f"{found} of {len(lines)} mutants found")


if __name__ == "__main__":
    main()

"""What the memory of this machine takes at least: `limits.c` over arrays of float32.

    python tests/benchmarks/limits.py [--size 10000000] [--threads 2] [--write PAGE]

It needs a C compiler, ``cc`` or what the variable ``CC`` names. A cell is the least wall-clock time
of some rounds. With ``--write`` the table goes into a page, between the two comments that name it;
``make speed`` does so with `docs/explanation/speed.md`. Run it on a quiet machine.
"""

import argparse
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from costs import processor
from pages import put_into

# Passes and memory of the result, by their numbers in `limits.c`.
PASSES = {
    (0, 0): "read one array",
    (1, 0): "read two arrays (squared error)",
    (2, 0): "read two, write into used memory (`out=`, or memory used again)",
    (2, 1): "read two, write into fresh memory",
    (2, 2): "read two, write into fresh memory of huge pages",
}

ROUNDS = 25

# The order of sums may change, or they would not be computed as fast as memory is read.
OPTIONS = ("-O3", "-march=native", "-ffast-math", "-pthread")

BEGIN, END = "<!-- Table of tests/benchmarks/limits.py -->\n", "<!-- End of the limits -->\n"


def compiled(folder):
    """Compile `limits.c` into a folder; return the program."""
    compiler = os.environ.get("CC") or "cc"
    if shutil.which(compiler) is None:
        raise SystemExit(f"limits.py needs a C compiler, and found no {compiler!r}; see CC")
    program = Path(folder) / "limits"
    source = Path(__file__).with_suffix(".c")
    subprocess.run([compiler, *OPTIONS, str(source), "-o", str(program)], check=True)
    return program


def measure(program, size, threads):
    """Return the milliseconds of each pass."""
    command = [str(program), str(size), str(threads), str(ROUNDS)]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    words = (line.split() for line in lines)
    return {(int(one), int(memory)): float(took) for one, memory, took in words}


def table(size, threads):
    """Return the table: passes by numbers of threads."""
    counts = sorted({1, threads})
    with tempfile.TemporaryDirectory() as folder:
        program = compiled(folder)
        found = {count: measure(program, size, count) for count in counts}
    heads = [f"{count} thread{'s' * (count > 1)}" for count in counts]
    head = f"Milliseconds, wall clock, {size:,} numbers of float32, {processor()}."
    lines = [head, "", f"| pass | {' | '.join(heads)} |", "|---" * (len(counts) + 1) + "|"]
    for numbers, name in PASSES.items():
        cells = (f"{found[count][numbers]:.1f}" for count in counts)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=10_000_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table into a page")
    options = parser.parse_args()
    text = table(options.size, options.threads)
    if options.write:
        put_into(options.write, text, BEGIN, END)
    else:
        print(text)


if __name__ == "__main__":
    main()

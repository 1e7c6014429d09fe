"""MNIST as a whole process: `lossfw run` against the chapter's own program.

    python tests/benchmarks/mnist.py [--rounds 15] [--json]

Needs the files of MNIST and the book's weights in ../shared/data or in the
folder that LOSSFW_DATA names. Contenders alternate; their values are compared
first; the table shows medians and the ratio to the chapter's program. Every
contender computes on one thread, and on all processors.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHAPTER = Path(__file__).with_name("chapter.py")
# Both compute the same mean in float32 predictions, summed in another order.
TOLERANCE = 1e-6


def contenders(folder):
    """Return the commands by name."""
    run = [sys.executable, "-m", "lossfw", "run", str(ROOT / "configs/book/mnist.yaml"), "--json"]
    plain = ["-o", "loss={name: cross_entropy, guard: additive, delta: 1e-7}"]
    chapter = [sys.executable, str(CHAPTER), str(folder)]
    return {
        "chapter, image by image": chapter,
        "chapter, batches of 100": [*chapter, "--batch", "100"],
        "lossfw run": [*run, *plain],
    }


def values(output):
    """Return accuracy and loss of what a contender printed."""
    result = json.loads(output)
    if "metrics" in result:
        return result["metrics"]["accuracy"]["value"], result["loss"]["value"]
    return result["accuracy"], result["loss"]


def seconds(command, environment):
    """Run a contender once and return how long the whole process took, and its values."""
    begin = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, check=True)
    return time.perf_counter() - begin, values(done.stdout)


def compare(commands, environment):
    """End the program unless all contenders compute the same."""
    found = {name: seconds(command, environment)[1] for name, command in commands.items()}
    accuracy, loss = next(iter(found.values()))
    for name, (other_accuracy, other_loss) in found.items():
        if other_accuracy != accuracy or abs(other_loss - loss) > TOLERANCE:
            sys.exit(f"{name} computes another value: {found}")


def measure(commands, environment, rounds):
    """Return the times of each contender; they alternate."""
    compare(commands, environment)
    times = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            times[name].append(seconds(command, environment)[0])
    return times


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    folder = Path(os.environ.get("LOSSFW_DATA", ROOT / ".." / "shared" / "data")).resolve()
    if not (folder / "sample_weight.pkl").is_file():
        sys.exit(f"no MNIST files in {folder}")
    table = []
    for threads in sorted({1, os.cpu_count() or 1}):
        environment = {
            **os.environ,
            "LOSSFW_DATA": str(folder),
            "LOSSFW_THREADS": str(threads),
            "OPENBLAS_NUM_THREADS": str(threads),
            "OMP_NUM_THREADS": str(threads),
        }
        times = measure(contenders(folder), environment, arguments.rounds)
        base = statistics.median(times["chapter, image by image"])
        for name, spent in times.items():
            middle = statistics.median(spent)
            table.append(
                {
                    "contender": name,
                    "threads": threads,
                    "median_ms": round(1e3 * middle, 1),
                    "best_ms": round(1e3 * min(spent), 1),
                    "ratio": round(middle / base, 2),
                }
            )
    if arguments.json:
        print(json.dumps(table, indent=1))
        return
    print(f"{'contender':26}{'threads':>8}{'median ms':>11}{'best ms':>9}{'ratio':>7}")
    for row in table:
        print("{contender:26}{threads:8}{median_ms:11}{best_ms:9}{ratio:7}".format(**row))


if __name__ == "__main__":
    main()

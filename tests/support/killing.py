"""Kill runs and let them go on: a program that the tests start.

    python killing.py CONFIG FOLDER moments COUNT SEED
    python killing.py CONFIG FOLDER operations [STEP]
    python killing.py CONFIG FOLDER over [STEP]

The first kills so many runs, each at a random moment; one that ends before is tried again. The
second kills before every single operation, or every STEP-th, on a file in its folder, the third
too, in the folder of an older run that wrote no rows. Each time the run is then resumed, and its
files are compared with those of an undisturbed run. A line of JSON says how many runs were tried
and killed, how many of them had a checkpoint to go on from, and what differed.

The package is imported once; each run is a fork.
"""

import contextlib
import io
import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

import lossfw.losses.engine.reduction
from lossfw.cli import main
from lossfw.runs import journal

FILES = ("metrics.json", "results.jsonl", "units.npz", "status", "config.yaml")
# Operations on files that Python announces before they are carried out.
OPERATIONS = ("open", "os.rename", "os.remove", "os.mkdir", "os.truncate")

# Runs for each that is to be killed: on a busy machine many of them end before.
TRIES = 5

# What is written stays in the system's memory when a process is killed.
os.fsync = lambda descriptor: None


def start(*arguments, prepare=lambda: None):
    """Fork a command, and return its process id."""
    child = os.fork()
    if child:
        return child
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    code = 1
    try:
        prepare()
        main([*map(str, arguments)], standalone_mode=False)
        code = 0
    except SystemExit as end:
        code = end.code or 0
    finally:
        os._exit(code)


def ended(child):
    """Wait for a command; return its exit code, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kill_after(seconds):
    """Return how to kill a run after some time."""

    def act(child):
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)

    return act, lambda: None


def kill_before(number, folder):
    """Return how to kill a run before an operation, counted from 0, on a file in its folder."""
    left = [number]

    def listen(event, arguments):
        if event in OPERATIONS and str(arguments[0]).startswith(str(folder)):
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1

    return lambda child: None, lambda: sys.addaudithook(listen)


def differing(folder, wanted):
    """Return the files that differ from those of an undisturbed run, or should not be there."""
    found = {name: (folder / name).read_bytes() for name in FILES if (folder / name).is_file()}
    wrong = [name for name in FILES if found.get(name) != wanted.get(name)]
    extra = {path.name for path in folder.iterdir()} - {*FILES, "run.json"}
    return wrong + sorted(extra)


def trial(config, folder, kill, wanted, over):
    """Kill a run and resume it; return whether it was killed, had a checkpoint, what differs."""
    shutil.rmtree(folder, ignore_errors=True)
    if over:
        ended(start("run", config, "--out", folder, "-o", "evaluate.save_rows=false"))
    act, prepare = kill
    child = start("run", config, "--out", folder, prepare=prepare)
    act(child)
    killed = ended(child) == -signal.SIGKILL
    kept = (folder / "unfinished.sqlite").is_file()
    code = ended(start("run", config, "--out", folder, "--resume"))
    wrong = differing(folder, wanted) if folder.is_dir() else ["everything"]
    return killed, kept, [*wrong, *([f"exit code {code}"] if code else [])]


def duration(config, folder):
    """Return how long an undisturbed run takes."""
    shutil.rmtree(folder)
    begin = time.monotonic()
    assert ended(start("run", config, "--out", folder)) == 0
    return time.monotonic() - begin


def undisturbed(config, folder):
    """Return the files of an undisturbed run, and how long it took."""
    # Here, so that all is imported and built that each fork would import and build.
    with contextlib.redirect_stdout(io.StringIO()):
        main(["run", str(config), "--out", str(folder)], standalone_mode=False)
    seconds = duration(config, folder)
    # A run without intervals keeps no sums of units.
    there = [name for name in FILES if (folder / name).is_file()]
    return {name: (folder / name).read_bytes() for name in there}, seconds


def run(config, folder, how, count=0, seed=0):
    """Make all trials and print what came out."""
    # Many groups of rows, and a checkpoint after each.
    lossfw.losses.engine.reduction.BLOCK_ELEMENTS = 1024
    journal.COMMIT_SECONDS = 0.0
    journal._TIMES_ITS_COST = 0.0
    wanted, seconds = undisturbed(config, folder)
    if how == "moments":
        draw = random.Random(int(seed))
        kills = (kill_after(draw.uniform(0, seconds)) for _ in range(TRIES * int(count)))
    else:
        kills = (kill_before(number, folder) for number in range(0, 10_000, int(count) or 1))
    tried = killed = kept = 0
    wrong = []
    for kill in kills:
        was_killed, had_kept, differs = trial(config, folder, kill, wanted, how == "over")
        tried, killed, kept = tried + 1, killed + was_killed, kept + had_kept
        wrong += [f"{tried}: {name}" for name in differs]
        if how == "moments" and killed == int(count):
            break
        if was_killed:
            continue
        if how != "moments":
            break
        # The machine may have been busier when it was measured.
        seconds = duration(config, folder)
    said = {"tried": tried, "killed": killed, "kept": kept, "seconds": seconds, "wrong": wrong}
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])

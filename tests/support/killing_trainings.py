"""Kill trainings and let them go on: a program that the tests start.

    python killing_trainings.py CONFIG FOLDER LIBRARY COUNT SEED

Kills so many trainings at random moments, and resumes each. Its files are compared with those
of an undisturbed training. A line of JSON says how many were tried, how many of them were
killed, how many had a model to go on from, and what differed.

The package and the library are imported once; each training is a fork, before which no thread
of the library has begun.
"""

import importlib
import json
import os
import random
import shutil
import signal
import sys
import time

# A program, whose folder Python has in its path.
from killing import TRIES, ended, start

# Imported here, so that a fork need not.
import lossfw.models.training.loop
import lossfw.runs.trainings  # noqa: F401
from lossfw.data.state_file import SavedState


def content_of(folder):
    """Return the files of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def run(config, folder, count, seed):
    """Make all trials and print what came out."""
    begin = time.monotonic()
    assert ended(start("train", config, "--out", folder)) == 0
    seconds, wanted = time.monotonic() - begin, content_of(folder)
    draw, tried, killed, kept, wrong = random.Random(seed), 0, 0, 0, []
    while killed < count and tried < TRIES * count:
        shutil.rmtree(folder)
        begin = time.monotonic()
        child = start("train", config, "--out", folder)
        time.sleep(draw.uniform(0, seconds))
        os.kill(child, signal.SIGKILL)
        if ended(child) == -signal.SIGKILL:
            killed += 1
        else:  # The machine was busier when a whole training was measured.
            seconds = min(seconds, time.monotonic() - begin)
        tried += 1
        checkpoint = folder / "checkpoint.npz"
        kept += checkpoint.is_file() and SavedState.read(checkpoint).header["done"] > 0
        code = ended(start("train", config, "--out", folder, "--resume"))
        found = content_of(folder) if folder.is_dir() else {}
        wrong += [name for name in {**wanted, **found} if found.get(name) != wanted.get(name)]
        wrong += [f"exit code {code}"] if code else []
    print(json.dumps({"tried": tried, "killed": killed, "kept": kept, "wrong": wrong}))


if __name__ == "__main__":
    from pathlib import Path

    importlib.import_module(sys.argv[3])
    run(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[4]), int(sys.argv[5]))

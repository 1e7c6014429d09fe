"""Kill a sweep, or a training with folds, before operations on files: a program of the tests.

    python killing_many.py FUNCTION CONFIG FOLDER STEP [OVERRIDE]

FUNCTION of lossfw, `run_all` or `train_all`, is called with the configuration, and killed before
every STEP-th operation on a file in its folder. Each time the results that a reader would take are
compared with whole ones, and the call is then repeated with ``resume=True``: its files are compared
with those of an undisturbed one. With OVERRIDE, the folder holds an older call that had it. A line
of JSON says how many were killed, how many of them left a whole result, and what was wrong.

The package is imported once; each call is a fork, so that all its runs are in one process.
"""

import json
import os
import shutil
import signal
import sys
import warnings
from pathlib import Path

# A program, whose folder Python has in its path.
from killing import ended, kill_before

import lossfw
import lossfw.models.training.loop
import lossfw.runs.execute
import lossfw.runs.recorder
import lossfw.runs.trainings

# What says when it was, and who is writing.
_TIMES = ("run.json", ".lock")
# What a call goes on from; its readers take nothing from it.
_CHECKPOINTS = ("checkpoint.npz", "unfinished.sqlite", "unfinished.sqlite-journal")


def start(function, config, folder, overrides=(), *, resume=False, prepare=lambda: None):
    """Fork a call, and return its process id."""
    child = os.fork()
    if not child:
        prepare()
        warnings.simplefilter("ignore")
        try:
            getattr(lossfw, function)(config, overrides=overrides, out=folder, resume=resume)
        except lossfw.LossfwError as error:
            print(error, file=sys.stderr)
            os._exit(1)
        os._exit(0)
    return child


def contents(folder):
    """Return the files below a folder by their relative names, without those of times."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in _TIMES]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def whole(function, config, folder, overrides=()):
    """Return the files of an undisturbed call."""
    shutil.rmtree(folder, ignore_errors=True)
    assert ended(start(function, config, folder, overrides)) == 0
    return contents(folder)


def taken(found):
    """Return what a reader takes: the files of each folder whose status is done."""
    status = {Path(name).parent: found[name] for name in found if Path(name).name == "status"}
    done = [folder for folder, content in status.items() if content == b"done\n"]
    return {
        str(folder): {
            name: content
            for name, content in found.items()
            if Path(name).parent == folder and not name.endswith((".tmp", *_CHECKPOINTS))
        }
        for folder in done
    }


def run(function, config, folder, step, overrides):
    """Make all trials and print what came out."""
    older = whole(function, config, folder, overrides) if overrides else {}
    wanted = whole(function, config, folder)
    assert taken(wanted)
    kept = Path(f"{folder}.older")
    if overrides:
        whole(function, config, folder, overrides)
        shutil.rmtree(kept, ignore_errors=True)
        folder.rename(kept)
    killed, left, wrong, number = 0, 0, [], 0
    while True:
        shutil.rmtree(folder, ignore_errors=True)
        if overrides:
            shutil.copytree(kept, folder)
        _, prepare = kill_before(number, folder)
        if ended(start(function, config, folder, prepare=prepare)) != -signal.SIGKILL:
            break
        killed += 1
        found = contents(folder) if folder.is_dir() else {}
        results = taken(found)
        left += bool(results)
        for where, files in results.items():
            if files not in (taken(older).get(where), taken(wanted).get(where)):
                wrong.append(f"{number}: {where} is of neither call")
        code = ended(start(function, config, folder, resume=True))
        found = contents(folder)
        differ = [name for name in {**wanted, **found} if found.get(name) != wanted.get(name)]
        wrong += [f"{number}: {name} after resume" for name in differ]
        wrong += [f"{number}: exit code {code}"] if code else []
        number += step
    print(json.dumps({"killed": killed, "left": left, "wrong": wrong}))


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), sys.argv[5:])

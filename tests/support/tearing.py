"""Kill a training before each operation on a file in its folder: a program that the tests start.

    python tearing.py CONFIG OVERRIDE FOLDER [over]

Each time the folder is looked at as its readers do, and the training is then resumed. With
`over` the folder holds an older training, which has OVERRIDE. A line of JSON says how many
were killed, in which states the folder was found, and what was wrong. The package is imported
once; each training and each look is a fork, before which no thread of a library has begun.
"""

import json
import os
import shutil
import signal
import sys
from pathlib import Path

import xgboost  # noqa: F401  # so that a fork need not

# A program, whose folder Python has in its path.
from killing import ended, kill_before, start

import lossfw
import lossfw.models.training.loop
import lossfw.runs.trainings
from lossfw.runs.compare import find_trainings

# How a configuration names the model in a folder.
WAYS = ("model={{name: xgboost, file: {}/model.ubj}}", "model={{name: trained, folder: {}}}")


def content_of(folder):
    """Return the files of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def trained(config, folder, *words):
    """Train, and return the files."""
    shutil.rmtree(folder, ignore_errors=True)
    assert ended(start("train", config, "--out", folder, *words)) == 0
    return content_of(folder)


def in_fork(function, *arguments):
    """Return what a function returns in a fork, as JSON brings it."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.write(write, json.dumps(function(*arguments)).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        text = answer.read()
    assert ended(child) == 0
    return json.loads(text)


def told(folder):
    """Return settings and numbers of the trainings that compare finds in a folder."""
    return [
        [str(one.settings["model.max_depth"]), one.numbers] for one in find_trainings([folder])[0]
    ]


def evaluated(config, *overrides):
    """Return the loss of a run, or the message why there is none."""
    try:
        return lossfw.run(config, overrides=["train-", *overrides]).loss
    except lossfw.errors.LossfwError as error:
        return str(error)


def look(config, folder, whole, losses):
    """Return the state of a folder in a word, and what its readers take for something else.

    `whole` has the numbers of each training that was once whole, by its depth, and `losses` those
    of their models.
    """
    there = told(folder)
    wrong = [f"compare: {depth} {own}" for depth, own in there if whole[depth] != own]
    for how in WAYS:
        how = [how.format(folder)]
        loss = evaluated(config, *how)
        if isinstance(loss, float) and loss not in losses:
            wrong.append(f"{how}: {loss}")
        # Its inputs are standardised, and without it the numbers would be others.
        loss = evaluated(config, *how, "data.standardize=false")
        if isinstance(loss, float):
            wrong.append(f"{how} without standardisation: {loss}")
    status = folder / "status"
    names = sorted(p.name for p in folder.iterdir() if not p.name.endswith(".tmp"))
    state = status.read_text().strip() if status.is_file() else "none"
    if bool(there) != (state == "done"):
        wrong.append(f"status {state}, and compare has {len(there)}")
    return f"{state}: {' '.join(names)}", wrong


def run(config, override, folder, over):
    """Make all trials and print what came out."""
    by_file = WAYS[0].format(folder)
    older = trained(config, folder, "-o", override)
    whole, losses = dict(in_fork(told, folder)), [in_fork(evaluated, config, by_file)]
    wanted = trained(config, folder)
    whole |= dict(in_fork(told, folder))
    losses.append(in_fork(evaluated, config, by_file))
    assert len(whole) == len(set(losses)) == 2
    states, wrong, number = {}, [], 0
    while True:
        shutil.rmtree(folder, ignore_errors=True)
        if over:
            folder.mkdir()
            for name, content in older.items():
                (folder / name).write_bytes(content)
        act, prepare = kill_before(number, folder)
        child = start("train", config, "--out", folder, prepare=prepare)
        act(child)
        if ended(child) != -signal.SIGKILL:
            break
        number += 1
        if folder.is_dir():
            state, found = in_fork(look, config, folder, whole, losses)
            states[state] = states.get(state, 0) + 1
            wrong += [f"{number}, {state}: {what}" for what in found]
        # The checkpoint of the older training is that of another one.
        checkpoint = folder / "checkpoint.npz"
        is_older = over and checkpoint.read_bytes() == older[checkpoint.name]
        code = ended(start("train", config, "--out", folder, *([] if is_older else ["--resume"])))
        found = content_of(folder)
        differ = [name for name in {**wanted, **found} if found.get(name) != wanted.get(name)]
        wrong += [f"{number}: {name} after --resume" for name in differ]
        wrong += [f"{number}: exit code {code}"] if code else []
    print(json.dumps({"killed": number, "states": states, "wrong": wrong}))


if __name__ == "__main__":
    run(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), "over" in sys.argv)

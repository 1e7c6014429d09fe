"""A folder that vanishes, a full disk, a clock set back, another process: words, nothing half."""

import errno
import os
import shutil
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest

import lossfw

RUN = {
    "lossfw": 1,
    "data": {"name": "inline", "targets": [0, 1, 1, 0]},
    "network": {"predictions": [[0.5, 0.5], [0.2, 0.8], [0.1, 0.9], [0.7, 0.3]]},
    "loss": "cross_entropy",
    "evaluate": {"save_rows": True, "metrics": ["accuracy"]},
}
TRAIN = {
    "lossfw": 1,
    "data": {"name": "inline", "inputs": [[0.0], [1.0], [2.0], [3.0]], "targets": [1, 3, 5, 7]},
    "network": {"layers": [{"units": 1, "activation": "identity"}]},
    "loss": "squared_error",
    "train": {"optimizer": "sgd", "epochs": 2},
}
FOLDS = TRAIN | {"train": {**TRAIN["train"], "hold_out": {"folds": 2}}}
CASES = {
    "run": (lossfw.run_all, RUN),
    "sweep of runs": (lossfw.run_all, RUN | {"sweep": {"grid": {"loss.delta": [1e-7, 1e-3]}}}),
    "training": (lossfw.train_all, TRAIN),
    "sweep of trainings": (lossfw.train_all, TRAIN | {"sweep": {"seeds": 2}}),
    "folds": (lossfw.train_all, FOLDS),
}
# What says when it was, who is writing, and what a call goes on from.
NOT_COMPARED = {"run.json", ".lock", "checkpoint.npz", "unfinished.sqlite"}
FUTURE = 4_102_444_800  # the year 2100


def vanishes(out):
    shutil.rmtree(out)


def is_full(out):
    raise OSError(errno.ENOSPC, "No space left on device")


def is_in_the_future(out):
    for path in out.rglob("*"):
        os.utime(path, (FUTURE, FUTURE))
    raise KeyboardInterrupt


def contents(folder):
    """Return the files of each folder below a folder whose status is done."""
    return {
        status.parent: {
            path.name: path.read_bytes()
            for path in status.parent.iterdir()
            if path.is_file() and path.name not in NOT_COMPARED
        }
        for status in folder.rglob("status")
        if status.read_text() == "done\n"
    }


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("trouble", [vanishes, is_full, is_in_the_future])
@pytest.mark.parametrize("case", CASES)
def test_nothing_half_is_taken_for_whole(case, trouble, tmp_path, monkeypatch):
    """Trouble before each write of a file; then a second start, which goes on."""
    call, config = CASES[case]
    out, write = tmp_path / "out", Path.replace
    call(config, out=out)
    wanted = contents(out)
    assert wanted
    # A prime, so that all kinds of files have their turn among many.
    step = 1 if case in ("run", "training") else 7
    for number in count(step=step):
        shutil.rmtree(out)
        writes = []

        def troubled(path, target, number=number, writes=writes):
            writes.append(target)
            if len(writes) == number + 1:
                trouble(out)
            return write(path, target)

        with monkeypatch.context() as patch, suppress(lossfw.LossfwError, KeyboardInterrupt):
            patch.setattr(Path, "replace", troubled)
            call(config, out=out)
        for folder, found in contents(out).items():
            assert found == wanted[folder], number
        call(config, out=out, resume=out.exists())
        assert contents(out) == wanted, number
        if len(writes) <= number:
            break
    assert number > step

"""The file of an unfinished run: resumed here and on a cluster, damaged, locked, full, removed."""

import errno
import os
import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from lossfw.runs import journal, unfinished_file
from lossfw.runs.unfinished_file import StoredEntry, UnfinishedFile
from support.configs import SAVED_ARRAYS

CONFIG = SAVED_ARRAYS + "evaluate: {batch_size: 256, metrics: [accuracy]}\n"
# Of a row that was drawn twice the number in the data is not that in the run.
SAMPLED = CONFIG.replace("accuracy]", "accuracy], sample: {count: 1500, replace: true}")
CLUSTER = ("--cluster", "tcp://here:1")


@pytest.fixture
def killed(lossfw, folder, write, form, spread, killed_after):
    """Make a run of six groups of rows, and one that was killed; return how to run it."""

    def made(config=CONFIG, *more, groups=4):
        write(1500, config)
        rows = ["-o", f"evaluate.save_rows={form}"]
        assert lossfw("run", "run.yaml", *rows, "--out", "whole").exit_code == 0
        run = ("run", "run.yaml", *rows, "--out", "out")
        killed_after(groups, lambda *others: lossfw(*run, *more, *others))
        return lambda *others: lossfw(*run, *others)

    return made


def same(folder, form):
    names = {path.name for path in (folder / "whole").iterdir()}
    assert {path.name for path in (folder / "out").iterdir()} == names
    return all(
        (folder / "out" / name).read_bytes() == (folder / "whole" / name).read_bytes()
        for name in names - {"run.json", "config.yaml"}
    )


@pytest.mark.turns(4)
@pytest.mark.parametrize("config", [CONFIG, SAMPLED], ids=["all rows", "a sample"])
@pytest.mark.parametrize(("first", "then"), [(0, 0), (1, 1), (1, 0), (0, 1)])
def test_a_run_goes_on_on_a_cluster_or_here_to_the_same_bytes(
    killed, folder, form, config, first, then
):
    run = killed(config, *CLUSTER * first)
    done = run("--resume", *CLUSTER * then)
    assert done.exit_code == 0, done.stderr
    seen = 1500 - 2 * 256 if first else 4 * 256  # the last part of a cluster came first
    assert f"continued from row {seen} of 1500" in done.stderr
    assert same(folder, form)


def test_a_run_goes_on_from_gaps_and_is_killed_again(
    killed, folder, form, killed_after, monkeypatch
):
    # The state is in many entries, which are joined.
    monkeypatch.setattr(unfinished_file, "_STATE_BYTES", 1000)
    run = killed(CONFIG, *CLUSTER, groups=3)
    file = UnfinishedFile(folder / "out/unfinished.sqlite")
    assert len(list(file.entries("state"))) > 2
    file.close()
    killed_after(2, lambda *more: run("--resume", *more))
    assert run("--resume").exit_code == 0
    assert same(folder, form)


DAMAGED = "unfinished.sqlite is not the file of an unfinished run, or damaged"


@pytest.mark.turns(5)
@pytest.mark.parametrize(
    "harm",
    [
        "DELETE FROM rows WHERE start = 256",
        "DELETE FROM state",
        "UPDATE rows SET content = substr(content, 2) WHERE start = 256",
        "UPDATE rows SET content = NULL WHERE start = 256",
        "UPDATE rows SET content = 'text' WHERE start = 256",
        "UPDATE rows SET stop = 700 WHERE start = 256",
        "UPDATE state SET content = substr(content, 2)",
        "UPDATE state SET content = 7, crc = 'x'",
        "DROP TABLE rows",
        "CREATE TABLE more (x)",
        b"CREATE TABL\xe9",
        b"SQLite format 3\0",
        b"PK\x03\x04 nothing",
    ],
)
def test_entries_that_are_damaged_or_lost_are_told(killed, folder, form, harm):
    run = killed()
    file = folder / "out/unfinished.sqlite"
    if isinstance(harm, bytes):
        # A schema that SQLite cannot quote, or another file.
        is_schema = harm.startswith(b"CREATE")
        file.write_bytes(file.read_bytes().replace(b"CREATE TABLE", harm) if is_schema else harm)
    else:
        base = sqlite3.connect(file)
        base.execute(harm)
        base.commit()
        base.close()
    told = run("--resume")
    if harm == "DELETE FROM state":  # as before the first commit
        assert told.exit_code == 0
        assert "continued" not in told.stderr
    else:
        assert (told.exit_code, told.stdout) == (2, "")
        assert DAMAGED in told.stderr
        assert "run without --resume, which starts over" in " ".join(told.stderr.split())
        assert run().exit_code == 0
    assert same(folder, form)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100))
def test_a_damaged_file_is_told_or_does_no_harm(killed, folder, form, seed):
    draw, run = random.Random(seed), killed()
    file = folder / "out/unfinished.sqlite"
    content = bytearray(file.read_bytes())
    for _ in range(draw.choice([1, 1, 10, 1000])):
        # The pages of SQLite itself are few.
        content[draw.randrange(draw.choice([100, 8192, len(content)]))] ^= 1 << draw.randrange(8)
    file.write_bytes(content[: draw.choice([len(content), draw.randrange(len(content))])])
    done = run("--resume")
    assert "Traceback" not in done.stderr
    if done.exit_code:
        assert "unfinished.sqlite" in done.stderr
        assert run().exit_code == 0
    assert same(folder, form)


@pytest.mark.turns(4)
@pytest.mark.parametrize("kept", ["partials.npz", "results.part", "results.parts"])
def test_an_unfinished_run_of_an_older_lossfw_is_refused(killed, folder, form, kept):
    run = killed()
    (folder / "out/unfinished.sqlite").unlink()
    path = folder / "out" / kept
    if kept == "results.parts":
        path.mkdir()
        path /= "part-000000000000-0a1b2c3d.jsonl"
    path.write_bytes(b"x")
    told = run("--resume")
    assert told.exit_code == 2
    words = "began with an older lossfw: start over, by running without --resume"
    assert words in " ".join(told.stderr.split())
    assert (folder / "out" / kept).exists()
    assert run().exit_code == 0
    assert same(folder, form)


def test_the_rows_of_an_older_cluster_are_told_and_replaced(lossfw, folder, write):
    write(50, CONFIG)
    run = ("run", "run.yaml", "-o", "evaluate.save_rows=true", "--out", "out")
    assert lossfw(*run).exit_code == 0
    shutil.copytree(folder / "out", folder / "whole")
    rows = folder / "out/results.jsonl"
    for more in ((), ("--resume",)):
        rows.unlink()
        rows.mkdir()
        (rows / "_manifest.json").write_text("{}")
        told = lossfw("compare", "out", "whole")
        assert told.exit_code == 2
        assert "results.jsonl is a folder, as an older lossfw wrote it: run again" in told.stderr
        assert lossfw(*run, *more).exit_code == 0
        assert same(folder, "jsonl")


def test_a_file_that_cannot_be_locked_ends_the_run_before_its_first_row(
    lossfw, folder, write, monkeypatch
):
    write(50, CONFIG)
    (folder / "out").mkdir()
    monkeypatch.setattr("lossfw.runs.lock.fcntl", None)
    other = UnfinishedFile(folder / "other.sqlite")
    monkeypatch.setattr("lossfw.runs.recorder.UNFINISHED_FILE", "../other.sqlite")
    seen = []
    monkeypatch.setattr(journal.RunJournal, "add", lambda *rows: seen.append(rows))
    told = lossfw("run", "run.yaml", "--out", "out")
    other.close()
    assert (told.exit_code, told.stdout, seen) == (1, "", [])
    words = " ".join(told.stderr.split())
    assert "other.sqlite cannot be written: database is locked." in words
    assert "choose another folder for --out" in words
    assert (folder / "out/status").read_text() == "failed\n"


def test_rows_that_sqlite_has_dropped_are_told_and_computed_again(
    killed, folder, form, monkeypatch
):
    run, commit = killed(), UnfinishedFile.commit

    def full(file, state):
        file._base.rollback()
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(UnfinishedFile, "commit", full)
    told = run("--resume")
    assert told.exit_code == 1
    assert "accuracy" in told.stdout
    assert "unfinished.sqlite cannot be written: database or disk is full." in told.stderr
    assert (folder / "out/status").read_text() == "failed\n"
    monkeypatch.setattr(UnfinishedFile, "commit", commit)
    assert "continued from row 1024" in run("--resume").stderr
    assert same(folder, form)


def test_a_commit_that_fails_once_is_made_up_for(lossfw, folder, write, form, often, monkeypatch):
    monkeypatch.setattr("lossfw.losses.engine.reduction.BLOCK_ELEMENTS", 768)
    write(1500, CONFIG)
    run = ("run", "run.yaml", "-o", f"evaluate.save_rows={form}", "--out")
    assert lossfw(*run, "whole").exit_code == 0
    commit, calls = UnfinishedFile.commit, []

    def fails_once(file, state):
        calls.append(state)
        if len(calls) == 2:
            raise sqlite3.OperationalError("disk I/O error")
        commit(file, state)

    monkeypatch.setattr(UnfinishedFile, "commit", fails_once)
    assert lossfw(*run, "out").exit_code == 0
    assert len(calls) > 4
    assert same(folder, form)


@pytest.mark.parametrize("rows", ["false", "true"])
@pytest.mark.parametrize("replaced", [False, True])
def test_a_folder_that_vanishes_gets_no_half_of_a_run(
    lossfw, folder, write, monkeypatch, rows, replaced
):
    write(50, CONFIG)
    store = journal.RunJournal.store

    def vanish(kept, state, *, at_once=False):
        store(kept, state, at_once=at_once)
        shutil.rmtree(folder / "out")
        if replaced:
            (folder / "out").mkdir()

    monkeypatch.setattr(journal.RunJournal, "store", vanish)
    told = lossfw("run", "run.yaml", "-o", f"evaluate.save_rows={rows}", "--out", "out")
    assert told.exit_code == 1
    assert "accuracy" in told.stdout
    words = "out was removed or replaced during the run: its results were not written"
    assert words in " ".join(told.stderr.split())
    assert (folder / "out").exists() == replaced
    assert not replaced or not list((folder / "out").iterdir())


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="this system names no open files")
@pytest.mark.parametrize("cluster", [(), CLUSTER], ids=["here", "parts"])
def test_a_full_disk_names_the_file_that_a_reader_knows(
    lossfw, folder, write, form, spread, cluster, monkeypatch
):
    write(600, CONFIG)
    sync = os.fsync

    def full(descriptor):
        if "results" in Path(f"/proc/self/fd/{descriptor}").readlink().name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(descriptor)

    run = ("run", "run.yaml", "-o", f"evaluate.save_rows={form}", "--out", "out")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        done = lossfw(*run, *cluster)
    assert done.exit_code == 1
    told = f"results.{form} cannot be written: No space left on device"
    assert told in done.stderr
    assert told in (folder / "out/error.txt").read_text()
    assert ".tmp" not in done.stderr
    assert not list((folder / "out").glob(".*"))
    assert lossfw(*run, "--resume").exit_code == 0


def test_no_other_process_opens_the_file(tmp_path):
    file = UnfinishedFile(tmp_path / "file")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        UnfinishedFile(tmp_path / "file")
    file.add([StoredEntry.of(0, 3, b"abc")])
    file.commit(b"state")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        UnfinishedFile(tmp_path / "file")
    file.add([StoredEntry.of(3, 6, b"def")])
    file.close()
    file = UnfinishedFile(tmp_path / "file")
    assert [entry.content for entry in file.entries("rows")] == [b"abc"]
    assert file.state() == b"state"
    file.close()

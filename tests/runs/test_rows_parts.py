"""Rows in parts: joined by a manifest, complete or absent, resumed on a cluster or without."""

import errno
import json
import os
from pathlib import Path

import pytest

from lossfw.config.plan.evaluation import build
from lossfw.config.text.source import ConfigSource
from lossfw.errors import DataError, OutputError
from lossfw.runs import rows_parts
from lossfw.runs.compare.rows import read_rows
from lossfw.runs.files import temporary_of
from lossfw.runs.rows_parts import RowsParts, row_files
from lossfw.runs.rows_writer import ParquetRows, RowsFile
from support.configs import SAVED_ARRAYS

CONFIG = SAVED_ARRAYS + "evaluate: {batch_size: 256, metrics: [accuracy]}\n"


@pytest.fixture
def both(lossfw, folder, write, form, spread):
    """Run the same in one file and in parts, and return their folders."""
    write(600, CONFIG)
    rows = f"evaluate.rows={form}"
    for name, more in (("one", []), ("parts", ["--cluster", "tcp://here:1"])):
        done = lossfw("run", "run.yaml", "-o", rows, "--out", name, *more)
        assert done.exit_code == 0, done.stderr
    return folder / "one", folder / "parts", rows


def same(one, two):
    kept = zip(read_rows(one)[:5], read_rows(two)[:5], strict=True)
    return all(a is b is None or (a.dtype, a.tobytes()) == (b.dtype, b.tobytes()) for a, b in kept)


def test_parts_have_the_rows_of_one_file_in_its_order(both, form):
    one, parts, _ = both
    target = parts / f"results.{form}"
    assert len(row_files(target)) == 3  # of 256 rows
    if form == "jsonl":
        joined = b"".join(path.read_bytes() for path in row_files(target))
        assert joined == (one / "results.jsonl").read_bytes()
    else:
        from pyarrow import parquet

        whole = parquet.read_table(one / "results.parquet")
        # As any reader of a folder of Parquet files finds them.
        assert parquet.read_table(target).equals(whole)
    assert same(one, parts)
    assert not (parts / rows_parts.PARTS_FOLDER).exists()
    assert (one / "metrics.json").read_bytes() == (parts / "metrics.json").read_bytes()


def test_parts_are_read_by_compare(both, lossfw):
    compared = lossfw("compare", "one", "parts")
    assert compared.exit_code == 0, compared.stderr
    assert "paired by 600 rows" in compared.stdout


@pytest.mark.slow
def test_parts_are_read_by_report(both, lossfw):
    pytest.importorskip("jinja2")
    told = lossfw("report", "parts")
    assert told.exit_code == 0, told.stderr


def test_a_done_run_with_parts_is_not_run_again(both, lossfw):
    again = lossfw("run", "run.yaml", "-o", both[2], "--out", "parts", "--resume")
    assert "done before, not run again" in again.stderr


def test_parts_and_a_file_take_the_place_of_each_other(both, lossfw):
    one, parts, rows = both
    assert lossfw("run", "run.yaml", "-o", rows, "--out", "parts").exit_code == 0
    assert lossfw("run", "run.yaml", "-o", rows, "--out", "one", "--cluster", "x://").exit_code == 0
    (file,) = parts.glob("results.*")
    assert file.is_file()
    (there,) = one.glob("results.*")
    assert there.is_dir()
    assert same(one, parts)


@pytest.mark.parametrize("harm", ["missing", "cut short", "no manifest", "damaged", "a gap"])
def test_parts_are_complete_or_absent(both, harm, form):
    target = both[1] / f"results.{form}"
    manifest, part = target / rows_parts.MANIFEST_FILE, row_files(target)[1]
    if harm == "no manifest":
        manifest.unlink()
        assert read_rows(both[1]) is None
        return
    if harm == "missing":
        part.unlink()
    elif harm == "cut short":
        part.write_bytes(part.read_bytes()[:-1])
    elif harm == "damaged":
        manifest.write_text("{}")
    else:
        content = json.loads(manifest.read_text())
        del content["parts"][1]
        manifest.write_text(json.dumps(content))
    with pytest.raises(DataError, match="run again"):
        read_rows(both[1])


@pytest.mark.parametrize(("first", "then"), [(1, 1), (1, 0), (0, 1)])
def test_a_run_goes_on_where_it_was_left_on_a_cluster_or_not(
    lossfw, folder, write, form, spread, killed_after, first, then
):
    write(600, CONFIG)
    rows = ["-o", f"evaluate.rows={form}"]
    cluster = ["--cluster", "tcp://here:1"]
    assert lossfw("run", "run.yaml", *rows, "--out", "whole").exit_code == 0
    killed_after(
        2, lambda *more: lossfw("run", "run.yaml", *rows, "--out", "o", *cluster * first, *more)
    )
    # What a worker writes after it was given up does no harm.
    if first:
        (folder / "o" / rows_parts.PARTS_FOLDER / f"part-000000000000-0.{form}").write_bytes(b"x")
    done = lossfw("run", "run.yaml", *rows, "--out", "o", "--resume", *cluster * then)
    assert done.exit_code == 0, done.stderr
    assert "continued from row 512 of 600" in done.stderr
    assert same(folder / "whole", folder / "o")
    assert (folder / "o/metrics.json").read_bytes() == (folder / "whole/metrics.json").read_bytes()
    assert not list((folder / "o").glob("*part*"))


def test_a_part_that_fails_leaves_no_file(folder, write):
    write(600, CONFIG)
    plan = build(ConfigSource("run.yaml"))
    rows = RowsParts.of(folder, "jsonl")
    rows.begin([])
    with pytest.raises(KeyboardInterrupt), rows.writing_part(plan, 0, 256):
        raise KeyboardInterrupt
    assert [path.name for path in rows.folder.iterdir()] == [rows.sign.name]


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="this system names no open files")
@pytest.mark.parametrize("more", [[], ["--cluster", "tcp://here:1"]], ids=["one file", "parts"])
def test_a_full_disk_names_the_file_that_a_reader_knows(
    lossfw, folder, write, form, spread, more, monkeypatch
):
    write(600, CONFIG)
    sync, names = os.fsync, []

    def full(descriptor):
        name = Path(f"/proc/self/fd/{descriptor}").readlink().name
        # Rows become Parquet at the end, under another name.
        if ("results" in name or "part-" in name) and (form, name) != ("parquet", "results.part"):
            names.append(name)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    done = lossfw("run", "run.yaml", "-o", f"evaluate.rows={form}", "--out", "out", *more)
    assert done.exit_code == 1
    assert "cannot be written: No space left on device" in done.stderr
    assert names
    assert ".tmp" not in done.stderr, names
    assert ".tmp" not in (folder / "out/error.txt").read_text()


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_a_file_under_a_temporary_name_is_told_by_its_own(tmp_path, form):
    target = tmp_path / "gone" / "results.parquet"
    file = RowsFile if form == "jsonl" else lambda path, _: ParquetRows(path)
    for temporary in (temporary_of(target), temporary_of(target, "0a1b2c3d")):
        assert temporary.name.startswith(".results.parquet.")
        with pytest.raises(OutputError, match=rf"^{target} cannot be written: No such file"):
            file(temporary, form)
    hidden = tmp_path / "gone" / ".results.tmp"
    with pytest.raises(OutputError, match=rf"^{hidden} cannot be written"):
        file(hidden, form)

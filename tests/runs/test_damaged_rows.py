"""Rows of an unfinished run that were damaged: told in words, written again, the rest kept."""

import numpy as np
import pytest

from lossfw.runs import journal, rows_writer
from lossfw.runs.rows import RowRecords
from lossfw.runs.rows_parts import PARTS_FOLDER
from lossfw.runs.rows_writer import PART_FILE, RowsFile, damaged_in
from support.configs import SAVED_ARRAYS

CONFIG = SAVED_ARRAYS + "evaluate: {batch_size: 256, metrics: [accuracy]}\n"
# Of a row that was drawn twice the number in the data is not that in the run.
SAMPLED = CONFIG.replace("accuracy]", "accuracy], sample: {count: 1500, replace: true}")
# Where a bit can flip: in the head or the first row, in a row, at either side of a border between
# pieces, at the end of what counts, and behind it.
PLACES = ["first byte", "first piece", "end of a piece", "next piece", "middle", "last byte"]


@pytest.fixture
def killed(lossfw, folder, write, form, monkeypatch, killed_after):
    """A run that was killed after four of six groups of rows, and what it makes undisturbed."""
    monkeypatch.setattr("lossfw.losses.engine.reduction.BLOCK_ELEMENTS", 768)
    monkeypatch.setattr(rows_writer, "_PIECE_BYTES", 1)
    monkeypatch.setattr(rows_writer, "_PIECES", 10**9)

    def made(config=CONFIG, *more):
        write(1500, config)
        rows = ["-o", f"evaluate.rows={form}"]
        assert lossfw("run", "run.yaml", *rows, "--out", "whole").exit_code == 0
        run = ("run", "run.yaml", *rows, "--out", "o")
        killed_after(4, lambda *others: lossfw(*run, *more, *others))
        return lambda *others: lossfw(*run, "--resume", *others)

    return made


def same(folder, form):
    names = ("metrics.json", f"results.{form}")
    return all(
        (folder / "o" / name).read_bytes() == (folder / "whole" / name).read_bytes()
        for name in names
    )


def place_of(name, path, pieces):
    first, second = pieces[0].size, pieces[0].size + pieces[1].size
    return {
        "first byte": 0,
        "first piece": first // 2,
        "end of a piece": first - 1,
        "next piece": first,
        "middle": (first + second) // 2,
        "last byte": path.stat().st_size - 1,
    }[name]


@pytest.mark.turns(5)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("bit", [0, 7])
def test_a_flipped_bit_is_found_and_only_its_piece_is_written_again(
    killed, folder, form, place, bit
):
    resume = killed()
    path = folder / "o" / PART_FILE
    pieces = pieces_of(folder)
    where = place_of(place, path, pieces)
    flip(path, where, bit)
    done = resume()
    assert done.exit_code == 0, done.stderr
    assert "continued from row 1024 of 1500" in done.stderr
    begins = np.cumsum([0, *(piece.size for piece in pieces)])[:-1]
    damaged = [p for p, begin in zip(pieces, begins, strict=True) if begin <= where][-1]
    told = f"the rows {damaged.start} to {damaged.stop - 1} were written again"
    assert done.stdout.count("was damaged") == 1
    assert told in " ".join(done.stdout.split())
    assert told in (folder / "o/run.json").read_text()
    assert same(folder, form)


def flip(path, where, bit=0):
    content = bytearray(path.read_bytes())
    content[where] ^= 1 << bit
    path.write_bytes(content)


def pieces_of(folder):
    from lossfw.data.state_file import SavedState
    from lossfw.runs.rows_writer import RowsPiece

    header = SavedState.read(folder / "o" / "partials.npz").header
    return [RowsPiece(*piece) for piece in header["pieces"]]


@pytest.mark.parametrize("config", [CONFIG, SAMPLED], ids=["all rows", "a sample"])
def test_a_file_that_was_cut_short_is_filled_again(killed, folder, form, config):
    resume = killed(config)
    path = folder / "o" / PART_FILE
    path.write_bytes(path.read_bytes()[: pieces_of(folder)[0].size + 5])
    done = resume()
    assert done.exit_code == 0, done.stderr
    assert done.stdout.count("was damaged") == 3
    assert same(folder, form)


def test_what_lies_behind_the_checkpoint_does_not_count(killed, folder, form):
    resume = killed()
    with (folder / "o" / PART_FILE).open("ab") as file:
        file.write(b"rows that no checkpoint has")
    done = resume()
    assert "damaged" not in done.stdout
    assert same(folder, form)


def test_a_note_survives_a_further_interruption(killed, folder, form, killed_after):
    resume = killed()
    flip(folder / "o" / PART_FILE, 3)
    killed_after(1, resume)
    assert resume().stdout.count("was damaged") == 1
    assert same(folder, form)


def test_rows_that_are_others_now_are_refused(killed, folder, form, monkeypatch):
    resume = killed()
    flip(folder / "o" / PART_FILE, -1)
    again = journal.content_of
    monkeypatch.setattr(journal, "content_of", lambda *a, **more: again(*a, **more)[::-1])
    told = resume()
    assert told.exit_code == 2
    assert "are not the same when they are computed again: run without --resume" in told.stderr


@pytest.mark.turns(5)
@pytest.mark.parametrize("harm", ["flipped", "missing", "cut short"])
@pytest.mark.parametrize("cluster", [True, False])
def test_a_damaged_part_is_written_again(killed, folder, form, harm, cluster, spread, lossfw):
    resume = killed(CONFIG, "--cluster", "tcp://here:1")
    _, second, *_ = sorted((folder / "o" / PARTS_FOLDER).glob("part-*"))
    if harm == "missing":
        second.unlink()
    elif harm == "flipped":
        flip(second, second.stat().st_size // 2)
    else:
        second.write_bytes(second.read_bytes()[:-1])
    done = resume(*(["--cluster", "tcp://here:1"] if cluster else []))
    assert done.exit_code == 0, done.stderr
    assert "continued from row 1024 of 1500" in done.stderr
    told = f"{second.name} was missing or damaged: the rows 256 to 511 were written again"
    assert told in (folder / "o/run.json").read_text()
    assert (folder / "o/metrics.json").read_bytes() == (folder / "whole/metrics.json").read_bytes()
    compared = lossfw("compare", "whole", "o")
    assert compared.exit_code == 0, compared.stderr


def test_small_pieces_are_joined_until_they_are_large(tmp_path, monkeypatch):
    rows = RowRecords(np.arange(3), np.ones(3), np.ones((3, 2), "f4"), np.arange(3), None)
    monkeypatch.setattr(rows_writer, "_PIECE_BYTES", 200)
    file = RowsFile(tmp_path / "part", "jsonl")
    for _ in range(20):
        file.add(rows)
        found = file.pieces()
    file.close()
    assert sum(piece.size for piece in found) == file.written
    assert [piece.stop for piece in found[:-1]] == [piece.start for piece in found[1:]]
    assert found[-1].stop == 60
    assert all(piece.size >= 200 for piece in found[:-1])
    assert not damaged_in(file.path, found)

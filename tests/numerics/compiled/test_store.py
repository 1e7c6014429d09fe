"""The cache of object files: damaged, foreign, full and forbidden folders cost time only."""

import hashlib
import os

import pytest

from lossfw.numerics.compiled import store

CODE = b"some machine code"
KEY = "a" * 64


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(store.VARIABLE, str(tmp_path))
    return tmp_path / "kernels"


def test_what_is_written_is_read(folder):
    assert store.read(KEY) is None
    store.write(KEY, CODE)
    assert store.read(KEY) == CODE
    assert store.read("b" * 64) is None
    assert [path.name for path in folder.iterdir()] == [f"{KEY}.o"]


@pytest.mark.parametrize("damage", [b"", b"short", hashlib.sha256(b"other").digest() + CODE])
def test_a_damaged_file_is_made_again(damage, folder):
    store.write(KEY, CODE)
    (folder / f"{KEY}.o").write_bytes(damage)
    assert store.read(KEY) is None
    store.write(KEY, CODE)
    assert store.read(KEY) == CODE


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="this system has no owners of files")
@pytest.mark.parametrize("others", [0o020, 0o002])
def test_what_others_may_write_to_is_not_read(others, folder):
    store.write(KEY, CODE)
    path = folder / f"{KEY}.o"
    path.chmod(0o600 | others)
    assert store.read(KEY) is None
    path.chmod(0o600)
    folder.chmod(0o700 | others)
    assert store.read(KEY) is None
    store.write("b" * 64, CODE)
    folder.chmod(0o700)
    assert store.read("b" * 64) is None
    assert store.read(KEY) == CODE


def test_a_full_or_forbidden_folder_is_done_without(folder, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    store.write(KEY, CODE)
    with monkeypatch.context() as patch:
        patch.setattr(store.tempfile, "mkstemp", full)
        store.write("b" * 64, CODE)
    with monkeypatch.context() as patch:
        patch.setattr(store.os, "fdopen", full)
        store.write("b" * 64, CODE)
    assert store.read("b" * 64) is None
    assert [path.name for path in folder.iterdir()] == [f"{KEY}.o"]


def test_a_file_in_the_place_of_the_folder(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(store.VARIABLE, str(tmp_path / "file"))
    store.write(KEY, CODE)
    assert store.read(KEY) is None


def test_the_folder_is_the_users_choice(tmp_path, monkeypatch):
    monkeypatch.setenv(store.VARIABLE, "")
    assert store.folder() is None
    store.write(KEY, CODE)
    assert store.read(KEY) is None
    monkeypatch.delenv(store.VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert store.folder() == tmp_path / "lossfw" / "kernels"


def test_code_of_another_processor_or_llvm_is_not_asked_for(monkeypatch):
    pytest.importorskip("llvmlite", reason="llvmlite is not installed")
    from lossfw.numerics.compiled import machine

    asked = []
    monkeypatch.setattr(machine.store, "read", asked.append)
    monkeypatch.setattr(machine.store, "write", lambda *_: None)
    text = "define i32 @kernel(ptr %a) {\n  ret i32 0\n}\n"
    assert machine.code_of(text).address
    for name in ("cpu", "features", "version"):
        with monkeypatch.context() as patch:
            patch.setattr(machine._machine(), name, "another")
            assert machine.code_of(text).address
    assert len(set(asked)) == 4

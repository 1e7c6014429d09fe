import os

import pytest

from lossfw.config.text.reading import MAX_BYTES, read_file
from lossfw.errors import ConfigError


def refusal(name, folder):
    with pytest.raises(ConfigError) as caught:
        read_file(str(name), folder=folder)
    assert caught.value.exit_code == 2
    (problem,) = caught.value.problems
    assert problem.where.startswith(str(name))
    return problem


@pytest.mark.parametrize(
    ("name", "what", "hint"),
    [
        ("digit.yaml", "there is no such file", "did you mean 'digits.yaml'?"),
        ("no/such/run.yaml", "there is no such file", ""),
        (".", "folder", ""),
        ("digits.yaml/x", "cannot be read", ""),
        ("x" * 5_000, "cannot be read", ""),
    ],
)
def test_what_is_no_file_is_refused(name, what, hint, tmp_path):
    (tmp_path / "digits.yaml").write_text("lossfw: 1")
    problem = refusal(name, tmp_path)
    assert what in problem.message
    assert hint in problem.hint


def test_a_huge_file_is_refused_from_its_size(tmp_path):
    # A sparse file: 100 MB that take no room and would take long to read.
    with (tmp_path / "run.yaml").open("wb") as file:
        file.truncate(100_000_000)
    problem = refusal("run.yaml", tmp_path)
    assert "100,000,000" in problem.message
    assert f"{MAX_BYTES:,}" in problem.message


def test_the_largest_legal_file_is_read(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_bytes(b"#" * MAX_BYTES)
    assert len(read_file("run.yaml", folder=tmp_path)[0]) == MAX_BYTES
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    assert f"{MAX_BYTES + 1:,}" in refusal("run.yaml", tmp_path).message


@pytest.mark.parametrize(
    ("content", "where", "what", "hint"),
    [
        (b"", "run.yaml", "the file is empty", "lossfw: 1"),
        (b"\xef\xbb\xbf", "run.yaml", "the file is empty", "lossfw: 1"),
        (b"\x93NUMPY\x01\x00v\x00{", "run.yaml", "not a text file", ""),
        (b"a: 1\nb: \xff\n", "run.yaml:2", "this is not UTF-8 text", ""),
        ("a: 1\nb: é\n".encode("latin-1"), "run.yaml:2", "this is not UTF-8 text", ""),
    ],
)
def test_what_is_no_text_is_refused_with_its_line(content, where, what, hint, tmp_path):
    (tmp_path / "run.yaml").write_bytes(content)
    problem = refusal("run.yaml", tmp_path)
    assert problem.where == where
    assert what in problem.message
    assert hint in problem.hint


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "run.yaml")
    assert "regular" in refusal("run.yaml", tmp_path).message

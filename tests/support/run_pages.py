"""Run what a page of documentation shows: its files, its commands and its Python.

A page is run from top to bottom in one empty folder::

    <!-- file: name.yaml -->        the next block is written to that file
    ```console                      lines after "$ " are run by the shell; what follows
    $ lossfw list loss              is what they print, where "..." stands for anything
    ```                             and the exit code is 0 unless the block says
    ```console exit=2               otherwise
    ```python                       is run; lines after ">>> " are a doctest

A command of lossfw alone runs in this process, which has imported everything.
"""

import contextlib
import doctest
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from lossfw.cli import main as lossfw
from lossfw.components.registry import registry

_BLOCK = re.compile(
    r"(?:<!-- file: (?P<file>\S+) -->\n)?^```(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.M | re.S
)
_FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
_TERMINAL = {"COLUMNS": "100", "TERM": "dumb"}


@dataclass(frozen=True)
class Block:
    """A fenced block: what it is, its text, and the line where it begins."""

    info: str
    body: str
    file: str | None
    line: int


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page."""
    text = page.read_text()
    return [
        Block(m["info"], m["body"], m["file"], text.count("\n", 0, m.start("info")) + 1)
        for m in _BLOCK.finditer(text)
    ]


def run(page: Path, folder: Path) -> int:
    """Run a page in a folder and return how many of its blocks did something."""
    names: dict[str, object] = {}
    done = 0
    for block in blocks(page):
        where = f"{page.name}:{block.line}"
        if block.file:
            (folder / block.file).parent.mkdir(parents=True, exist_ok=True)
            (folder / block.file).write_text(block.body)
        elif block.info.startswith("console"):
            _console(block, folder, where)
        elif block.info == "python":
            with contextlib.chdir(folder), _importable(folder):
                _python(block, names, where)
        else:
            continue
        done += 1
    return done


@contextlib.contextmanager
def _importable(folder: Path):
    """Let Python import the files of the page, and forget them afterwards."""
    before, path = set(sys.modules), sys.path.copy()
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path[:] = path
        for name in set(sys.modules) - before:
            if str(getattr(sys.modules[name], "__file__", None)).startswith(str(folder)):
                del sys.modules[name]


def _console(block: Block, folder: Path, where: str) -> None:
    wanted_code = int(match[1]) if (match := re.search(r"exit=(\d+)", block.info)) else 0
    for part in re.split(r"^\$ ", block.body, flags=re.M)[1:]:
        command, _, wanted = part.partition("\n")
        while command.endswith("\\"):
            more, _, wanted = wanted.partition("\n")
            command = f"{command[:-1]}{more}"
        alone = re.fullmatch(r"lossfw ([^|;&<>$*]*)", command)
        code, output = _here(alone[1], folder) if alone else _shell(command, folder)
        assert code == wanted_code, f"{where}: $ {command}\n{output}"
        # Pages show paths as POSIX writes them.
        output = output.replace(os.sep, "/") if os.name == "nt" else output
        # A block that shows no output says nothing about it.
        if wanted.strip() and not doctest.OutputChecker().check_output(wanted, output, _FLAGS):
            raise AssertionError(f"{where}: $ {command}\nwanted:\n{wanted}\ngot:\n{output}")


def _shell(command: str, folder: Path) -> tuple[int, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    # The shell of Windows has neither quotes nor tools of POSIX; git brings one that has.
    shell = [shutil.which("bash") or "bash", "-c"] if os.name == "nt" else ["/bin/sh", "-c"]
    done = subprocess.run(
        [*shell, command],
        cwd=folder,
        env={**os.environ, **_TERMINAL, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def _here(arguments: str, folder: Path) -> tuple[int, str]:
    """Run lossfw in this process, and forget what it imported from the folder."""
    before, path = set(sys.modules), sys.path.copy()
    registry.cache_clear()
    with contextlib.chdir(folder):
        result = CliRunner().invoke(lossfw, shlex.split(arguments), env=_TERMINAL)
    registry.cache_clear()
    sys.path[:] = path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(str(folder)):
            del sys.modules[name]
    return result.exit_code, result.output


def _python(block: Block, names: dict[str, object], where: str) -> None:
    if ">>> " not in block.body:
        exec(compile(block.body, where, "exec"), names)
        return
    test = doctest.DocTestParser().get_doctest(block.body, names, where, where, block.line)
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=_FLAGS)
    runner.run(test, out=report.append, clear_globs=False)
    assert not runner.failures, "".join(report)
    names.update(test.globs)

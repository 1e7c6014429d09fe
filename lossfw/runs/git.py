"""The state of a git checkout, without executing programs that the checkout names.

The configuration of a repository may name programs: a file monitor, hooks, filters, a shell for
connections. A user who unpacks an archive with a ``.git`` folder has not agreed to run them. So git
looks for changes with its own, safe configuration.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lossfw.temporary import temporary_folder

# git answers at once, except on a dead network drive: wait so many seconds at most.
_SECONDS = 10

# For all commands: git writes nothing, asks nobody, and fetches nothing.
_QUIET = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
}
# Where git has its own programs: the only variable of git that stays.
_PROGRAMS = "GIT_EXEC_PATH"
# These commands execute nothing anyway.
_NOTHING = ("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}")

# What the files of a checkout look like on its disk. All values are words that name no program.
_OF_THE_DISK = (
    "core.autocrlf",
    "core.checkstat",
    "core.eol",
    "core.filemode",
    "core.ignorecase",
    "core.precomposeunicode",
    "core.symlinks",
    "core.trustctime",
)


def git_state(folder: Path) -> Mapping[str, Any] | None:
    """Return commit and cleanness of the git checkout of a folder, if any.

    Untracked files do not count as changes. A file with a filter, as in Git LFS, counts as
    changed once it has been rewritten.
    """
    asked = ("--show-toplevel", "--git-dir", "--git-common-dir", "--show-object-format", "HEAD")
    answer = _run_git(folder, {}, *_NOTHING, "rev-parse", "--path-format=absolute", *asked)
    lines = (answer or "").splitlines()
    if len(lines) != len(asked):
        return None
    top, own, common, hashed_by, commit = lines
    changes = _changed_files(Path(top), Path(own), Path(common), hashed_by, commit)
    return {"commit": commit, "dirty": changes is None or bool(changes)}


def _changed_files(
    top: Path, excluded: Path, common: Path, hashed_by: str, commit: str
) -> str | None:
    """Return a line for each changed file; None if git cannot tell.

    `excluded` has the index of this checkout, and `common` the objects of all checkouts.
    """
    disk = _disk_settings(top)
    with temporary_folder() as bare:
        (bare / "refs").mkdir()
        (bare / "HEAD").write_text(f"{commit}\n")
        (bare / "config").write_text(
            "[core]\nrepositoryFormatVersion = 1\nbare = false\n"
            f"[extensions]\nobjectFormat = {hashed_by}\n"
        )
        for shared in excluded.glob("sharedindex.*"):  # of a split index
            shutil.copy(shared, bare)
        environment = {
            "GIT_DIR": str(bare),
            "GIT_WORK_TREE": str(top),
            "GIT_INDEX_FILE": str(excluded / "index"),
            "GIT_OBJECT_DIRECTORY": str(common / "objects"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1",
        }
        # In a submodule, only its commit is looked at: git would start anew there.
        options = ("--porcelain", "--untracked-files=no", "--ignore-submodules=dirty")
        return _run_git(top, environment, *disk, "status", *options)


def _disk_settings(top: Path) -> list[str]:
    """Return the options that set `_OF_THE_DISK` as the checkout has them."""
    answer = _run_git(top, {}, *_NOTHING, "config", "--list", "-z") or ""
    found = dict(line.partition("\n")[::2] for line in answer.split("\0"))
    known = [(key, found[key]) for key in _OF_THE_DISK if key in found]
    return [word for key, value in known for word in ("-c", f"{key}={value}")]


def _run_git(folder: Path, environment: Mapping[str, str], *words: str) -> str | None:
    """Return what git prints, without the last line break; None if it fails."""
    program = shutil.which("git")
    # A program of the working folder is not the git that the user has.
    if program is None or not Path(program).is_absolute():
        return None
    users = {k: v for k, v in os.environ.items() if not k.startswith("GIT_") or k == _PROGRAMS}
    try:
        done = subprocess.run(  # noqa: S603  # the words are ours
            [program, *words],
            cwd=folder,
            env={**users, **_QUIET, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="surrogateescape",  # names of files
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return done.stdout.rstrip("\n") if done.returncode == 0 else None

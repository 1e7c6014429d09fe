"""Which files belong to the project: those that git follows, or all files of an sdist."""

import fnmatch
import shutil
import subprocess

from support.clean_tree import ROOT, files_of


def project_files(*patterns):
    """Return the paths of the files whose names match one of the patterns, from the root, sorted.

    An unpacked sdist is not a checkout, and has no files but those of the project.
    """
    if shutil.which("git") and (ROOT / ".git").exists():
        command = ["git", "ls-files", "-z"]
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        names = ran.stdout.rstrip("\0").split("\0")
    else:
        names = [path.relative_to(ROOT).as_posix() for path in files_of()]
    return sorted(name for name in names if any(fnmatch.fnmatch(name, p) for p in patterns))

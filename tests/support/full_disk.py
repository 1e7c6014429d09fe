"""Run the command as on a disk that is full."""

import os
import subprocess
import sys

from support.waiting import HANGS

# Not between fork and exec: a process with threads, as those of other libraries, may hang there.
LIMITED = """\
import os, resource, sys
size = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
os.execv(sys.executable, [sys.executable, "-m", "lossfw", *sys.argv[2:]])
"""


def run_limited(size, *arguments, folder):
    """Run the command where no file may grow beyond so many bytes; return what it said."""
    return subprocess.run(
        [sys.executable, "-c", LIMITED, str(size), *arguments],
        cwd=folder,
        # What Python compiles would be cut off too, and kept.
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        timeout=HANGS,
        check=False,
    )

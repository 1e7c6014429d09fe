"""Processes of a cluster, which print nothing, and their end."""

import contextlib
import os
import signal
import subprocess
import sys


def start_quietly(program, file, *options, env=None):
    """Start a program of Dask whose scheduler is the one of a file."""
    command = [sys.executable, "-m", f"distributed.cli.{program}", "--scheduler-file", file]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen([*command, *options, "--no-dashboard"], env=env, **quiet)


def kill(pids):
    """Send SIGKILL to processes; one that has ended is left alone."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

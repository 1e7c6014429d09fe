"""Processes of a cluster, which print nothing."""

import subprocess
import sys


def start_quietly(program, file, *options, env=None):
    """Start a program of Dask whose scheduler is the one of a file."""
    command = [sys.executable, "-m", f"distributed.cli.{program}", "--scheduler-file", file]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen([*command, *options, "--no-dashboard"], env=env, **quiet)


def start_worker(file, env=None):
    """Start a worker that nobody replaces."""
    return start_quietly("dask_worker", file, "--no-nanny", env=env)

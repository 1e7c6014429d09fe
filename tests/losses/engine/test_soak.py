"""Memory stays flat over some thousand calls; `tests/benchmarks/soak.py` goes on for minutes."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc"),
]


def soak(calls, *changes):
    """Run the short form, with some names of the script changed."""
    lines = [f"import sys; sys.path.insert(0, {str(BENCHMARKS)!r}); import soak", *changes]
    code = "\n".join([*lines, "sys.exit(soak.main())"])
    command = [sys.executable, "-c", code, "--calls", str(calls), "--largest", "30000"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_memory_is_flat_over_mixed_calls():
    done = soak(1500)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_call_that_keeps_memory_is_found():
    done = soak(500, "kept = []; soak.size = lambda result: kept.append(b'0' * 100_000) or 0")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "NOT FLAT" in done.stdout

"""Memory stays flat over some thousand calls of mixed losses, sizes and options."""

import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc"),
]

# Memory is measured after each part of the calls, without what the system may take back. It is flat
# if the later half of the parts, after some in which kernels are made, needs no more than the
# earlier half, and 8 MiB.
SCRIPT = """
import gc, random, sys
import numpy as np
import lossfw
from lossfw.losses.engine import compiled

rng, chooser, kept = np.random.default_rng(0), random.Random(0), []
rows = lambda n: n // 10 + 1
LOSSES = [
    *((lossfw.loss(name), lambda n: rng.normal(size=n), lambda n: rng.normal(size=n))
      for name in ("squared_error", "huber", "log_cosh")),
    (lossfw.loss("cross_entropy", from_logits=True), lambda n: rng.normal(size=(rows(n), 10)),
     lambda n: rng.integers(0, 10, rows(n))),
    (lossfw.loss("pairwise_logistic"), lambda n: rng.normal(size=(rows(n), 10)),
     lambda n: rng.integers(0, 3, (rows(n), 10)).astype(float)),
    (lossfw.loss("heteroscedastic_gaussian_nll"), lambda n: rng.normal(size=(rows(n), 2)),
     lambda n: rng.normal(size=rows(n))),
]

def call():
    loss, prediction, target = chooser.choice(LOSSES)
    n = chooser.choice((1, 7, 64, 1000, 30_000))
    y, t = prediction(n).astype(chooser.choice(("f4", "f8"))), target(n)
    options = {"reduction": chooser.choice(("mean", "sum"))}
    if chooser.random() < 0.3:
        options["sample_weight"] = rng.random(len(t)) + 0.1
    method = chooser.choice(("__call__", "gradient", "value_and_gradient", "hessian"))
    getattr(loss, method)(y, t, **options)
    if "leak" in sys.argv:
        kept.append(b"0" * 100_000)

def memory():
    gc.collect()
    lines = [line.split() for line in open("/proc/self/smaps_rollup") if line.endswith("kB\\n")]
    kilobytes = {line[0]: int(line[1]) for line in lines}
    return 1024 * (kilobytes["Rss:"] - kilobytes.get("LazyFree:", 0))

measured = []
for part in range(20):
    for _ in range(75):
        call()
    compiled.wait()
    measured.append(memory())
half = len(measured[6:]) // 2
sys.exit(max(measured[6:][half:]) > max(measured[6:][:half]) + 8 * 2**20)
"""


@pytest.mark.parametrize("leak", [False, True])
def test_memory_is_flat_and_a_call_that_keeps_some_is_found(leak):
    command = [sys.executable, "-c", SCRIPT, *["leak"] * leak]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (int(leak), "")

"""PyTorch's compiler is imported for functions that are compiled, and not for others."""

import subprocess
import sys

import pytest

# Losses of elements, of classes with weights, and of groups; each compiled before its first call
# and after it.
SCRIPT = """
import sys, warnings
import torch, lossfw
warnings.simplefilter("ignore")

cases = [
    ("huber", torch.zeros(4), {}),
    ("huber", torch.zeros(4), {"sample_weight": torch.tensor([1.0, 2.0, 0.0, 1.0])}),
    ("pairwise_logistic", torch.tensor([[0.0, 1.0], [1.0, 0.0]]), {}),
]

def derivatives(function, t, options):
    y = torch.tensor([0.5, -2.0, 3.0, 0.0], requires_grad=True)
    function(y.reshape(t.shape), t, **options).backward()
    return y.grad

def check(loss, t, options):
    whole = torch.compile(loss.__call__, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(derivatives(whole, t, options), derivatives(loss, t, options))

if sys.argv[1] == "after":
    for name, t, options in cases:
        derivatives(lossfw.loss(name), t, options)
    assert "torch._dynamo" not in sys.modules, "imported by a plain call"
for name, t, options in cases:
    check(lossfw.loss(name), t, options)
    check(lossfw.loss(name), t, options)
"""


@pytest.mark.turns(2)
@pytest.mark.parametrize("first", ["after", "before"])
def test_a_call_compiles_whole_before_and_after_a_plain_call(first):
    pytest.importorskip("torch")
    command = [sys.executable, "-c", SCRIPT, first]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

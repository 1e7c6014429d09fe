"""What was found in other libraries by reading and by hand: no loss of ours has such a formula.

Each piece of code prints what is found. Facts of a library that does not run here were read in
its source, and say where.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Found:
    """A finding with its code; printed numbers have the digits that all machines share."""

    library: str  # the distribution, with the version that was run
    sort: str  # defect, precision or convention
    words: str
    code: str
    printed: str


FOUND = (
    Found(
        "keras 3.15.1", "defect",
        "`keras.losses.tversky` exchanges its weights. According to its documentation, alpha "
        "weighs false positives. Here all mistakes are false positives, which alpha = 0 should "
        "forgive, and the loss is larger with alpha = 0 than with alpha = 1",
        """\
import keras
import numpy as np

t = np.array([[1.0, 0.0, 0.0]], "float32")
y = np.array([[1.0, 1.0, 1.0]], "float32")
for alpha in (0.0, 1.0):
    print(alpha, round(float(keras.losses.tversky(t, y, alpha=alpha, beta=1 - alpha)), 4))
""",
        "0.0 0.6667\n1.0 0.0\n"
    ),
    Found(
        "keras 3.15.1", "defect",
        "the configuration of `keras.losses.Huber` does not hold `delta`, so that a saved loss is "
        "loaded with a delta of 1: another loss",
        """\
import keras

huber = keras.losses.Huber(delta=3.0)
again = keras.losses.Huber.from_config(huber.get_config())
for loss in (huber, again):
    print(float(loss([0.0], [10.0])))
""",
        "25.5\n9.5\n"
    ),
    Found(
        "keras 3.15.1", "precision",
        "`keras.losses.binary_crossentropy` cuts probabilities off 1e-7 from 0 and from 1, and in "
        "float32 the latter is 1.19e-7: the same mistake costs less for one class than for the "
        "other, also for arguments of float64",
        """\
import keras
import numpy as np

for t, y in ((0.0, 1.0), (1.0, 0.0)):
    loss = keras.losses.binary_crossentropy(np.array([[t]]), np.array([[y]]))
    print(round(float(loss[0]), 4))
""",
        "15.9424\n16.1181\n"
    ),
    Found(
        "torch 2.13.0", "defect",
        "`torch.nn.CosineEmbeddingLoss` adds 1e-12 to the squares of both lengths, which is not "
        "documented: two parallel rows, whose loss is 0, cost nearly 1 if they are short",
        """\
import torch

loss, same = torch.nn.CosineEmbeddingLoss(), torch.tensor([1.0])
for size in (1.0, 1e-5, 1e-8):
    row = torch.tensor([[size, 2 * size]], dtype=torch.float64)
    print(size, round(float(loss(row, 3 * row, same)), 4))
""",
        "1.0 0.0\n1e-05 0.0011\n1e-08 0.9985\n"
    ),
    Found(
        "xgboost 3.2.0", "defect",
        "the gradient of `survival:cox` depends on the order of rows with the same time. The "
        "first three rows die at the same time, so that their gradients are equal. The row that "
        "comes first gets another leaf than the other two, whichever it is",
        """\
import numpy as np
import xgboost as xgb

x, time = np.arange(4.0).reshape(-1, 1), np.array([1.0, 1.0, 1.0, -2.0])
parameters = {"objective": "survival:cox", "eta": 1.0, "min_child_weight": 0.0, "base_score": 1.0}
parameters |= {"reg_lambda": 0.0, "max_depth": 2}
for order in ([0, 1, 2, 3], [2, 1, 0, 3]):
    data = xgb.DMatrix(x[order], label=time[order])
    model = xgb.train(parameters, data, 1)
    leaves = model.predict(xgb.DMatrix(x), output_margin=True)
    print([round(float(leaf), 4) for leaf in leaves[:3]])
""",
        "[4.0, 0.8, 0.8]\n[0.8, 0.8, 4.0]\n"
    ),
    Found(
        "pycox 0.3.0", "defect",
        "`pycox.models.loss.cox_ph_loss` adds 1e-7 to a sum of exponentials that is scaled by the "
        "largest of all rows, and not of those at risk. The second of these rows dies last, alone, "
        "and the first is far more at risk: the loss is 4e-44",
        """\
import torch
from pycox.models.loss import cox_ph_loss

log_hazards, times = torch.tensor([100.0, 0.0]), torch.tensor([1.0, 2.0])
print(round(float(cox_ph_loss(log_hazards, times, torch.ones(2))), 4))
""",
        "41.941\n"
    )
)  # fmt: skip


@dataclass(frozen=True)
class Fact:
    """What a line of the source of LossFunctions.jl says, and what is so."""

    words: str
    # Where the line was read.
    file: str
    commit: str
    line: str


# Where losses of the residual and of the margin are.
_DISTANCE = ("src/losses/distance.jl", "680c10d")
_MARGIN = ("src/losses/margin.jl", "1fecaba")

READ = (
    Fact(
        "`L2EpsilonInsLoss` is said to be strictly and strongly convex, but it is 0 between -ε and "
        "ε; its own documentation says that it is not strictly convex",
        *_DISTANCE,
        "isstronglyconvex(::L2EpsilonInsLoss) = true",
    ),
    Fact(
        "`LogCoshLoss` is said to be strongly convex, but its second derivative, 1 / cosh(r)^2, "
        "falls to 0",
        *_DISTANCE,
        "isstronglyconvex(::LogCoshLoss) = true",
    ),
    Fact(
        "`LPDistLoss` is said to be strongly convex for any P from 2 on, but for P = 3 the second "
        "derivative, 6 |r|, is 0 at 0",
        *_DISTANCE,
        "isstronglyconvex(::LPDistLoss{P}) where {P} = P >= 2",
    ),
    Fact("`ZeroOneLoss` is said to be Lipschitz continuous, but it jumps at 0", *_MARGIN,
         "islipschitzcont(::ZeroOneLoss) = true"),
    Fact(
        "`DWDMarginLoss` is said to be twice differentiable everywhere, but at q / (q + 1) its "
        "second derivative jumps from 0 to (q + 1)^2 / q",
        *_MARGIN,
        "istwicedifferentiable(::DWDMarginLoss) = true",
    ),
)  # fmt: skip

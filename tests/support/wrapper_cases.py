"""Data, and one of each wrapper around small losses."""

import numpy as np

import lossfw
from lossfw.losses.wrappers import ClassWeighted, FocalModulated, LabelSmoothed, Masked
from support.wrapper_samples import BINARY, BRIER, HUBER, LOGISTIC, SQUARED

CROSS = lossfw.loss("cross_entropy")
GUARDED = lossfw.loss("binary_cross_entropy")
LOGITS = lossfw.loss("cross_entropy", from_logits=True)

RNG = np.random.default_rng(7)
Y = RNG.dirichlet(np.ones(3), size=40)
Z = RNG.normal(size=(40, 3))
SOFT = RNG.dirichlet(np.ones(3), size=40)
INDEX = RNG.integers(3, size=40)
HOT = np.eye(3)[INDEX]
R, S = RNG.normal(size=(40, 3)), RNG.normal(size=(40, 3))

# One of each wrapper, and some in each other: (loss, prediction, target).
CASES = {
    "scaled": (-2.5 * HUBER, R, S),
    "scaled to nothing": (0 * HUBER, R, S),
    "sum of elements": (SQUARED + 0.3 * HUBER, R, S),
    "sum by row": (SQUARED.replace(per="row") + HUBER, R, S),
    "sum of margins": (LOGISTIC + 0.5 * SQUARED, R, np.sign(S)),
    "sum of rows": (CROSS - 0.5 * BRIER, Y, SOFT),
    "sum of rows and elements": (0.5 * SQUARED + CROSS + BINARY, Y, SOFT),
    "sum on logits": (LOGITS + 0.1 * SQUARED, Z, SOFT),
    "weighted": (ClassWeighted(of=CROSS, weights=[1.0, 0.5, 3.0]), Y, SOFT),
    "weighted logits": (ClassWeighted(of=LOGITS, weights=[1.0, 0.0, 3.0]), Z, SOFT),
    "weights as factors": (
        ClassWeighted(of=LOGITS, weights=[1.0, 0.5, 3.0], in_denominator=False),
        Z,
        SOFT,
    ),
    "smoothed": (LabelSmoothed(of=CROSS, smoothing=0.2), Y, SOFT),
    "smoothed scores": (LabelSmoothed(of=BRIER, smoothing=0.2), Y, SOFT),
    "focal": (FocalModulated(of=CROSS, gamma=1.5), Y, SOFT),
    "focal on logits": (FocalModulated(of=LOGITS), Z, SOFT),
    "focal of elements": (FocalModulated(of=GUARDED, gamma=3.0), Y, SOFT),
    "focal of element's logits": (FocalModulated(of=BINARY.on_raw_outputs()), Z, SOFT),
    "masked": (Masked(of=HUBER, ignore=-1.0), R, np.where(S < 0, -1.0, S)),
    "masked by row": (
        Masked(of=SQUARED.replace(per="row"), ignore=-1.0),
        R,
        np.where((S < 0) | (S[:, :1] < -1), -1.0, S),
    ),
    "masked rows": (Masked(of=CROSS, ignore=-1.0), Y, np.where(S[:, :1] < 0, -1.0, SOFT)),
    "all at once": (
        2
        * Masked(
            of=ClassWeighted(
                of=LabelSmoothed(of=CROSS + 0.5 * BINARY, smoothing=0.1), weights=[1.0, 2.0, 3.0]
            ),
            ignore=-1.0,
        ),
        Y,
        np.where(S[:, :1] < 0, -1.0, SOFT),
    ),
}

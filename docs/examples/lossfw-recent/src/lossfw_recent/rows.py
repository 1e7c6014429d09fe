"""Losses of rows: classes, order, several labels, masks, bins, boxes."""

import math
from typing import ClassVar

from lossfw import BINARY, LOGITS, REAL, UNIT, CategoricalLoss, PointwiseLoss, Space, Vector
from lossfw.numerics import (
    column_numbers,
    log_softmax,
    logsumexp,
    multiply_or_zero,
    normal_cdf,
    quotient,
    softmax,
    softmax_complement,
    softmax_cross_entropy,
    softplus,
)
from pydantic import Field, PositiveFloat


class Squentropy(CategoricalLoss):
    """Squentropy, cross-entropy and the mean square of the logits of the other classes.

    Like Hui, Mikhail Belkin and Stephen Wright, "Cut your losses with squentropy", ICML 2023,
    arXiv:2302.03952.
    """

    prediction: ClassVar[Space] = LOGITS
    least_classes: ClassVar[int] = 2

    def value(self, xp, z, t):
        """Return the losses of logits."""
        others = xp.where(t > 0, xp.zeros_like(z), z)
        squares = xp.sum(others**2, axis=-1) / (z.shape[-1] - 1)
        return softmax_cross_entropy(xp, z, t) + squares


class DualFocal(CategoricalLoss):
    """Dual focal loss, -(1 - p_k + p_j)^g log p_k, p_j the largest of those below p_k.

    Linwei Tao, Minjing Dong and Chang Xu, "Dual focal loss for calibration", ICML 2023,
    arXiv:2305.13665.
    """

    prediction: ClassVar[Space] = LOGITS
    g: float = Field(5.0, ge=0)

    def value(self, xp, z, t):
        """Return the losses of logits."""
        p, rest = softmax(xp, z), softmax_complement(xp, z)
        # Logits tell apart what rounded probabilities do not.
        own = xp.max(xp.where(t > 0, z, xp.full_like(z, -math.inf)), axis=-1, keepdims=True)
        below = xp.max(xp.where(z < own, p, xp.zeros_like(p)), axis=-1)
        return (xp.sum(t * rest, axis=-1) + below) ** self.g * softmax_cross_entropy(xp, z, t)


class MarginSmoothing(CategoricalLoss):
    """Cross-entropy plus w times what logits fall below the largest by more than a margin.

    Bingyuan Liu, Ismail Ben Ayed, Adrian Galdran and Jose Dolz, "The devil is in the margin:
    margin-based label smoothing for network calibration", CVPR 2022, arXiv:2111.15430.
    """

    prediction: ClassVar[Space] = REAL
    margin: float = Field(10.0, ge=0)
    w: float = Field(0.1, ge=0)

    def value(self, xp, z, t):
        """Return the losses of logits."""
        gap = xp.max(z, axis=-1, keepdims=True) - z - self.margin
        penalty = xp.sum(xp.maximum(gap, xp.zeros_like(gap)), axis=-1)
        return softmax_cross_entropy(xp, z, t) + self.w * penalty


class ClassDistance(CategoricalLoss):
    """Class distance weighted cross-entropy, -sum over classes of |k - c|^a log(1 - p_k).

    Gorkem Polat, Ilkay Ergenc, Haluk Tarik Kani, Yesim Ozen Alahdab, Ozlen Atug and Alptekin
    Temizel, "Class distance weighted cross-entropy loss for ulcerative colitis severity
    estimation", MIUA 2022, arXiv:2202.05167.
    """

    prediction: ClassVar[Space] = LOGITS
    least_classes: ClassVar[int] = 2
    a: PositiveFloat = 5.0

    def value(self, xp, z, t):
        """Return the losses of logits."""
        k = xp.astype(column_numbers(xp, z), z.dtype)
        distance = xp.abs(k - xp.sum(t * k, axis=-1, keepdims=True)) ** self.a
        # log(1 - p) of a class that is nearly sure is that of all others together.
        p, most = softmax(xp, z), xp.max(z, axis=-1, keepdims=True)
        others = logsumexp(xp, xp.where(z == most, xp.full_like(z, -math.inf), z))
        nearly = softplus(xp, most[..., 0] - others)[..., None]
        log = xp.where(p > 0.5, nearly, -xp.log1p(-xp.minimum(p, xp.full_like(p, 0.5))))
        return xp.sum(multiply_or_zero(xp, distance, log), axis=-1)


class ActiveNegative(CategoricalLoss):
    """Active negative loss, a NCE + b NNCE.

    Xichen Ye, Xiaoqiang Li, Songmin Dai, Tong Liu, Yan Sun and Weiqin Tong, "Active negative loss
    functions for learning with noisy labels", NeurIPS 2023, arXiv:2312.02751: NCE is
    log p_c / sum of log p_k, and NNCE 1 - (A + log p_c) / sum of (A + log p_k), of probabilities
    that are at least exp(-A).
    """

    prediction: ClassVar[Space] = REAL
    least_classes: ClassVar[int] = 2
    a: PositiveFloat = 5.0
    b: PositiveFloat = 5.0
    least: float = Field(1e-7, gt=0, lt=0.1)

    def value(self, xp, z, t):
        """Return the losses of logits."""
        log, floor = log_softmax(xp, z), math.log(self.least)
        active = xp.sum(t * log, axis=-1) / xp.sum(log, axis=-1)
        rest = xp.maximum(log - floor, xp.zeros_like(log))
        negative = 1 - xp.sum(t * rest, axis=-1) / xp.sum(rest, axis=-1)
        return self.a * active + self.b * negative


class Zlpr(CategoricalLoss):
    """ZLPR, log(1 + sum over labels of exp(-z)) + log(1 + sum over the others of exp(z)).

    Jianlin Su, Mingren Zhu, Ahmed Murtadha, Shengfeng Pan, Bo Wen and Yunfeng Liu, "ZLPR: a novel
    loss for multi-label classification", 2022, arXiv:2208.02955.
    """

    prediction: ClassVar[Space] = LOGITS
    target: ClassVar[Space] = BINARY

    def value(self, xp, z, t):
        """Return the losses of logits."""
        nothing = xp.full_like(z, -math.inf)
        labels = logsumexp(xp, xp.where(t > 0, -z, nothing))
        return softplus(xp, labels) + softplus(xp, logsumexp(xp, xp.where(t > 0, nothing, z)))


class DiceSemimetric(CategoricalLoss):
    """Dice semimetric loss, 1 - (|y + t| - |y - t|) / |y + t| of the pixels of a row.

    Zifu Wang, Teodora Popordanoska, Jeroen Bertels, Robin Lemmens and Matthew Blaschko, "Dice
    semimetric losses: optimizing the Dice score with soft labels", MICCAI 2023, arXiv:2303.16296:
    DML 1, with 0 where prediction and target are empty.
    """

    prediction: ClassVar[Space] = UNIT
    target: ClassVar[Space] = UNIT

    def value(self, xp, y, t):
        """Return the losses of rows; 1 - (a - b) / a is b / a."""
        return quotient(xp, xp.sum(xp.abs(y - t), axis=-1), xp.sum(y + t, axis=-1))


class HlGauss(PointwiseLoss):
    """HL-Gauss, cross-entropy of K bins of [0, 1] with a Gaussian around the target.

    Jesse Farebrother et al., "Stop regressing: training value functions via classification for
    scalable deep RL", ICML 2024, arXiv:2403.03950: a bin's share is the difference of the normal
    distribution at its ends, over that of all bins.
    """

    prediction: ClassVar[Space] = Vector.of(LOGITS)
    target: ClassVar[Space] = UNIT
    sigma: PositiveFloat = 0.075

    def value(self, xp, z, t):
        """Return the losses of rows."""
        width = 1.0 / z.shape[-1]
        low = (width * xp.astype(column_numbers(xp, z), z.dtype) - t[..., None]) / self.sigma
        high = low + width / self.sigma
        # Above the target, tails: there the distribution is 1 but for what is wanted.
        above = low > 0
        first, last = xp.where(above, -high, low), xp.where(above, -low, high)
        share = normal_cdf(xp, last) - normal_cdf(xp, first)
        share = share / xp.sum(share, axis=-1, keepdims=True)
        return softmax_cross_entropy(xp, z, share)


class CensoredLikelihood(CategoricalLoss):
    """Right-censored log-likelihood, -log of the probability of the bins that are possible.

    David Rindt, Robert Hu, David Steinsaltz and Dino Sejdinovic, "Survival regression with proper
    scoring rules and monotonic neural networks", AISTATS 2022, arXiv:2103.14755, in discrete
    time: the target is 1 in the bin of an event, or in all bins after the time of censoring.
    """

    prediction: ClassVar[Space] = LOGITS
    target: ClassVar[Space] = BINARY

    def value(self, xp, z, t):
        """Return the losses of rows: log(1 + the odds of the other bins)."""
        nothing = xp.full_like(z, -math.inf)
        possible = logsumexp(xp, xp.where(t > 0, z, nothing))
        return softplus(xp, logsumexp(xp, xp.where(t > 0, nothing, z)) - possible)


class MpdIou(CategoricalLoss):
    """MPDIoU, 1 - IoU + the squared distances of two corners over width^2 + height^2.

    Siliang Ma and Yong Xu, "MPDIoU: a loss for efficient and accurate bounding box regression",
    2023, arXiv:2307.07662; rows are boxes (x1, y1, x2, y2).
    """

    prediction: ClassVar[Space] = REAL
    target: ClassVar[Space] = REAL
    least_classes: ClassVar[int] = 4
    fixed_classes: ClassVar[int] = 4
    width: PositiveFloat = 1.0
    height: PositiveFloat = 1.0

    def value(self, xp, y, t):
        """Return the losses of boxes."""

        def area(x):
            return (x[..., 2] - x[..., 0]) * (x[..., 3] - x[..., 1])

        side = xp.minimum(y, t)[..., 2:] - xp.maximum(y, t)[..., :2]
        side = xp.maximum(side, xp.zeros_like(side))
        both = side[..., 0] * side[..., 1]
        corners = xp.sum((y - t) ** 2, axis=-1) / (self.width**2 + self.height**2)
        return 1 - quotient(xp, both, area(y) + area(t) - both) + corners

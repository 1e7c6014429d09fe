"""Losses of single numbers: regression, margins, labels and preferences."""

import math
from typing import ClassVar

from lossfw import BINARY, LOGITS, REAL, SIGN, DistanceLoss, MarginLoss, PointwiseLoss, Space
from lossfw.numerics import erf, expm1_minus, normal_pdf, sigmoid, softplus
from pydantic import Field, PositiveFloat


class ArctanPinball(DistanceLoss):
    """Arctan pinball loss, (q - 1/2 + atan(u / s) / pi) u + s / pi with u = t - y.

    Laurens Sluijterman, Frank Kreuwel, Eric Cator and Tom Heskes, "Composite quantile
    regression with XGBoost using the novel arctan pinball loss", 2024, arXiv:2406.02293.
    """

    q: float = Field(0.5, gt=0, lt=1)
    s: PositiveFloat = 0.1

    def value(self, xp, r):
        """Return the losses of residuals r = y - t."""
        return (xp.atan(r / self.s) / math.pi + (0.5 - self.q)) * r + self.s / math.pi


class ConvolvedQuantile(DistanceLoss):
    """Quantile loss convolved with a Gaussian kernel of bandwidth h.

    Xuming He, Xiaoou Pan, Kean Ming Tan and Wen-Xin Zhou, "Smoothed quantile regression with
    large-scale inference", Journal of Econometrics 232, 2023, arXiv:2012.05187: section 2, the
    loss h/2 l(u / h) + (q - 1/2) u with l(u) = sqrt(2 / pi) exp(-u^2 / 2) + u (1 - 2 Phi(-u)).
    """

    q: float = Field(0.5, gt=0, lt=1)
    h: PositiveFloat = 0.5

    def value(self, xp, r):
        """Return the losses of residuals r = y - t; l is even."""
        u = r / self.h
        smooth = 2 * normal_pdf(xp, u) + u * erf(xp, u / math.sqrt(2))
        return self.h / 2 * smooth - (self.q - 0.5) * r


def _saturating(xp, u):
    """Return 1 - (u + 1) exp(-u), which is u^2 / 2 near 0, and 0 below it.

    At 0 it has the curvature from below: `xp.maximum` would take a mean there, which no side has.
    """
    # A NaN is not below 0, and stays.
    u = xp.where(u <= 0, xp.zeros_like(u), u)
    near = xp.exp(-u) * expm1_minus(xp, xp.minimum(u, xp.ones_like(u)))
    return xp.where(u < 1, near, 1 - (u + 1) * xp.exp(-u))


class HawkEye(DistanceLoss):
    """HawkEye loss, bound (1 - (u + 1) exp(-u)) with u = a (|r| - e), and 0 for |r| below e.

    Mushir Akhtar, M. Tanveer and Mohd. Arshad, "HawkEye: a robust loss function for regression
    with bounded, smooth, and insensitive zone characteristics", Applied Soft Computing 176, 2025,
    arXiv:2401.16785.
    """

    a: PositiveFloat = 1.0
    e: PositiveFloat = 0.1
    bound: PositiveFloat = 1.0

    def value(self, xp, r):
        """Return the losses of residuals."""
        u = self.a * (xp.abs(r) - self.e)
        return self.bound * _saturating(xp, u)


class RoBoSS(MarginLoss):
    """RoBoSS, bound (1 - (u + 1) exp(-u)) with u = a (1 - m), and 0 for m above 1.

    Mushir Akhtar, M. Tanveer and Mohd. Arshad, "RoBoSS: a robust, bounded, sparse, and smooth
    loss function for supervised learning", IEEE TPAMI 47, 2025, arXiv:2309.02250.
    """

    name: ClassVar[str] = "roboss"
    a: PositiveFloat = 1.0
    bound: PositiveFloat = 1.0

    def value(self, xp, m):
        """Return the losses of margins."""
        u = self.a * (1 - m)
        return self.bound * _saturating(xp, u)


class Wave(MarginLoss):
    """Wave loss, (1 - 1 / (1 + b u^2 exp(a u))) / b with u = 1 - m.

    Mushir Akhtar, M. Tanveer and Mohd. Arshad, "Advancing supervised learning with the wave
    loss function: a robust and smooth approach", Pattern Recognition 155, 2024, arXiv:2404.18101.
    """

    a: float = 1.0
    b: PositiveFloat = 1.0

    def value(self, xp, m):
        """Return the losses of margins; no exponential is of a number above 0."""
        u = 1 - m
        low = xp.exp(-xp.abs(self.a * u))
        falls = self.a * u < 0
        above = xp.where(falls, low, xp.ones_like(u)) * u**2
        return above / (xp.where(falls, xp.ones_like(u), low) + self.b * above)


class SigmoidPair(PointwiseLoss):
    """Sigmoid loss of image-text pairs, log(1 + exp(-t (temperature y + bias))).

    Xiaohua Zhai, Basil Mustafa, Alexander Kolesnikov and Lucas Beyer, "Sigmoid loss for language
    image pre-training", ICCV 2023, arXiv:2303.15343: the term of one pair.
    """

    prediction: ClassVar[Space] = REAL
    target: ClassVar[Space] = SIGN
    temperature: PositiveFloat = 10.0
    bias: float = -10.0

    def value(self, xp, y, t):
        """Return the losses of similarities."""
        return softplus(xp, -t * (self.temperature * y + self.bias))


class RobustPreference(MarginLoss):
    """Robust DPO, ((1 - e) log(1 + exp(-b m)) - e log(1 + exp(b m))) / (1 - 2 e).

    Sayak Ray Chowdhury, Anush Kini and Nagarajan Natarajan, "Provably robust DPO: aligning
    language models with noisy feedback", ICML 2024, arXiv:2403.00409; m is the difference of
    log-ratios of the preferred answer and the other one, e the rate of flipped preferences.
    """

    b: PositiveFloat = 0.1
    e: float = Field(0.1, ge=0, lt=0.5)

    def value(self, xp, m):
        """Return the losses of margins."""
        right, wrong = softplus(xp, -self.b * m), softplus(xp, self.b * m)
        return ((1 - self.e) * right - self.e * wrong) / (1 - 2 * self.e)


class Hill(PointwiseLoss):
    """Hill loss, -(1 - p_m)^g log p_m of a label, (w - p) p^2 without; p_m = sigmoid(z - m).

    Youcai Zhang et al., "Simple and robust loss design for multi-label learning with missing
    labels", 2021, arXiv:2112.07368.
    """

    prediction: ClassVar[Space] = LOGITS
    target: ClassVar[Space] = BINARY
    w: float = 1.5
    m: float = 1.0
    g: float = Field(2.0, ge=0)

    def value(self, xp, z, t):
        """Return the losses of logits."""
        missed, p = sigmoid(xp, self.m - z), sigmoid(xp, z)
        return xp.where(t > 0, missed**self.g * softplus(xp, self.m - z), (self.w - p) * p**2)

    def derivative(self, xp, z, t):
        """Without a label, 1 - p keeps the digits that 2 w - 3 p would lose."""
        missed, hit = sigmoid(xp, self.m - z), sigmoid(xp, z - self.m)
        labelled = -(missed**self.g) * (self.g * hit * softplus(xp, self.m - z) + missed)
        p, q = sigmoid(xp, z), sigmoid(xp, -z)
        return xp.where(t > 0, labelled, p**2 * q * ((2 * self.w - 3) + 3 * q))

    def second_derivative(self, xp, z, t):
        """By the chain rule, in the same terms."""
        missed, hit = sigmoid(xp, self.m - z), sigmoid(xp, z - self.m)
        steep = self.g * (self.g * hit - missed) * softplus(xp, self.m - z)
        labelled = missed**self.g * hit * (steep + (2 * self.g + 1) * missed)
        p, q = sigmoid(xp, z), sigmoid(xp, -z)
        return xp.where(
            t > 0,
            labelled,
            p**2 * q * (((2 * self.w - 3) + 3 * q) * (2 * q - p) - 3 * p * q),
        )


class GumbelCrossEntropy(PointwiseLoss):
    """Binary cross-entropy with the Gumbel activation p = exp(-exp(-z)).

    Konstantinos Alexandridis et al., "Long-tailed instance segmentation using Gumbel optimized
    loss", ECCV 2022, arXiv:2207.10936: -t log p - (1 - t) log(1 - p).
    """

    prediction: ClassVar[Space] = LOGITS
    target: ClassVar[Space] = BINARY

    def value(self, xp, z, t):
        """Return the losses of logits."""
        u = xp.exp(-z)
        # For a small u, 1 - p is u; for a large one, p is nothing beside 1.
        few = xp.minimum(u, xp.full_like(u, 99.0))
        rest = xp.where(u < 0.5, -xp.log(-xp.expm1(-u)), -xp.log1p(-xp.exp(-few)))
        return xp.where(t > 0, u, xp.where(z > 40.0, z, rest))


class RobustFocal(MarginLoss):
    """Robust focal loss, (1 - p)^g (1 - p^q) / q with p = sigmoid(m).

    Jiaqi Luo, Yuedong Quan and Shixin Xu, "Robust-GBDT: GBDT with nonconvex loss for tabular
    classification in the presence of label noise and class imbalance", 2023, arXiv:2310.05067.
    """

    g: float = Field(1.0, ge=0)
    q: float = Field(0.5, gt=0, le=1)

    def value(self, xp, m):
        """Return the losses of margins."""
        return sigmoid(xp, -m) ** self.g * -xp.expm1(-self.q * softplus(xp, -m)) / self.q

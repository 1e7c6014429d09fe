"""Overlap of sets: Tversky's index, and its two best-known cases, Dice and Jaccard."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from pydantic import NonNegativeFloat

from lossfw import BINARY, UNIT, Array, CategoricalLoss, Claims, Namespace, Space
from lossfw.numerics import quotient


class _OverlapLoss(CategoricalLoss):
    """What the losses of overlap share; a row is one set, each column says who is in it.

    With TP = sum(y t), FP = sum(y (1 - t)) and FN = sum((1 - y) t) the loss is 1 - (TP + s) / (TP +
    a FP + b FN + s), computed as (a FP + b FN) over the same: so it is exactly 0 for y = t, and
    keeps its digits near 0. Where nothing is there and nothing is predicted, 0 / 0, it is 0.
    """

    prediction: ClassVar[Space] = UNIT
    target: ClassVar[Space] = BINARY

    @property
    @abstractmethod
    def _weights(self) -> tuple[float, float, float]:
        """a of the false positives, b of the false negatives, and s."""

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """1 - (TP + s) / (TP + a FP + b FN + s); 0 for 0 / 0."""
        a, b, s = self._weights
        hits = xp.sum(y * t, axis=-1)
        false_positives = xp.sum(y * (1 - t), axis=-1)
        false_negatives = xp.sum((1 - y) * t, axis=-1)
        whole = hits + a * false_positives + b * false_negatives + s
        empty = whole == 0
        return xp.where(
            empty, 0 * whole, 1 - (hits + s) / xp.where(empty, xp.ones_like(whole), whole)
        )

    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """(a FP + b FN) / (TP + a FP + b FN + s), which does not cancel near 0."""
        _, wrong, whole = self._parts(xp, y, t)
        return quotient(xp, wrong, whole)[..., 0]

    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """a (TP + s) / whole^2 where t = 0, -(b (TP + s) + a FP + b FN) / whole^2 where t = 1."""
        right, wrong, whole = self._parts(xp, y, t)
        a, b, _ = self._weights
        derivative = xp.where(t > 0, -(b * right + wrong), a * right)
        return quotient(xp, derivative, whole * whole)

    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The same times -2 a / whole where t = 0, times -2 (1 - b) / whole where t = 1."""
        right, wrong, whole = self._parts(xp, y, t)
        a, b, _ = self._weights
        second_derivative = xp.where(
            t > 0, 2.0 * (1.0 - b) * (b * right + wrong), 0.0 - 2.0 * a * (a * right)
        )
        return quotient(xp, second_derivative, whole * whole * whole)

    def claims(self) -> Claims:
        """Between 0 and 1; convex only where false positives do not count."""
        a, b, _ = self._weights
        return Claims(
            nonnegative=True,
            bounded=1.0,
            zero_at_target=True,
            convex=(a == 0 and b <= 1) or None,
            twice_smooth=True,
            permutation_equivariant=True,
            finite_at_boundary=True,
            gradient_zero_almost_everywhere=(a == 0 and b == 0) or None,
        )

    def _parts(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array, Array]:
        """Return TP + s, a FP + b FN and their sum."""
        a, b, s = self._weights
        right = xp.sum(y * t, axis=-1, keepdims=True) + s
        false_positives = xp.sum(y * (1.0 - t), axis=-1, keepdims=True)
        false_negatives = xp.sum((1.0 - y) * t, axis=-1, keepdims=True)
        wrong = a * false_positives + b * false_negatives
        return right, wrong, right + wrong


class Tversky(_OverlapLoss):
    """Tversky loss, 1 - (TP + smooth) / (TP + alpha FP + beta FN + smooth).

    Use it when a mask is small, and false negatives and false positives cost differently.

    With TP = sum(y t), FP = sum(y (1 - t)) and FN = sum((1 - y) t) over a row. Prediction of shape
    (..., K): numbers from 0 to 1. Target: 0 or 1, of the same shape. One loss per row, from 0 to 1;
    0 for y = t, also for an empty mask.

    Parameters
    ----------
    alpha : float
        Weight of the false positives; with 0 they are ignored.
    beta : float
        Weight of the false negatives; with 0 they are ignored.
    smooth : float
        Added to numerator and denominator. With 0, any positive prediction for an empty mask has
        the loss 1.

    Notes
    -----
    Not convex, except for alpha = 0 and beta of at most 1. Not Lipschitz: for ``smooth=0`` it jumps
    at an empty mask, otherwise the constant depends on the number of columns. Source: Tversky,
    *Features of similarity*, 1977, doi:10.1037/0033-295X.84.4.327; as a loss: Salehi et al.,
    *Tversky loss function for image segmentation using 3D fully convolutional deep networks*, 2017,
    doi:10.1007/978-3-319-67389-9_44.

    See Also
    --------
    dice : alpha = beta = 1/2.
    jaccard : alpha = beta = 1.

    Examples
    --------
    >>> Tversky(alpha=1.0, beta=0.0)([[1.0, 1.0, 0.0]], [[1, 0, 1]])
    0.5
    """

    alpha: NonNegativeFloat = 0.5
    beta: NonNegativeFloat = 0.5
    smooth: NonNegativeFloat = 0.0

    @property
    def _weights(self) -> tuple[float, float, float]:
        return self.alpha, self.beta, self.smooth


class Dice(_OverlapLoss):
    """Dice loss, 1 - (TP + smooth) / (TP + FP/2 + FN/2 + smooth).

    Use it when a mask is small compared with its picture, and its overlap with the prediction
    counts.

    With TP = sum(y t), FP = sum(y (1 - t)) and FN = sum((1 - y) t) over a row: without smooth it is
    1 - 2 sum(y t) / (sum(y) + sum(t)). Prediction of shape (..., K): numbers from 0 to 1. Target: 0
    or 1, of the same shape. One loss per row, from 0 to 1.

    Parameters
    ----------
    smooth : float
        Added to numerator and denominator, as for tversky. Libraries that add it to 2 TP need twice
        this value.

    Notes
    -----
    Not convex. Source: Dice, *Measures of the amount of ecologic association between species*,
    1945, doi:10.2307/1932409; as a loss: Milletari, Navab and Ahmadi, *V-Net*, 2016,
    doi:10.1109/3DV.2016.79.

    See Also
    --------
    tversky : with other weights than alpha = beta = 1/2.
    jaccard : 2 d / (1 + d), where d is this loss.

    Examples
    --------
    >>> Dice()([[1.0, 1.0, 0.0]], [[1, 0, 0]])
    0.3333333333333333
    """

    smooth: NonNegativeFloat = 0.0

    @property
    def _weights(self) -> tuple[float, float, float]:
        return 0.5, 0.5, self.smooth


class Jaccard(_OverlapLoss):
    """Jaccard loss, 1 - (TP + smooth) / (TP + FP + FN + smooth).

    Use it when a segmentation is judged by intersection over union.

    With TP = sum(y t), FP = sum(y (1 - t)) and FN = sum((1 - y) t) over a row: 1 minus the
    intersection over the union. Prediction of shape (..., K): numbers from 0 to 1. Target: 0 or 1,
    of the same shape. One loss per row, from 0 to 1.

    Parameters
    ----------
    smooth : float
        Added to numerator and denominator.

    Notes
    -----
    Not convex; on sets (predictions of 0 and 1) it is a metric. Source: Jaccard, *The distribution
    of the flora in the alpine zone*, 1912, doi:10.1111/j.1469-8137.1912.tb05611.x; as a loss:
    Rahman and Wang, *Optimizing intersection-over-union in deep neural networks for image
    segmentation*, 2016, doi:10.1007/978-3-319-50835-1_22.

    See Also
    --------
    tversky : with other weights than alpha = beta = 1.
    dice : j / (2 - j), where j is this loss.

    Examples
    --------
    >>> Jaccard()([[1.0, 1.0, 0.0]], [[1, 0, 0]])
    0.5
    """

    smooth: NonNegativeFloat = 0.0

    @property
    def _weights(self) -> tuple[float, float, float]:
        return 1.0, 1.0, self.smooth

"""The negative log-likelihood of Poisson's distribution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from lossfw import (
    NONNEGATIVE,
    POSITIVE,
    Array,
    Claims,
    Namespace,
    PointwiseBody,
    PointwiseLoss,
    RawOutputLoss,
    Space,
)
from lossfw.numerics import (
    computed_in_float64,
    factorial_rest,
    multiply_or_zero,
    xlogy,
    zero_or_nan,
)
from lossfw_std.poisson import half_deviance


class PoissonNll(RawOutputLoss, PointwiseLoss):
    r"""Poisson negative log-likelihood, y - t log y, and log t! if it is full.

    Use it when targets are counts, and you compare likelihoods or need the numbers of another
    library.

    Prediction and target of one shape; one loss per element. The prediction y is a mean above 0, or
    its logarithm z, of any size, for ``link="log"``: then it is exp(z) - t z. The target is any
    number at or above 0, whole or not.

    Parameters
    ----------
    link : {"identity", "log"}
        Whether predictions are the mean or its logarithm.
    full : bool
        Whether to add log t!, the logarithm of the gamma function at t + 1.

    Notes
    -----
    Its derivatives are those of half the `poisson_deviance`, from which it differs by a number that
    depends only on the target: it is half the deviance plus t - t log t, plus log t! if it is full.
    So it trains the same models, elicits the mean and is convex. Unless it is full it has no lower
    bound, and its accuracy is that of its larger term; the full one is above 0, and has all its
    digits.

    ======================================== =================================
    elsewhere                                here
    ======================================== =================================
    ``torch.nn.PoissonNLLLoss()``            ``link="log"``
    ... with ``log_input=False``             without its ``eps`` in the logarithm
    ... with ``full=True``                   ``full=True``; it adds Stirling's
                                             t log t - t + log(2 pi t) / 2 above 1, which is lower
                                             by 1 / (12 t), and nothing up to 1
    ``keras.losses.Poisson``                 the default, without its ``epsilon``
    scikit-learn, ``loss="poisson"``         ``link="log"``; it reports half the
                                             deviance
    LossFunctions.jl, ``PoissonLoss``        ``link="log"``
    XGBoost, ``poisson-nloglik``             ``full=True``
    ======================================== =================================

    Source: Poisson, *Recherches sur la probabilite des jugements*, 1837; McCullagh and
    Nelder, *Generalized linear models*, 2nd edition, 1989, section 6.2,
    doi:10.1201/9780203753736.

    See Also
    --------
    poisson_deviance : twice the loss compared with the best prediction; 0 at the target.
    gaussian_nll : for a normal distribution.

    Examples
    --------
    >>> PoissonNll()([2.0, 3.0], [2.0, 0.0], reduction="none")
    array([0.61370564, 3.        ])
    >>> PoissonNll(full=True)([2.0, 3.0], [2.0, 0.0], reduction="none")
    array([1.30685282, 3.        ])
    """

    prediction: ClassVar[Space] = POSITIVE
    target: ClassVar[Space] = NONNEGATIVE
    output_activation: ClassVar[str] = "exp"
    raw_parameters: ClassVar[Mapping[str, Any]] = {"link": "log"}

    link: Literal["identity", "log"] = "identity"
    full: bool = False

    # The full formula is a rearrangement.
    latex: ClassVar[Any] = property(
        lambda loss: (
            ("y - t\\,\\log y" if loss.link == "identity" else "e^{z} - t\\,z")
            + (" + \\log t!" if loss.full else "")
        )
    )

    def raw_body(self) -> PointwiseBody:
        return _LogMeanBody(self)

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The definition with 0 log 0 = 0; the full one as `value`, for large targets."""
        if not self.full:
            return y - xlogy(xp, t, y)
        return (xlogy(xp, t, t / y) - t + y) + factorial_rest(xp, t)

    @computed_in_float64
    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The definition; the full one is half the deviance and log t! - t log t + t."""
        return half_deviance(xp, y, t) + factorial_rest(xp, t) if self.full else y - xlogy(xp, t, y)

    @computed_in_float64
    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """(y - t) / y."""
        return (y - t) / y

    @computed_in_float64
    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """t / y^2."""
        return t / (y * y)

    def claims(self) -> Claims:
        """Convex in the mean and in its logarithm; a likelihood of at most 1 if it is full."""
        log = self.link == "log"
        return Claims(
            nonnegative=self.full or None,
            convex=True,
            strictly_convex=log or None,
            twice_smooth=True,
            elicits=None if log else "mean",
        )


@dataclass(frozen=True)
class _LogMeanBody(PointwiseBody):
    """The negative log-likelihood of a logarithm of the mean."""

    loss: PoissonNll

    def formula(self, xp: Namespace, z: Array, t: Array) -> Array:
        """The definition; the full one that of the mean."""
        if self.loss.full:
            return self.loss.formula(xp, xp.exp(z), t)
        return xp.exp(z) - multiply_or_zero(xp, t, z)

    @computed_in_float64
    def value(self, xp: Namespace, z: Array, t: Array) -> Array:
        """exp(z) - t z; the full one is half the deviance and log t! - t log t + t."""
        y = xp.exp(z)
        if self.loss.full:
            return half_deviance(xp, y, t) + factorial_rest(xp, t)
        return y - multiply_or_zero(xp, t, z)

    @computed_in_float64
    def derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """exp(z) - t."""
        return xp.exp(z) - t

    @computed_in_float64
    def value_and_derivative(self, xp: Namespace, z: Array, t: Array) -> tuple[Array, Array]:
        """Both, which float32 has from one conversion."""
        return self.value(xp, z, t), self.derivative(xp, z, t)

    @computed_in_float64
    def second_derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """exp(z) for every target; NaN in it stays."""
        return xp.exp(z) + zero_or_nan(xp, t)

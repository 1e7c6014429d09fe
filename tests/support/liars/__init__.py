"""Liars: for each check of the harness, something that breaks just this."""

from support.liars import (
    activations,
    call,
    claims,
    classes,
    components,
    derivatives,
    distributions,
    dtypes,
    groups,
    means,
    metrics,
    models,
    purity,
    values,
)
from support.liars.liar import Liar

LIARS: tuple[Liar, ...] = (
    *call.LIARS,
    *dtypes.LIARS,
    *purity.LIARS,
    *means.LIARS,
    *classes.LIARS,
    *values.LIARS,
    *derivatives.LIARS,
    *claims.LIARS,
    *components.LIARS,
    *distributions.LIARS,
    *groups.LIARS,
    *activations.LIARS,
    *models.LIARS,
    *metrics.LIARS,
)

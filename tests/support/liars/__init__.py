"""Liars: for each check of the harness, something that breaks just this."""

from support.liars import (
    activations,
    calls,
    claims,
    components,
    distributions,
    groups,
    metrics,
    models,
    results,
)

LIARS = (
    *calls.LIARS,
    *results.LIARS,
    *claims.LIARS,
    *components.LIARS,
    *distributions.LIARS,
    *groups.LIARS,
    *activations.LIARS,
    *models.LIARS,
    *metrics.LIARS,
)

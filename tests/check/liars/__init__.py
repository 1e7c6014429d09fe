"""Liars: for each check of the harness, something that breaks just this."""

from liars import activations, call, claims, components, derivatives, values, weights
from liars.liar import Liar

LIARS: tuple[Liar, ...] = (
    *call.LIARS,
    *weights.LIARS,
    *values.LIARS,
    *derivatives.LIARS,
    *claims.LIARS,
    *components.LIARS,
    *activations.LIARS,
)

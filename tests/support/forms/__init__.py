"""Forms: losses as people write them, each with the exit code that `lossfw check` owes it.

The honest ones are what somebody writes on a first afternoon, with a textbook at hand; the mistakes
are those that numerical courses warn of. `form` says what the codes mean.
"""

from types import ModuleType

from lossfw import Loss
from support.forms import (
    honest_columns,
    honest_margins,
    honest_positives,
    honest_residuals,
    honest_rows,
    mistakes_of_claims,
    mistakes_of_derivatives,
    mistakes_of_digits,
    mistakes_of_range,
)


def _forms(*modules: ModuleType) -> list[type[Loss]]:
    """Return the forms of modules, without abstract classes and those imported from others."""
    return [
        one
        for module in modules
        for one in vars(module).values()
        if isinstance(one, type) and one.__module__ == module.__name__ and hasattr(one, "ending")
    ]


HONEST = _forms(honest_columns, honest_margins, honest_positives, honest_residuals, honest_rows)
MISTAKES = _forms(
    mistakes_of_claims, mistakes_of_digits, mistakes_of_range, mistakes_of_derivatives
)

FORMS = [*HONEST, *MISTAKES]

"""Forms: losses as people write them, each with the exit code that `lossfw check` owes it.

The honest ones are what somebody writes on a first afternoon, with a textbook at hand; the mistakes
are those that numerical courses warn of. `form` says what the codes mean.
"""

from support.forms import honest, mistakes

FORMS = [
    one
    for module in (honest, mistakes)
    for one in vars(module).values()
    if getattr(one, "__module__", "") == module.__name__ and hasattr(one, "ending")
]

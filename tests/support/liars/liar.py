"""What a liar is."""

from dataclasses import dataclass

from lossfw.check.api import suite_of_component
from lossfw.check.core.subject import Subject
from lossfw.check.runner import CheckSuite, suite_of_subject


@dataclass(frozen=True)
class Liar:
    """Something that breaks one check.

    `table` says which checks it is subject to: "loss" for functions,
    "component" for a loss of ours, "activation" or "rows" for activations.
    `besides` names checks that cannot but be broken with it.
    """

    table: str
    check: str
    what: str
    of: object
    besides: tuple[str, ...] = ()

    def suite(self) -> CheckSuite:
        make = suite_of_subject if isinstance(self.of, Subject) else suite_of_component
        return make(self.of)

    def __str__(self):
        return f"{self.table}-{self.check}-{self.what}"

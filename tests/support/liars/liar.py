"""What a liar is."""

from dataclasses import dataclass

from lossfw.check.component import prepared
from lossfw.check.core.subject import Subject
from lossfw.check.runner import Prepared, prepare


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

    def prepared(self) -> Prepared:
        return prepare(self.of) if isinstance(self.of, Subject) else prepared(self.of)

    def __str__(self):
        return f"{self.table}-{self.check}-{self.what}"

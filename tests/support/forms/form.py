"""Form: a loss as somebody writes it, with the exit code that `lossfw check` owes it, and why."""

from typing import NamedTuple


class Ending(NamedTuple):
    """How the check of a form ends.

    Attributes
    ----------
    code : int
        1 if a user is hurt: a NaN or an infinity where the truth is finite within the promise, a
        broken claim or law, or a result that lacks digits which somebody needs. Else 0.
    why : str
        What the form loses, in numbers.
    """

    code: int
    why: str


def right(why):
    """Decorate a form that a check must not fail: its exit code is 0, with notes or without."""
    return _ending(0, why)


def wrong(why):
    """Decorate a form that a check must fail: its exit code is 1."""
    return _ending(1, why)


def _ending(code, why):
    def decorate(cls):
        cls.ending = Ending(code, why)
        return cls

    return decorate

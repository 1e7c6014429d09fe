"""The tables of the contract: what xp offers runs everywhere, and spaces and kinds exist."""

import operator
import re
from pathlib import Path

import numpy as np
import pytest

import lossfw
from lossfw.cli.new import KINDS_OF_LOSS
from lossfw.components.spaces import SPACES
from lossfw.numerics.dual.derivatives import derivatives
from lossfw.numerics.exact.truth import evaluate
from lossfw.numerics.exact.ulp import to_float

PAGE = (Path(__file__).parents[2] / "docs/reference/write-a-component.md").read_text()


def row(name):
    """Return the names in code of a row of a table."""
    (line,) = re.findall(rf"^\| {re.escape(name)} \|(.*)$", PAGE, re.M)
    return [re.match(r"\w+", code)[0] for code in re.findall(r"`(\w[^`]*)`", line)]


# A number inside of the domain of every function of one array but acosh.
INSIDE, BEYOND = 0.375, 1.375


def twice(xp, x):
    """Return each number and its half as a row."""
    return xp.stack([x, 0.5 * x], axis=-1)


COMPARISONS = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
TOGETHER = {"&": operator.and_, "|": operator.or_, "^": operator.xor}


BODIES = {
    **{name: lambda xp, x, f=name: getattr(xp, f)(x) for name in row("one array")},
    **{name: lambda xp, x, f=name: getattr(xp, f)(x, 0.5 * x) for name in row("two arrays")},
    **{name: lambda xp, x, f=name: getattr(xp, f)(twice(xp, x), axis=-1)
       for name in row("an axis")},
    **{name: lambda xp, x, f=name: xp.where(getattr(xp, f)(x), x, x) * x
       for name in row("numbers that stay") if name.startswith("is")},
    **{name: lambda xp, x, f=name: getattr(xp, f)(x) + x
       for name in row("numbers that stay") if not name.startswith("is")},
    "ones_like": lambda xp, x: xp.ones_like(x) * x,
    "zeros_like": lambda xp, x: xp.zeros_like(x) + x,
    "full_like": lambda xp, x: xp.full_like(x, 2.0) * x,
    "where": lambda xp, x: xp.where(x > 0, x, -x),
    "concat": lambda xp, x: xp.sum(xp.concat([twice(xp, x), twice(xp, x)], axis=-1), axis=-1),
    "stack": lambda xp, x: xp.sum(twice(xp, x), axis=-1),
}  # fmt: skip

WITH_OPERATORS = {
    "y[..., 0]": lambda xp, x: twice(xp, x)[..., 0] * x,
    "y[..., -1]": lambda xp, x: twice(xp, x)[..., -1] * x,
    "y[..., 1:]": lambda xp, x: xp.sum(twice(xp, x)[..., 1:] * x, axis=-1),
    "y[..., ::2]": lambda xp, x: xp.sum(twice(xp, x)[..., ::2] * x, axis=-1),
    "y[..., :, None] - y[..., None, :]": lambda xp, x: xp.sum(
        xp.sum(xp.square(twice(xp, x)[..., :, None] - twice(xp, x)[..., None, :]), axis=-1), axis=-1
    ),
    "y - xp.max(y, axis=-1, keepdims=True)": lambda xp, x: xp.sum(
        twice(xp, x) - xp.max(twice(xp, x), axis=-1, keepdims=True), axis=-1
    ),
    **{f"y {op} t": lambda xp, x, f=f: xp.where(f(x * x, x), x * x, x)
       for op, f in COMPARISONS.items()},
    **{f"(y > 0) {op} (t > 0)": lambda xp, x, f=f: xp.where(f(x > 0.1, x < 0.2), x * x, x)
       for op, f in TOGETHER.items()},
    "~": lambda xp, x: xp.where(~(x > 0.1), x, x * x),
}  # fmt: skip


@pytest.mark.parametrize("name", [*BODIES, *WITH_OPERATORS])
def test_a_function_of_xp_runs_on_every_number_system(name):
    x = np.array([BEYOND if name == "acosh" else INSIDE])
    body = {**BODIES, **WITH_OPERATORS}[name]
    exact = to_float(evaluate(body, x))
    assert body(np, x) == pytest.approx(exact, rel=1e-14)
    value, gradient, _ = derivatives(body, np, x)
    step = 1e-6
    wanted = (to_float(evaluate(body, x + step)) - to_float(evaluate(body, x - step))) / (2 * step)
    assert value == pytest.approx(exact, rel=1e-14)
    assert np.sum(gradient) == pytest.approx(np.sum(wanted), rel=1e-6, abs=1e-9)


def test_every_function_of_the_table_is_tried():
    groups = ("one array", "two arrays", "a choice", "an axis", "numbers that stay", "new arrays",
              "parts together")  # fmt: skip
    assert {name for group in groups for name in row(group)} == set(BODIES)
    spaces = PAGE[PAGE.index("## Spaces") : PAGE.index("## Claims")]
    assert re.findall(r"^\| `(\w+)` \|", spaces, re.M) == list(SPACES)


def test_every_kind_can_be_derived_from_and_written():
    table = PAGE[PAGE.index("## Kinds") : PAGE.index("A local file")]
    for name in re.findall(r"`([A-Z]\w+)`", table):
        assert hasattr(lossfw, name) or name in ("NAME", "FILE")
    assert {"distance", *re.findall(r"loss NAME --kind (\w+)", table)} == set(KINDS_OF_LOSS)


def test_every_operator_of_the_table_runs():
    """Each form that the table shows is tried above."""
    (table,) = re.findall(r"\| what \| how it is written \|\n.*?\n\n", PAGE, re.S)
    shown = {code.replace("\\|", "|") for code in re.findall(r"`([^`]*)`", table)}
    tried = {*WITH_OPERATORS, *COMPARISONS, *TOGETHER, "xp.where(y > t, a, b)", "(y > 0) & (t > 0)"}
    assert shown <= tried

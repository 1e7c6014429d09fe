"""The reader of formulas in LaTeX: what it computes, and what it does not take."""

import numpy as np
import pytest

from lossfw.numerics.exact.truth import evaluate
from support.latex import typeset_body

R = np.array([-2.5, -0.5, 0.0, 0.75, 3.0])
Y = np.array([[0.2, 0.5, 0.3], [0.6, 0.4, 0.0]])
T = np.array([[0.0, 1.0, 0.0], [0.25, 0.25, 0.5]])
PARAMETERS = {"delta": 1.5, "epsilon": 0.25, "c": 2.0, "long_name": 3.0, "form": "a word"}


def of_number(text):
    body = typeset_body(text, lambda r: {"r": r}, PARAMETERS, rows=False)
    return evaluate(body, R).astype(float)


def of_row(text):
    body = typeset_body(text, lambda y, t: {"y": y, "t": t}, PARAMETERS, rows=True)
    return evaluate(body, Y, T, rows=True).astype(float)


SIZE = np.abs(R)
OF_NUMBERS = [
    (r"\frac{r^{2}}{2}", R**2 / 2),
    (r"\frac1c r^2", R**2 / 2),
    (r"-r^{2} + 2 r - 1", -((R - 1) ** 2)),
    (r"r - 1 - 2", R - 3),
    (r"\delta\,\left(\left|r\right| - \frac{\delta}{2}\right)", 1.5 * (SIZE - 0.75)),
    (r"\varepsilon \mathrm{long\_name} + \epsilon", np.full(5, 1.0)),
    (r"\sqrt{r^{2} + c^{2}} - \sqrt[3]{8}", np.sqrt(R**2 + 4) - 2),
    (r"\log\!\left(1 + e^{-r}\right)", np.log1p(np.exp(-R))),
    (r"\ln (1 + \exp(-r))", np.log1p(np.exp(-R))),
    (r"\tanh r \, r", np.tanh(R) * R),
    (r"\tanh^{2} r", np.tanh(R) ** 2),
    (r"r + \log 3! - \left(1 + 1\right)!^{2}", R + np.log(6.0) - 4),
    (r"\max\!\left(0,\, 1 - r\right)^{2}", np.maximum(0, 1 - R) ** 2),
    (r"\min\{r, 1, 2\}", np.minimum(R, 1)),
    (r"\lfloor r \rfloor + \left\lceil r \right\rceil", np.floor(R) + np.ceil(R)),
    (r"\operatorname{sign}(r) [r \ne 0]", np.sign(R)),
    (r"2\pi r", 2 * np.pi * R),
    (r"\begin{cases} r^2 & \text{if } \left|r\right| \le c \\ 1 & \text{otherwise} \end{cases}",
     np.where(SIZE <= 2, R**2, 1)),
    (r"\begin{cases} 1, & -1 < r \le 0 \text{ or } r > 2 \\ 0 & \text{else} \end{cases}",
     np.array([0.0, 1, 1, 0, 1])),
    (r"r\,[r > 0 \text{and} \text{not} r = 3]", np.array([0, 0, 0, 0.75, 0])),
    (r"\left[r + 1\right] \cdot 2", 2 * (R + 1)),
    (r"0 \log 0 + r", R),
    (r"\sum_{k=1}^{3} k\,r", 6 * R),
    (r"u^{2} \text{with } u = r + 1", (R + 1) ** 2),
    (r"u v \text{with } u = r + 1, v = 2 u", 2 * (R + 1) ** 2),
    (r"\tau \text{with } \tau^{3} + \tau = r", [np.roots([1, 0, 1, -r])[-1].real for r in R]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), OF_NUMBERS, ids=[text for text, _ in OF_NUMBERS])
def test_a_formula_of_numbers(text, wanted):
    np.testing.assert_allclose(of_number(text), wanted, rtol=1e-12, atol=1e-12)


OTHERS = np.array([[max(row[j] for j in range(3) if j != k) for k in range(3)] for row in Y])
OF_ROWS = [
    (r"-\sum_{k} t_{k}\,\log y_{k}", [-np.log(0.5), np.inf]),
    (r"-\sum_{k} t_{k}\,\log\!\left(y_{k} + 1\right) + K", 3 - (T * np.log1p(Y)).sum(-1)),
    (r"y_{1} + y_3 + t_{2}", Y[:, 0] + Y[:, 2] + T[:, 1]),
    (r"\sum_{k} t_{k} \max_{j \ne k} y_{j}", (T * OTHERS).sum(-1)),
    (r"\max_{j} y_{j} - \min_j y_j", np.ptp(Y, axis=-1)),
    (r"\prod_{k} \left(1 + y_{k}\right)", np.prod(1 + Y, axis=-1)),
    (r"\tfrac{1}{K} \sum_{k=1}^{K} y_k", Y.mean(-1)),
    (r"\frac{e^{y_{k}}}{\sum_{j} e^{y_{j}}}", np.exp(Y) / np.exp(Y).sum(-1, keepdims=True)),
    (r"\sum_{k} \left(y_{k} - m\right)^{2} \quad\text{where } m = \frac{1}{K} \sum_{k} y_{k}",
     3 * Y.var(-1)),
    (r"p_{t} \text{with } p_{t} = \sum_{k} t_{k} y_{k}", (T * Y).sum(-1)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), OF_ROWS, ids=[text for text, _ in OF_ROWS])
def test_a_formula_of_rows(text, wanted):
    np.testing.assert_allclose(of_row(text), wanted, rtol=1e-12)


@pytest.mark.parametrize(
    "text",
    ["", r"\lVert r \rVert", r"r + \foo", "r +", r"\left(r", "r = 2", r"\sum r", r"r_{a + b}"],
)
def test_a_formula_of_unknown_signs_is_not_read(text):
    with pytest.raises((ValueError, KeyError)):
        of_number(text)


@pytest.mark.parametrize(
    "text",
    [r"q\,y_{k}", "y", "z_{k}", "y_{4}", "y_{k} y_{j}", r"\sum_{k} \max_{j \ne i} y_{j}",
     r"u v \text{with } u = v", r"c \text{with } c = 1"],
)  # fmt: skip
def test_a_name_without_a_meaning_is_not_computed(text):
    with pytest.raises((ValueError, LookupError)):
        of_row(text)

"""Draw the five examples of the page on what right means.

    python scripts/make_right.py docs/explanation/what-right-means.svg

Each panel shows a formula as printed, in orange, and the same loss as lossfw has it, in blue.
"""

import argparse
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

import lossfw
from lossfw.numerics import sigmoid

PRINTED, STABLE, BAND = "#d9822b", "#2563a8", "#b9cde8"

# The same bytes at each run: names of clip paths from a fixed seed.
SETTINGS = {"svg.hashsalt": "right", "svg.fonttype": "none", "font.size": 9}

# So many units in the last place an argument is moved.
MOVED = 4


def residual(panel: Any) -> None:
    """Draw the square of a residual of 1e8, expanded and not."""
    t = 1e8
    y = t + np.linspace(-6, 6, 400)
    panel.plot(y - t, y * y - 2 * y * t + t * t, color=PRINTED, lw=0.8)
    panel.plot(y - t, lossfw.loss("squared_error")(y, np.full_like(y, t), reduction="none"), STABLE)
    panel.set(title="A residual of large numbers", xlabel="y - t, t = 1e8", ylabel="(y - t)^2")


def tail(panel: Any) -> None:
    """Draw one less the sigmoid, and the sigmoid of the other side."""
    m = np.linspace(25, 45, 400)
    with np.errstate(divide="ignore"):
        panel.semilogy(m, 1 - sigmoid(np, m), color=PRINTED, lw=0.8)
    panel.semilogy(m, sigmoid(np, -m), STABLE)
    panel.set(title="A tail", xlabel="m", ylabel="1 - sigmoid(m)", ylim=(1e-19, 1e-10))


def probability(panel: Any) -> None:
    """Draw the loss of a float32 next to 1, and what floats next to it would give."""
    units = np.arange(1, 25)
    unit = 2.0**-24
    panel.fill_between(
        units * unit,
        -np.log((units + MOVED) * unit),
        -np.log(np.maximum(units - MOVED, 0.5) * unit),
        color=BAND,
    )
    p = (1 - units * unit).astype(np.float32)
    panel.plot(units * unit, -np.log1p(-p), "o", color=STABLE, ms=2.5)
    panel.set(title="A probability near 1", xlabel="1 - p, p in float32", ylabel="-log(1 - p)")


def kink(panel: Any) -> None:
    """Draw the gradient of the absolute error."""
    panel.plot([-1, 0], [-1, -1], STABLE)
    panel.plot([0, 1], [1, 1], STABLE)
    panel.plot([0, 0], [-1, 1], color=BAND, lw=5, solid_capstyle="butt")
    panel.plot([0], [2], "o", color=PRINTED)
    panel.set(title="A kink", xlabel="y - t", ylabel="gradient of |y - t|", ylim=(-2.4, 2.4))


def deviance(panel: Any) -> None:
    """Draw the deviance of Poisson in float32, as printed and as it is computed."""
    t = np.full(300, 1e6, np.float32)
    y = (1e6 + np.linspace(-1500, 1500, 300)).astype(np.float32)
    panel.plot(y - t, 2 * (t * np.log(t / y) - (t - y)), color=PRINTED, lw=0.8)
    panel.plot(y - t, lossfw.loss("poisson_deviance")(y, t, reduction="none"), STABLE)
    panel.set(title="A cancelled deviance", xlabel="y - t, t = 1e6, float32", ylabel="deviance")


def key(panel: Any) -> None:
    """Draw what the colours mean."""
    panel.axis("off")
    for height, color, text in (
        (0.75, PRINTED, "as printed"),
        (0.5, STABLE, "as lossfw has it"),
        (0.25, BAND, "all that is right"),
    ):
        panel.plot([0, 0.15], [height, height], color=color, lw=5)
        panel.text(0.2, height, text, va="center")
    panel.set(xlim=(0, 1), ylim=(0, 1))


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(9, 5.4), layout="constrained")
        panels = figure.subplots(2, 3).ravel()
        for draw, panel in zip(
            (residual, tail, probability, kink, deviance, key), panels, strict=True
        ):
            draw(panel)
        figure.savefig(parser.parse_args().file, metadata={"Date": None})


if __name__ == "__main__":
    main()

"""Make the bundled digits and the weights of the network that is trained on them.

    python scripts/make_digits.py [FOLDER]

writes ``digits.npz`` and ``digits-mlp.npz`` to FOLDER, by default that of the
built-in plugin. The digits come from scikit-learn, which carries a copy of the
UCI data set "Optical Recognition of Handwritten Digits" (E. Alpaydin and
C. Kaynak, 1998; CC BY 4.0).

The same versions of Python, NumPy and BLAS give the same bytes: the seed is
fixed, sums run on one thread, and the files carry no time. Elsewhere the
weights may differ in their last digits. scikit-learn and threadpoolctl are
needed here only.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from threadpoolctl import threadpool_limits

FOLDER = Path(__file__).parent.parent / "plugins" / "lossfw_std" / "data"

SEED = 0
TRAIN_ROWS = 1200
LARGEST_PIXEL = 16
UNITS = (64, 50, 100, 10)
EPOCHS = 300
BATCH = 50

# Adam (Kingma and Ba, 2015), at the constants of its authors except for the rate.
RATE = 0.005
FIRST_DECAY, SECOND_DECAY, TINY = 0.9, 0.999, 1e-8

# Keeps weights small: what decides on writers that the training rows do not show.
WEIGHT_DECAY = 1e-5

# Each training image is moved by part of a step of at most so many pixels either
# way, differently in each epoch.
SHIFT = 1


def sigmoid(x):
    """Return 1 / (1 + exp(-x)); the sums here stay far from overflow."""
    return 1 / (1 + np.exp(-x))


def softmax(x):
    """Return the softmax of each row."""
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def first_weights(random):
    """Draw weights by Glorot's rule; biases begin at 0."""
    weights = {}
    for i, (width, units) in enumerate(pairwise(UNITS), start=1):
        spread = np.sqrt(2 / (width + units))
        weights[f"W{i}"] = random.normal(0, spread, (width, units))
        weights[f"b{i}"] = np.zeros(units)
    return weights


def forward(w, x):
    """Return what comes out of each of the three layers."""
    first = sigmoid(x @ w["W1"] + w["b1"])
    second = sigmoid(first @ w["W2"] + w["b2"])
    return first, second, softmax(second @ w["W3"] + w["b3"])


def gradient(w, x, t):
    """Return the gradient of the mean cross-entropy, by the chain rule written out."""
    first, second, y = forward(w, x)
    d3 = (y - np.eye(UNITS[-1])[t]) / len(x)
    d2 = d3 @ w["W3"].T * second * (1 - second)
    d1 = d2 @ w["W2"].T * first * (1 - first)
    g = {}
    for i, (before, d) in enumerate(((x, d1), (first, d2), (second, d3)), start=1):
        g[f"W{i}"] = before.T @ d + WEIGHT_DECAY * w[f"W{i}"]
        g[f"b{i}"] = d.sum(axis=0)
    return g


def moved(images, random):
    """Mix each image with itself one step away; what comes in is empty."""
    padded = np.pad(images, ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT)))
    steps = random.integers(0, 2 * SHIFT + 1, (len(images), 2))
    side = images.shape[1]
    rows = [p[i : i + side, j : j + side] for p, (i, j) in zip(padded, steps, strict=True)]
    part = random.uniform(0, 1, (len(images), 1, 1))
    return (1 - part) * images + part * np.array(rows)


def train(images, t):
    """Return weights trained in float64 with Adam, the rate falling to 0."""
    random = np.random.default_rng(SEED)
    w = first_weights(random)
    mean = {name: np.zeros_like(value) for name, value in w.items()}
    square = {name: np.zeros_like(value) for name, value in w.items()}
    steps = EPOCHS * (len(t) // BATCH)
    step = 0
    for _ in range(EPOCHS):
        order = random.permutation(len(t))
        x = moved(images, random).reshape(len(t), -1)
        for rows in np.split(order, len(t) // BATCH):
            step += 1
            rate = RATE * (1 - step / steps)
            for name, g in gradient(w, x[rows], t[rows]).items():
                mean[name] += (1 - FIRST_DECAY) * (g - mean[name])
                square[name] += (1 - SECOND_DECAY) * (g * g - square[name])
                even = mean[name] / (1 - FIRST_DECAY**step)
                size = np.sqrt(square[name] / (1 - SECOND_DECAY**step))
                w[name] -= rate * even / (size + TINY)
    return w


def main(folder):
    """Write both files and print the accuracy on both parts of the data."""
    digits = load_digits()
    pixels = digits.data.astype(np.uint8)
    labels = digits.target.astype(np.uint8)
    folder.mkdir(parents=True, exist_ok=True)
    # numpy.savez sets no time of writing, so equal arrays give equal files.
    np.savez(folder / "digits.npz", pixels=pixels, digits=labels)

    x = pixels / LARGEST_PIXEL
    with threadpool_limits(1):
        w = train(x[:TRAIN_ROWS].reshape(-1, 8, 8), labels[:TRAIN_ROWS].astype(int))
    w = {name: value.astype(np.float32) for name, value in w.items()}
    np.savez(folder / "digits-mlp.npz", **w)

    right = forward(w, x.astype(np.float32))[-1].argmax(axis=1) == labels
    print(f"accuracy on the first {TRAIN_ROWS} rows: {right[:TRAIN_ROWS].mean():.4f}")
    print(f"accuracy on the other {len(x) - TRAIN_ROWS} rows: {right[TRAIN_ROWS:].mean():.4f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)

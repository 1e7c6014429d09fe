"""The chapter's own way to evaluate a network on MNIST: the contender of `lossfw run`.

    python tests/benchmarks/chapter.py FOLDER [--batch SIZE]

Plain NumPy and nothing else, written as the chapter writes it: load, predict
one image after the other (``--batch 100``: a mini-batch after the other, the
chapter's second program), count the right ones, and average the cross-entropy
``-log(y + 1e-7)``. FOLDER holds the three files that
`configs/book/mnist.yaml` names. The pickle is opened with Python's own reader,
which executes what it finds: use it on the book's file only.

Prints one JSON object.
"""

import argparse
import gzip
import json
import pickle
from pathlib import Path

import numpy as np

DELTA = 1e-7


def load(folder):
    """Return images as rows of pixels in [0, 1], and labels."""
    with gzip.open(folder / "t10k-images-idx3-ubyte.gz", "rb") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784)
    with gzip.open(folder / "t10k-labels-idx1-ubyte.gz", "rb") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    return images.astype(np.float32) / 255.0, labels


def sigmoid(x):
    """The chapter's sigmoid."""
    return 1 / (1 + np.exp(-x))


def softmax(x):
    """The chapter's softmax, for one row or for several."""
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def predict(network, x):
    """Return the probabilities of the ten digits."""
    z1 = sigmoid(np.dot(x, network["W1"]) + network["b1"])
    z2 = sigmoid(np.dot(z1, network["W2"]) + network["b2"])
    return softmax(np.dot(z2, network["W3"]) + network["b3"])


def cross_entropy(y, t):
    """Return the sum of -log(y + delta) at the labels."""
    y = y.reshape(-1, y.shape[-1])
    return -np.sum(np.log(y[np.arange(len(y)), t] + DELTA), dtype=np.float64)


def main():
    """Evaluate, and print what `lossfw run --json` prints of the same."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--batch", type=int, default=1)
    arguments = parser.parse_args()
    images, labels = load(arguments.folder)
    network = pickle.loads((arguments.folder / "sample_weight.pkl").read_bytes())
    right, loss = 0, 0.0
    for i in range(0, len(images), arguments.batch):
        rows = i if arguments.batch == 1 else slice(i, i + arguments.batch)
        y, t = predict(network, images[rows]), labels[rows]
        right += int(np.sum(np.argmax(y, axis=-1) == t))
        loss += float(cross_entropy(y, t))
    print(json.dumps({"accuracy": right / len(images), "loss": loss / len(images)}))


if __name__ == "__main__":
    main()

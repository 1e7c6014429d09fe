"""The built-in activations, at several parameters, and arguments from all over the line."""

import numpy as np

import lossfw

# Name and parameters; the first of a name are its defaults.
ELEMENTWISE = [
    ("identity", {}),
    ("relu", {}),
    ("leaky_relu", {}),
    ("leaky_relu", {"negative_slope": 0.3}),
    ("leaky_relu", {"negative_slope": 0.0}),
    ("leaky_relu", {"negative_slope": 1.0}),
    ("leaky_relu", {"negative_slope": 3.0}),
    ("elu", {}),
    ("elu", {"alpha": 0.3}),
    ("elu", {"alpha": 1e3}),
    ("selu", {}),
    ("celu", {}),
    ("celu", {"alpha": 0.3}),
    ("celu", {"alpha": 1e3}),
    ("celu", {"alpha": 1e-3}),
    ("softplus", {}),
    ("softplus", {"beta": 0.3}),
    ("softplus", {"beta": 1e3}),
    ("softplus", {"beta": 1e-3}),
    ("sigmoid", {}),
    ("tanh", {}),
    ("silu", {}),
    ("gelu", {}),
    ("gelu", {"form": "tanh"}),
    ("mish", {}),
    ("hard_sigmoid", {}),
    ("hard_swish", {}),
    ("softsign", {}),
    ("step", {}),
    ("exp", {}),
]
ROWS = ["softmax", "log_softmax", "sparsemax"]


def label(sample):
    name, parameters = sample
    return name + "".join(f"-{key}={value}" for key, value in parameters.items())


def make(sample):
    name, parameters = sample
    return lossfw.activation(name, **parameters)


def line(dtype, count, seed=0):
    """Return arguments of every size and sign: denormals, kinks, tails, the largest."""
    random, info = np.random.default_rng(seed), np.finfo(dtype)
    # Where exp(-x), exp(-x^2 / 2) and the form with tanh become subnormal, and 0.
    tails = [(80, 106), (12, 14.6), (9, 10.3)]
    if dtype == np.float64:
        tails = [(690, 747), (37, 39), (20, 22)]
    size = np.concatenate(
        [
            np.exp2(random.uniform(info.minexp - info.nmant, info.maxexp, count)),
            np.exp2(random.uniform(-12, 10, count)),
            random.uniform(0, 5, 2 * count),
            random.uniform(5, 40, count),
            *(random.uniform(*tail, count) for tail in tails),
            [info.smallest_subnormal, info.tiny, 1e-30, 0.5, 1.0, 1.5, 61.0, 64.0, 800.0],
            [1e30, info.max],
        ]
    ).astype(dtype)
    near = np.asarray([3.0, 1.0, 0.5], dtype)
    size = np.concatenate([size, np.nextafter(near, 0), np.nextafter(near, dtype(9))])
    return np.concatenate([size, -size])

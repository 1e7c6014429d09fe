"""Configurations of any content: trees that are drawn, and a good one to change."""

import re

from hypothesis import strategies as st

KEYS = re.findall(
    r"\w+",
    "lossfw seed plugins data network loss evaluate layers weights predictions raw_outputs units "
    "activation batch_size metrics sample count replace name targets inputs factor per delta fuse",
)
words = st.sampled_from(
    [*KEYS, "squared_error", "cross_entropy", "inline", "digits", "softmax", "accuracy", "row"]
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.floats(),
    st.just(10**30),
    st.text(max_size=5),
    words,
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)

GOOD_TEXT = """\
lossfw: 1
data: {name: inline, targets: [[0.0, 1.0]]}
network: {predictions: [[0.25, 0.75]]}
loss: squared_error
evaluate: {batch_size: 7, metrics: []}
"""

GOOD = {
    "lossfw": 1,
    "data": {"name": "inline", "targets": [[0.0, 1.0]], "inputs": [[1.0]]},
    "network": {"predictions": [[0.25, 0.75]]},
    "loss": {"name": "squared_error", "factor": 0.5, "per": "row"},
    "evaluate": {"batch_size": 7, "metrics": ["accuracy"], "sample": {"count": 1, "seed": 0}},
}


def paths(value, path=()):
    """Yield the path to every value of a tree."""
    yield path
    steps = {dict: lambda v: v, list: lambda v: range(len(v))}.get(type(value), lambda v: ())
    for step in steps(value):
        yield from paths(value[step], (*path, step))


def changed(value, path, new):
    """Return a tree with another value at the end of a path."""
    if not path:
        return new
    step, *rest = path
    items = dict(value) if isinstance(value, dict) else dict(enumerate(value))
    items[step] = changed(items[step], rest, new)
    return items if isinstance(value, dict) else list(items.values())

"""Check the splits of trees in the files of libraries.

A damaged file may refer to an input that a row does not have, or a node that a tree does not have.
Libraries do not check this and read memory beyond the row, so predictions differ from call to call.
"""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np

from lossfw import NDArray

# The code of a number in UBJSON: how it is stored.
_UBJSON: Final = {b"U": ">u1", b"i": ">i1", b"I": ">i2", b"l": ">i4", b"L": ">i8"}


def tree_problem(left: NDArray, right: NDArray, split: NDArray, width: int) -> str | None:
    """Return what is wrong with a tree that begins at node 0, or None.

    A node with a negative left child is a leaf. Unreachable nodes, which XGBoost keeps after
    pruning, are not checked.
    """
    reached, seen = np.zeros(1, np.int64), 0
    while reached.size:
        seen += reached.size
        inner = reached[left[reached] >= 0]
        if seen > len(left):
            return "a node of a tree has two parents"
        if inner.size and not (split[inner].min() >= 0 and split[inner].max() < width):
            worst = split[inner].min() if split[inner].min() < 0 else split[inner].max()
            return f"a tree splits by input {worst}, but a row has {width} inputs, numbered from 0"
        reached = np.concatenate([left[inner], right[inner]]).astype(np.int64)
        if reached.size and not (reached.min() >= 0 and reached.max() < len(left)):
            return "a tree continues at a node that it does not have"
    return None


def xgboost_problem(content: bytes, width: int) -> str | None:
    """Return what is wrong in a model in XGBoost's UBJSON, or None."""
    arrays = [
        list(_ubjson_arrays(content, key))
        for key in (b"left_children", b"right_children", b"split_indices")
    ]
    for left, right, split in zip(*arrays, strict=True):
        if not len(left) == len(right) == len(split) > 0:
            return "the arrays of a tree have different lengths"
        if wrong := tree_problem(left, right, split, width):
            return wrong
    return None


def _ubjson_arrays(content: bytes, key: bytes) -> Any:
    """Yield the arrays of whole numbers that have a key, in the order of the file."""
    begin = key + b"[$"
    at = content.find(begin)
    while at >= 0:
        at += len(begin)
        dtype, counted = _UBJSON[content[at : at + 1]], _UBJSON[content[at + 2 : at + 3]]
        count = int(np.frombuffer(content, counted, 1, at + 3)[0])
        start = at + 3 + np.dtype(counted).itemsize
        yield np.frombuffer(content, dtype, count, start)
        at = content.find(begin, start + count * np.dtype(dtype).itemsize)


def lightgbm_problem(text: str) -> str | None:
    """Return what is wrong in the text of a LightGBM model, or None."""
    found = re.search(r"^max_feature_idx=(\d+)$", text, re.MULTILINE)
    if found is None:
        return "it does not say how many inputs it takes"
    width = int(found[1]) + 1
    # What follows has lines with names of inputs.
    trees = text.partition("\nend of trees\n")[0]
    for tree in re.split(r"^Tree=\d+$", trees, flags=re.MULTILINE)[1:]:
        lines = dict(re.findall(r"^(\w+)=(.*)$", tree, re.MULTILINE))
        try:
            leaves = int(lines.get("num_leaves", ""))
            left, right, split, linear = (
                np.array(lines.get(key, "").split(), np.int64)
                for key in ("left_child", "right_child", "split_feature", "leaf_features")
            )
        except (ValueError, OverflowError):
            return "a tree numbers its nodes by something other than integers"
        if leaves < 1 or not len(left) == len(right) == len(split) == leaves - 1:
            return "the arrays of a tree have different lengths"
        if linear.size and not (linear.min() >= 0 and linear.max() < width):
            return (
                f"a leaf uses input {linear.max()}, but a row has {width} inputs, numbered from 0"
            )
        # A child below 0 is the leaf ~child: a node after all others.
        ends = np.full(leaves, -1)
        left, right = (
            np.concatenate([np.where(child < 0, leaves - 1 + ~child, child), ends])
            for child in (left, right)
        )
        if wrong := tree_problem(left, right, np.concatenate([split, ends]), width):
            return wrong
    return None


def sklearn_problem(item: Any) -> str | None:
    """Return what is wrong with the trees in a part of an estimator, or None."""
    width, tree = vars(item).get("n_features_in_"), vars(item).get("tree_")
    if not isinstance(width, int):
        return None
    if tree is not None and hasattr(tree, "children_left"):
        return tree_problem(tree.children_left, tree.children_right, tree.feature, width)
    for rounds in vars(item).get("_predictors", ()):
        for one in rounds:
            if wrong := _predictor_problem(one, width):
                return wrong
    return None


def _predictor_problem(tree: Any, width: int) -> str | None:
    """Return what is wrong with a tree of HistGradientBoosting; None if nothing is."""
    nodes = tree.nodes
    if not len(nodes):
        return "a tree has no nodes"
    inner = nodes["is_leaf"] == 0
    left = np.where(inner, nodes["left"].astype(np.int64), -1)
    right, split = nodes["right"].astype(np.int64), nodes["feature_idx"].astype(np.int64)
    of_categories = nodes[inner & (nodes["is_categorical"] != 0)]["bitset_idx"]
    if of_categories.size and of_categories.max() >= len(tree.raw_left_cat_bitsets):
        return "a tree splits by categories that are not in the file"
    return tree_problem(left, right, split, width)

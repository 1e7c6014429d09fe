"""Names that other libraries give to components, and a guess at the meaning of an unknown name."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from lossfw.components.naming import nearest

# By a name of the field, without punctuation: the names under which it may be known here.
# Aliases of plugins come first, so this table has only what is no alias: a name of several
# meanings, or of a library.
_SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "nll": ("cross_entropy", "gaussian_nll"),
    "negativeloglikelihood": ("cross_entropy", "gaussian_nll"),
    "log": ("cross_entropy", "binary_cross_entropy"),
    "logloss": ("cross_entropy", "binary_cross_entropy"),
    "ce": ("cross_entropy",),
    "xent": ("cross_entropy",),
    "softmaxcrossentropy": ("cross_entropy",),
    "sparsecategoricalcrossentropy": ("cross_entropy",),
    "bce": ("binary_cross_entropy",),
    "bcewithlogits": ("binary_cross_entropy",),
    "sigmoidcrossentropy": ("binary_cross_entropy",),
    "smoothl1": ("huber",),
    "kldiv": ("kl_divergence",),
    "kullbackleibler": ("kl_divergence",),
    "poisson": ("poisson_nll", "poisson_deviance"),
    "poissonnloglik": ("poisson_nll",),
    "multimargin": ("multiclass_hinge",),
    "multimarginloss": ("multiclass_hinge",),
    "cosinesimilarity": ("cosine_distance",),
    "acc": ("accuracy",),
    "categoricalaccuracy": ("accuracy",),
    "f1score": ("f1",),
    "auc": ("roc_auc",),
    "auroc": ("roc_auc",),
    "rocaucscore": ("roc_auc",),
    "ap": ("average_precision",),
    "ece": ("calibration_error",),
    "topkaccuracy": ("top_k",),
    "meansquarederror": ("mse",),
    "rootmeansquarederror": ("rmse",),
    "meanabsoluteerror": ("mae",),
    "csv": ("arrays",),
    "tsv": ("arrays",),
    "parquet": ("arrays",),
    "npy": ("arrays",),
    "npz": ("arrays",),
    "numpy": ("arrays",),
    "file": ("arrays",),
    "table": ("arrays",),
    "mnist": ("idx",),
    "linear": ("identity",),
    "swish": ("silu",),
    "logsoftmax": ("softmax",),
}
_ENDINGS = ("loss", "error")


def meant(name: str, known: Collection[str]) -> list[str]:
    """Return the known names that a name was probably meant to be.

    The same letters come first, then synonyms of the field, then the nearest spelling.

    Examples
    --------
    >>> meant("CrossEntropyLoss", ["cross_entropy", "hinge"])
    ['cross_entropy']
    >>> meant("nll", ["pinball", "cross_entropy", "gaussian_nll"])
    ['cross_entropy', 'gaussian_nll']
    >>> meant("hubber", ["huber"]), meant("nothing", ["huber"])
    (['huber'], [])
    """
    plain = _letters(name)
    shapes = [plain, *(plain.removesuffix(ending) for ending in _ENDINGS if plain != ending)]
    by_letters = {_letters(other): other for other in sorted(known, reverse=True)}
    for shape in shapes:
        if shape in by_letters:
            return [by_letters[shape]]
    for shape in shapes:
        if here := [other for other in _SYNONYMS.get(shape, ()) if other in known]:
            return here
    match = nearest(name, known)
    return [match] if match else []


def did_you_mean_one(name: str, known: Iterable[str]) -> str:
    """Return ``Did you mean 'x' or 'y'?`` for a component, or an empty string."""
    names = meant(name, set(known))
    return f"Did you mean {' or '.join(map(repr, names))}?" if names else ""


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())

"""Names of components, and guesses at the name that was meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence

# Below this ratio of matching letters a guess annoys more than it helps.
_NEAR = 0.6

# A message lists no more names than these.
LISTED_NAMES = 8

# By a name of the field, without punctuation: the names under which it may be known here.
# Aliases of plugins come first, so this table has only what is not an alias: a name of several
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
    "xgb": ("xgboost",),
    "xgbregressor": ("xgboost",),
    "xgbclassifier": ("xgboost",),
    "lgb": ("lightgbm",),
    "lgbm": ("lightgbm",),
    "lgbmregressor": ("lightgbm",),
    "lgbmclassifier": ("lightgbm",),
    "cat": ("catboost",),
    "catboostregressor": ("catboost",),
    "catboostclassifier": ("catboost",),
    "gbm": ("lightgbm", "xgboost"),
    "histgb": ("hist_gradient_boosting",),
    "histgradientboostingregressor": ("hist_gradient_boosting",),
    "histgradientboostingclassifier": ("hist_gradient_boosting",),
    "scikitlearn": ("sklearn",),
    "randomforest": ("sklearn",),
    "ridge": ("sklearn",),
    "svm": ("sklearn",),
    "pytorch": ("torch",),
    "safetensors": ("torch",),
    "onnxruntime": ("onnx",),
    "skops": ("sklearn",),
    "saved": ("predictions", "trained"),
    "training": ("trained",),
}
_ENDINGS = ("loss", "error")


def snake_case(name: str) -> str:
    """Turn a class name into a component's name.

    Examples
    --------
    >>> snake_case("SquaredError"), snake_case("GaussianNLL")
    ('squared_error', 'gaussian_nll')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that `name` probably means, or None.

    Examples
    --------
    >>> nearest_name("hubber", ["huber", "hinge"])
    'huber'
    """
    matches = difflib.get_close_matches(name, sorted(known), n=1, cutoff=_NEAR)
    return matches[0] if matches else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``Did you mean 'x'?``, or an empty string if no name is similar."""
    match = nearest_name(name, known)
    return f"Did you mean {match!r}?" if match else ""


def shortlist(names: Sequence[str], close_to: str = "") -> str:
    """Return names for a message: the first few, the most similar to `close_to` first.

    Examples
    --------
    >>> shortlist(["a", "b"])
    'a, b'
    >>> shortlist([f"x{i}" for i in range(20)], close_to="x19")
    'x19, x9, x1, x18, x17, x16, x15, x14, ... (20 in all)'
    """
    if len(names) <= LISTED_NAMES:
        return ", ".join(names)
    shown = names
    if close_to:
        shown = difflib.get_close_matches(close_to, names, n=LISTED_NAMES, cutoff=0.0)
    return f"{', '.join(shown[:LISTED_NAMES])}, ... ({len(names)} in all)"


def format_count(count: int, noun: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> format_count(1, "row"), format_count(2, "row")
    ('1 row', '2 rows')
    """
    return f"{count} {noun}{'' if count == 1 else 's'}"


def printable(text: str) -> str:
    r"""Return a string with control characters as escapes, except line ends and tabs.

    A name from a file could otherwise move the cursor of a terminal, or hide other text.

    Examples
    --------
    >>> printable("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else repr(c)[1:-1] for c in text)


def in_one_line(label: str) -> str:
    r"""Return a label of the data with line ends and control characters as escapes.

    Examples
    --------
    >>> in_one_line("one\ntwo")
    'one\\ntwo'
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in label)


def closest_names(name: str, known: Collection[str]) -> list[str]:
    """Return the known names that a name probably means.

    Names with the same letters come first, then synonyms of the field, then the nearest spelling.

    Examples
    --------
    >>> closest_names("CrossEntropyLoss", ["cross_entropy", "hinge"])
    ['cross_entropy']
    >>> closest_names("nll", ["pinball", "cross_entropy", "gaussian_nll"])
    ['cross_entropy', 'gaussian_nll']
    >>> closest_names("xgb", ["catboost", "xgboost"])
    ['xgboost']
    >>> closest_names("hubber", ["huber"]), closest_names("nothing", ["huber"])
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
    match = nearest_name(name, known)
    return [match] if match else []


def did_you_mean_any(name: str, known: Iterable[str]) -> str:
    """Return ``Did you mean 'x' or 'y'?`` for a component, or an empty string."""
    names = closest_names(name, set(known))
    return f"Did you mean {' or '.join(map(repr, names))}?" if names else ""


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())

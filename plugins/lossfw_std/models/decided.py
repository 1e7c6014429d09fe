"""Why a model takes no parameter of its library: what decides it in a configuration."""

from collections.abc import Mapping
from typing import Final

BY_LOSS: Final = "`loss` is the objective, or `objective` next to the name of the model"
BY_METRICS: Final = "`evaluate.metrics` says what is measured"
BY_ROUNDS: Final = "`train.rounds` is their number"
BY_PATIENCE: Final = "`train.hold_out.patience` stops a training"
BY_SEED: Final = "`seed` of the configuration decides it"
BY_THREADS: Final = "LOSSFW_THREADS is their number"
BY_START: Final = "a training begins with the constant of least loss"
BY_WEIGHTS: Final = "`data.sample_weight_key` says how much a row counts"
BY_CATEGORIES: Final = "`data.categories` says which inputs are categories"
BY_MISSING: Final = "a missing number is NaN, as `data.missing: keep` leaves it"
BY_LOSSFW: Final = "lossfw shows the progress"
BY_NAME: Final = "write `learning_rate`, beside the name of the model"
FOR_BITS: Final = "lossfw sets it, so that a training repeats to the bit"
FOR_ROUNDS: Final = "a round has a model of its own only where later rounds leave its trees alone"


def by_name(names: Mapping[str, str]) -> dict[str, str]:
    """Return the reason for each name, of names with spaces between them for each reason.

    Examples
    --------
    >>> by_name({BY_THREADS: "nthread n_jobs"})["n_jobs"]
    'LOSSFW_THREADS is their number'
    """
    return {name: why for why, those in names.items() for name in those.split()}

"""Why a model refuses a parameter of its library: what sets it in a configuration."""

from collections.abc import Mapping
from typing import Final

BY_LOSS: Final = "`loss` sets the objective, or `objective` next to the name of the model"
BY_METRICS: Final = "`evaluate.metrics` lists what is measured"
BY_ROUNDS: Final = "`train.rounds` sets their number"
BY_PATIENCE: Final = "`train.hold_out.patience` stops the training early"
BY_SEED: Final = "`seed` of the configuration sets it"
BY_THREADS: Final = "LOSSFW_THREADS sets their number"
BY_START: Final = "a training starts from the constant of least loss"
BY_WEIGHTS: Final = "`data.sample_weight_key` weights the rows"
BY_CATEGORIES: Final = "`data.categories` lists the inputs that are categories"
BY_MISSING: Final = "a missing number is NaN, as `data.missing: keep` leaves it"
BY_LOSSFW: Final = "lossfw shows the progress"
BY_NAME: Final = "write `learning_rate`, next to the name of the model"
FOR_BITS: Final = "lossfw sets it, so that a training repeats to the bit"
FOR_ROUNDS: Final = (
    "the model of a round can only be restored if later rounds do not change its trees"
)


def reasons_by_parameter(names: Mapping[str, str]) -> dict[str, str]:
    """Return the reason by name, from the space-separated names of each reason.

    Examples
    --------
    >>> reasons_by_parameter({BY_THREADS: "nthread n_jobs"})["n_jobs"]
    'LOSSFW_THREADS sets their number'
    """
    return {name: why for why, those in names.items() for name in those.split()}

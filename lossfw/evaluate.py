"""Evaluation: batches -> forward -> loss and metrics -> partials -> result.

`Plan` is what a configuration comes to: objects whose shapes are checked, with
nothing computed. `evaluate` computes and returns a `Result`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from lossfw.data import Dataset

if TYPE_CHECKING:
    from lossfw.loss import Loss
    from lossfw.metrics import Metric
    from lossfw.network import Network

NDArray = np.ndarray[Any, np.dtype[Any]]
Form: TypeAlias = Literal["prediction", "logits"]
Progress: TypeAlias = Callable[[int, int], None]

# Version of the JSON object that `Result.to_dict` gives.
RESULT_VERSION = 1


@dataclass(frozen=True, eq=False)
class Plan:
    """What is to be evaluated: checked, with nothing computed.

    Attributes
    ----------
    data : Dataset
        All rows; those of `sample` are not taken yet.
    loss : Loss
        Already in its form from logits where `outputs_form` is ``"logits"``.
    network : Network or None
        What makes the predictions from the inputs.
    outputs : ndarray, shape (N, ...), or None
        Saved predictions or logits, where there is no network.
    outputs_form : str
        ``"prediction"`` or ``"logits"``: what reaches the loss.
    metrics : tuple of Metric
        They see the network's predictions, also where the loss sees its
        logits; and saved outputs as they are.
    batch_size : int
        How many rows are read at a time. It changes no bit of any number.
    sample : tuple of int or None
        Numbers of the rows to evaluate, in this order; None for all rows.
    digest : str
        Identifies configuration, plugin versions and data.
    warnings : tuple of str
        What was noticed while the plan was made.
    """

    data: Dataset
    loss: Loss
    network: Network | None = None
    outputs: NDArray | None = None
    outputs_form: Form = "prediction"
    metrics: tuple[Metric, ...] = ()
    batch_size: int = 100
    sample: tuple[int, ...] | None = None
    digest: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Result:
    """The numbers of an evaluation.

    Attributes
    ----------
    count : int
        Rows.
    weight : float
        Their total sample weight.
    loss_name, loss_text : str
        Canonical name of the loss; the loss with its parameters.
    loss : float
        Its mean.
    form : str
        ``"prediction"`` or ``"logits"``: what reached the loss.
    metrics : mapping of str to float or list
        By name.
    sample : tuple of int or None
        Numbers of the rows that were drawn.
    digest : str
        That of the plan.
    warnings : tuple of str
        For the reader of the report.
    timings : mapping of str to float
        Seconds by stage.
    """

    count: int
    weight: float
    loss_name: str
    loss_text: str
    loss: float
    form: Form
    metrics: Mapping[str, Any]
    sample: tuple[int, ...] | None = None
    digest: str = ""
    warnings: tuple[str, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as it is written to JSON: plain numbers, texts and lists."""
        return {
            "lossfw": RESULT_VERSION,
            "count": self.count,
            "weight": self.weight,
            "loss": {"name": self.loss_name, "value": self.loss, "form": self.form},
            "metrics": {name: {"value": value} for name, value in self.metrics.items()},
            "sample": None if self.sample is None else list(self.sample),
            "digest": self.digest,
        }


def evaluate(plan: Plan, *, progress: Progress | None = None) -> Result:
    """Evaluate a plan.

    Parameters
    ----------
    plan : Plan
        What to evaluate.
    progress : callable, optional
        Called with the rows done and the rows in all.

    Returns
    -------
    Result
        The same bits for any batch size and any number of cores.
    """
    raise NotImplementedError

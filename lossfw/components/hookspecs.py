"""The hooks by which a plugin offers components and follows runs.

A plugin is a module (or any object) that an entry point of group ``lossfw``
names. It implements the hooks below as plain functions marked with
`hookimpl`. Each takes no argument and returns a mapping of names to components::

    from lossfw import hookimpl

    lossfw_api = 1        # optional: the version of the hooks it is written for

    @hookimpl
    def lossfw_losses():
        return {
            "fair": "lossfw_fair.fair:Fair",    # imported on first use
            "huberish": Huberish,               # or the class itself
            "fair_loss": "fair",                # an alias of a name in this mapping
        }

A plugin may also follow runs by the hooks in `LIFE_CYCLE` and `TRAINING_CYCLE`, and takes only the
parameters that it needs::

    @hookimpl
    def lossfw_run_end(run, result):
        print(run.name, result.loss)

The classes of runs and results stand above this module, so the annotations say `Any`
and the docstrings name the classes.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import pluggy

# The name of the pluggy project, of the entry point group and of the
# distribution whose plugins are the built-in ones.
PROJECT: Final = "lossfw"

# The version of the hooks. It grows when a correct plugin has to change.
API: Final = 1

# The value of a hook: "module:Class", a class, or (a text without a colon) an alias by name.
ComponentTable: TypeAlias = dict[str, str | type]

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

# The kinds of components, and the hook that offers each.
HOOKS: Final = {
    "loss": "lossfw_losses",
    "activation": "lossfw_activations",
    "metric": "lossfw_metrics",
    "source": "lossfw_sources",
    "optimizer": "lossfw_optimizers",
    "bridge": "lossfw_bridges",
    "model": "lossfw_models",
}

KINDS: Final = tuple(HOOKS)

# The hooks that follow a run, in the order in which they are called.
LIFE_CYCLE: Final = ("lossfw_run_start", "lossfw_progress", "lossfw_run_end", "lossfw_report")
# The hooks with which a plugin follows trainings.
TRAINING_CYCLE: Final = ("lossfw_training_start", "lossfw_epoch", "lossfw_training_end")


@hookspec
def lossfw_losses() -> ComponentTable:  # type: ignore[empty-body]  # a spec is a docstring
    """Return the losses that the plugin offers, by name."""


@hookspec
def lossfw_activations() -> ComponentTable:  # type: ignore[empty-body]  # a spec is a docstring
    """Return the activations that the plugin offers, by name."""


@hookspec
def lossfw_metrics() -> ComponentTable:  # type: ignore[empty-body]  # a spec is a docstring
    """Return the metrics that the plugin offers, by name."""


@hookspec
def lossfw_sources() -> ComponentTable:  # type: ignore[empty-body]  # a spec is a docstring
    """Return the data sources that the plugin offers, by name."""


@hookspec
def lossfw_optimizers() -> ComponentTable:  # type: ignore[empty-body]  # a spec is a docstring
    """Return the optimizers that the plugin offers, by name."""


@hookspec
def lossfw_bridges() -> ComponentTable:  # type: ignore[empty-body]  # a spec is a docstring
    """Return the bridges to other libraries that the plugin offers, by name."""


@hookspec
def lossfw_models() -> ComponentTable:  # type: ignore[empty-body]  # a spec is a docstring
    """Return the models that the plugin offers, by name."""


@hookspec
def lossfw_run_start(run: Any) -> None:
    """Receive the start of a run, after planning and before any computation.

    If a hook raises, lossfw reports it with its plugin's name and does not call it again in
    this run, which continues.

    Parameters
    ----------
    run : lossfw.runs.records.Run
        Name, plan and folder of the run.
    """


@hookspec
def lossfw_progress(run: Any, done: int, total: int) -> None:
    """Receive the number of rows done, several times in a run.

    Parameters
    ----------
    run : lossfw.runs.records.Run
        The run.
    done, total : int
        Number of rows done, and of all rows. A resumed run starts above 0.
    """


@hookspec
def lossfw_run_end(run: Any, result: Any) -> None:
    """Receive the end of a run, after its files are written.

    Parameters
    ----------
    run : lossfw.runs.records.Run
        The run.
    result : lossfw.evaluation.result.Result or None
        The result; None if the run failed.
    """


@hookspec
def lossfw_report(run: Any, result: Any) -> str | None:
    """Return text to show below the report of a run, or None.

    Parameters
    ----------
    run : lossfw.runs.records.Run
        The run that has ended.
    result : lossfw.evaluation.result.Result
        The result.
    """


@hookspec
def lossfw_training_start(run: Any) -> None:
    """Receive the start of a training, before any computation.

    Parameters
    ----------
    run : lossfw.runs.records.TrainingRun
        Name, training and folder.
    """


@hookspec
def lossfw_epoch(run: Any, epoch: Any) -> None:
    """Receive the measurements after an epoch, or after a round of a boosted model.

    lossfw calls the hook after it has written the checkpoint: after each epoch; for a boosted model
    once per round, after every 100 rounds and at the end.

    Parameters
    ----------
    run : lossfw.runs.records.TrainingRun
        The training.
    epoch : lossfw.models.training.records.Epoch
        Number, learning rate, and the loss and metrics of the rows trained on and held out. Number
        0 is the network before any step, or the constant of least loss. A resumed training
        continues after its checkpoint.
    """


@hookspec
def lossfw_training_end(run: Any, trained: Any) -> None:
    """Receive the end of a training, after its files are written.

    Parameters
    ----------
    run : lossfw.runs.records.TrainingRun
        The training.
    trained : lossfw.models.training.records.TrainingResult or None
        The model and all measurements; None if the training failed.
    """

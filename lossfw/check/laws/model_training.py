"""Laws of models that learn: a stopped, repeated or measured training has the same bits."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from lossfw.check.core.search import Counterexample, NotApplicable, Search, format_number
from lossfw.check.core.trials import (
    LEG,
    LOSSES,
    LearningTask,
    fit,
    is_data_error,
    learning_task,
    learning_tasks,
    load,
    load_trained,
    mean_loss_after,
    model_law,
    outputs,
    require_learner,
    trained_leg,
)
from lossfw.check.laws.models import refutation, require_same_outputs
from lossfw.errors import LossfwError
from lossfw.learning.start import best_constant
from lossfw.models import Model
from lossfw.numerics.arrays import NDArray

# What no library takes for a model.
_JUNK = b"this is not a model"

# Rounds after which a loss has to be lower than that of a constant, and epochs after which it has
# to be lower than after the first one.
_ROUNDS_TO_LEARN = 5

_REFUSE = "Return from refusal(loss) why it cannot be trained with."

# A loss counts as lower from this part on: below is rounding.
_LOWER = 1e-9


def _counted_tasks(model: Model, search: Search) -> list[LearningTask]:
    every = learning_tasks(model, search)
    search.count(sum(len(task.data) for task in every))
    return every


def _training_outputs(model: Model, task: LearningTask, content: bytes) -> NDArray:
    """Return the raw outputs of the training rows from a file."""
    return outputs(load(model, task, content), np.asarray(task.data.inputs))


def _require_same_file(first: bytes, second: bytes, when: str, advice: str) -> None:
    if first != second:
        pairs = enumerate(zip(first, second, strict=False))
        at = next((i for i, (a, b) in pairs if a != b), min(len(first), len(second)))
        raise refutation(
            f"{when}, the file has other bytes, the first at {at} of {len(first)}: "
            f"{_excerpt(first, at)} and {_excerpt(second, at)}. {advice}"
        )


def _excerpt(content: bytes, position: int) -> str:
    return repr(content[max(0, position - 20) : position + 20])


@model_law("file")
def check_file(model: Model, search: Search) -> None:
    """A repeated training has the same file, and a file always gives the same model."""
    if model.file is not None:
        (one,) = load_trained(model, search)
        search.count(len(one.rows))
        require_same_outputs(
            one.outputs(), outputs(model.load_predictor(), one.rows), "once", "loaded again", ""
        )
    for task in [] if model.training_mode is None or model.file else _counted_tasks(model, search):
        content = trained_leg(model, task, search).content
        cure = "Leave out what changes from run to run, such as a time or an identifier."
        _require_same_file(content, fit(model, task).content, "trained again", cure)
        first, second = (_training_outputs(model, task, content) for _ in range(2))
        cure = "Load from the content alone."
        require_same_outputs(
            first, second, "loaded once", "loaded again", cure, np.asarray(task.data.inputs)
        )
    _require_refused_file(model)


def _require_refused_file(model: Model) -> None:
    """Check that a file of something else is refused in words."""
    code = f"model.load_predictor({_JUNK!r})"
    try:
        model.load_predictor(_JUNK)
    except LossfwError:
        return
    except Exception as error:
        raise Counterexample(
            f"a file that is not a model ends in {type(error).__name__}: {error}. Raise DataError "
            "with the name of the file and what was expected.",
            code,
        ) from error
    raise Counterexample("a file that is not a model is loaded. Raise DataError.", code)


@model_law("reported_outputs")
def check_reported_outputs(model: Model, search: Search) -> None:
    """The raw outputs that `report_round` gets are those of the file, after each round."""
    for task in _counted_tasks(model, search):
        whole = trained_leg(model, task, search)
        most = LEG if model.training_mode == "rounds" else 1
        # A leg of one may leave it to lossfw to measure the file.
        if len(whole.reported) > most or (most > 1 and not whole.reported):
            raise refutation(
                f"`report_round` was called {len(whole.reported)} times in a leg of {most} rounds; "
                "expected a call after each round."
            )
        for number, reported in enumerate(whole.reported, 1):
            if most > 1 or reported[0] is not None:
                _require_reported_outputs(
                    model, task, reported, _train_and_stop(model, task, search, number), number
                )
        last = fit(model, task, measures=lambda number, most=most: number == most)
        cure = "Measuring must not change the training."
        _require_same_file(whole.content, last.content, "with fewer rounds measured", cure)


def _train_and_stop(model: Model, task: LearningTask, search: Search, number: int) -> bytes:
    """Return the file of a training that `report_round` has stopped after a round."""
    if len(trained_leg(model, task, search).reported) == number:
        return trained_leg(model, task, search).content
    key = "stopped", task.loss.name, number
    return search.cached(key, lambda: fit(model, task, stop_after=number).content)


def _require_reported_outputs(
    model: Model, task: LearningTask, reported: tuple[Any, Any], content: bytes, number: int
) -> None:
    predictor = load(model, task, content)
    sides = ("training", task.data, reported[0]), ("held-out", task.held_out, reported[1])
    for name, data, raw in sides:
        x = np.asarray(data.inputs)
        if raw is None:
            raise refutation(
                f"`report_round` got None for the {name} rows of round {number}, which is "
                "measured. Give their raw outputs."
            )
        cure = (
            "Call leg.report_round once a round has been added, with raw outputs, to which no "
            "output activation has been applied, and if it returns true, return the model of the "
            "rounds so far."
        )
        expected = outputs(predictor, x).reshape(np.shape(raw))
        there = f"in the file of a training that `report_round` stopped after round {number}"
        require_same_outputs(raw, expected, f"reported after round {number}", there, cure, x)


@model_law("legs")
def check_legs(model: Model, search: Search) -> None:
    """A leg depends only on the file of the previous leg.

    The first rounds of a model equal a training of so many rounds.
    """
    if model.training_mode == "once":
        raise NotApplicable("it is trained in one step, without rounds")
    _check_cut(model, search)
    _check_second_legs(model, search)


def _check_cut(model: Model, search: Search) -> None:
    for task in _counted_tasks(model, search):
        content, x = trained_leg(model, task, search).content, np.asarray(task.data.inputs)
        if model.training_mode == "epochs":
            # Only what further epochs need is left out.
            finished = _training_outputs(model, task, model.cut(content, 1))
            expected = _training_outputs(model, task, content)
            cure = "cut(content, epoch) keeps all weights."
            require_same_outputs(expected, finished, "after an epoch", "after cut", cure, x)
            continue
        for number in range(1, len(trained_leg(model, task, search).reported) + 1):
            cut = _training_outputs(model, task, model.cut(content, number))
            expected = _training_outputs(model, task, _train_and_stop(model, task, search, number))
            here = f"in a training that ends after round {number}"
            there = f"in a training of {LEG} that is cut after round {number}"
            require_same_outputs(expected, cut, here, there, "cut(content, 1) keeps one round.", x)


def _check_second_legs(model: Model, search: Search) -> None:
    for task in _counted_tasks(model, search):
        first = trained_leg(model, task, search).content
        after_first = _second_leg(model, task, first)
        # Another training in between, and another object.
        other = fit(model, _swap_targets(task), seed=7).content
        again = _second_leg(model.replace(), task, first)
        cure = "Begin from leg.saved, and keep nothing in the model or its module."
        _require_same_file(after_first, again, "after another training, in the second leg", cure)
        from_first = _training_outputs(model, task, after_first)
        from_other = _training_outputs(model, task, _second_leg(model, task, other))
        if np.array_equal(from_first, from_other):
            text = (
                "the second leg has the same outputs after two different first legs: it ignores "
                "leg.saved. Begin from the model in it."
            )
            raise refutation(text, x=np.asarray(task.data.inputs)[:1])
        if model.training_mode == "rounds":
            before, kept = (
                _training_outputs(model, task, content)
                for content in (first, model.cut(after_first, LEG))
            )
            there, x = "in the rounds of it that are kept", np.asarray(task.data.inputs)
            require_same_outputs(
                before, kept, "after the first leg", there, "A leg adds rounds.", x
            )


def _second_leg(model: Model, task: LearningTask, saved: bytes) -> bytes:
    done = LEG if model.training_mode == "rounds" else 1
    return fit(model, task, saved=saved, first=done, seed=5).content


def _swap_targets(task: LearningTask) -> LearningTask:
    """Return the same rows with the targets of others."""
    data = task.data
    targets = np.roll(np.asarray(data.targets), 7, axis=0)
    return task._replace(data=replace(data, targets=targets))


@model_law("seed")
def check_seed(model: Model, search: Search) -> None:
    """Randomness comes only from the seed of the leg, not from threads or other numbers."""
    for task in _counted_tasks(model, search):
        content = trained_leg(model, task, search).content
        with _disturb_random_state():
            found = fit(model, task).content
        cure = "Draw from np.random.default_rng(leg.seed), or give the library this seed."
        _require_same_file(content, found, "after other random numbers", cure)
    # Threads that wait for each other take the most time of all, and add alike by any loss.
    task = learning_tasks(model, search)[0]
    cure = "Make the library sum in an order that does not depend on leg.threads."
    found = fit(model, task, threads=2).content
    _require_same_file(trained_leg(model, task, search).content, found, "on two threads", cure)


@contextmanager
def _disturb_random_state() -> Iterator[None]:
    """Move the generators of the process, which belong to all, inside the ``with`` block."""
    kept = random.getstate(), np.random.get_state()  # noqa: NPY002  # what a model must not use
    random.seed(11)
    np.random.seed(11)  # noqa: NPY002  # likewise
    try:
        yield
    finally:
        random.setstate(kept[0])
        np.random.set_state(kept[1])  # noqa: NPY002  # likewise


@model_law("refusal")
def check_refusal(model: Model, search: Search) -> None:
    """A loss that is not refused can be trained on; a refusal says why.

    Rounds begin with the constant of least loss, so that the first one is below it.
    """
    require_learner(model)
    if model.training_mode == "once":
        raise NotApplicable("it is trained in one step, with its own objective")
    if model.training_mode == "rounds":
        _check_start(model, search)
    _check_refusals(model, search)


def _check_start(model: Model, search: Search) -> None:
    for task in _counted_tasks(model, search):
        constant = _least_constant_loss(task)
        first = mean_loss_after(model, task, trained_leg(model, task, search), 0)
        if not first <= constant * (1 + _LOWER) + _LOWER:
            raise refutation(
                f"after the first round the mean {task.loss.name} is {format_number(first)}, and "
                f"{format_number(constant)} for the best constant. Begin with leg.best_constant()."
            )


def _least_constant_loss(task: LearningTask) -> float:
    """Return the least mean loss of a constant."""
    constant = best_constant(task.loss, task.data.targets, classes=task.units)
    return task.mean_loss(np.broadcast_to(constant, (len(task.data), task.units)))


def _check_refusals(model: Model, search: Search) -> None:
    for name in LOSSES:
        task = learning_task(model, name, search)
        why = model.refusal(task.loss)
        if why is None:
            search.count(len(task.data))
            try:
                _require_lower_loss(model, task)
            except LossfwError as error:
                if is_data_error(model, error):
                    continue
                raise refutation(
                    f"{name} is not refused, but training with it raises an error: {error} "
                    f"{_REFUSE}"
                ) from None
        elif not str(why).strip():
            raise refutation(
                f"it refuses {name} without a reason: refusal(loss) should return one."
            )


def _require_lower_loss(model: Model, task: LearningTask) -> None:
    """Check that the mean loss after a few rounds or epochs is lower than before them."""
    rounds = _ROUNDS_TO_LEARN if model.training_mode == "rounds" else 1
    trained = fit(model, task, rounds=rounds, total=_ROUNDS_TO_LEARN)
    before, last = "for the best constant", trained
    if model.training_mode == "epochs":
        for number in range(1, _ROUNDS_TO_LEARN):
            last = fit(
                model, task, first=number, total=_ROUNDS_TO_LEARN, saved=last.content, seed=number
            )
        before, least = "after the first epoch", mean_loss_after(model, task, trained)
    elif task.raw_loss.takes_groups or task.raw_loss.claims().gradient_zero_almost_everywhere:
        # Any constant is a start of theirs.
        before, least = "for a constant", task.mean_loss(np.zeros((len(task.data), task.units)))
    else:
        least = _least_constant_loss(task)
    found = mean_loss_after(model, task, last)
    if not found < least - _LOWER * abs(least):
        raise refutation(
            f"{task.loss.name} is not refused, and after {_ROUNDS_TO_LEARN} {model.training_mode} "
            f"its mean is {format_number(found)}, not below the {format_number(least)} {before}. "
            f"{_REFUSE}"
        )

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
    is_of_data,
    law,
    load,
    load_trained,
    mean_after,
    need_learner,
    outputs,
    task,
    tasks,
    trained_leg,
)
from lossfw.check.laws.models import need_same, refuted
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


def _each(model: Model, search: Search) -> list[LearningTask]:
    every = tasks(model, search)
    search.count(sum(len(of.data) for of in every))
    return every


def _outputs(model: Model, of: LearningTask, content: bytes) -> NDArray:
    """Return the raw outputs of the training rows from a file."""
    return outputs(load(model, of, content), np.asarray(of.data.inputs))


def _need_same_file(first: bytes, second: bytes, when: str, cure: str) -> None:
    if first != second:
        pairs = enumerate(zip(first, second, strict=False))
        at = next((i for i, (a, b) in pairs if a != b), min(len(first), len(second)))
        raise refuted(
            f"{when}, the file has other bytes, the first at {at} of {len(first)}: "
            f"{_around(first, at)} and {_around(second, at)}. {cure}"
        )


def _around(content: bytes, at: int) -> str:
    return repr(content[max(0, at - 20) : at + 20])


@law("file")
def check_file(model: Model, search: Search) -> None:
    """A repeated training has the same file, and a file always gives the same model."""
    if model.file is not None:
        (one,) = load_trained(model, search)
        search.count(len(one.rows))
        need_same(
            one.outputs(), outputs(model.load_predictor(), one.rows), "once", "loaded again", ""
        )
    for of in [] if model.training_mode is None or model.file else _each(model, search):
        content = trained_leg(model, of, search).content
        cure = "Leave out what changes from run to run, such as a time or an identifier."
        _need_same_file(content, fit(model, of).content, "trained again", cure)
        first, second = (_outputs(model, of, content) for _ in range(2))
        cure = "Load from the content alone."
        need_same(first, second, "loaded once", "loaded again", cure, np.asarray(of.data.inputs))
    _need_refused(model)


def _need_refused(model: Model) -> None:
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


@law("reported_outputs")
def check_reported_outputs(model: Model, search: Search) -> None:
    """The raw outputs that `report_round` gets are those of the file, after each round."""
    for of in _each(model, search):
        whole = trained_leg(model, of, search)
        most = LEG if model.training_mode == "rounds" else 1
        # A leg of one may leave it to lossfw to measure the file.
        if len(whole.told) > most or (most > 1 and not whole.told):
            raise refuted(
                f"`report_round` was called {len(whole.told)} times in a leg of {most} rounds; "
                "expected a call after each round."
            )
        for number, told in enumerate(whole.told, 1):
            if most > 1 or told[0] is not None:
                _need_told(model, of, told, _train_and_stop(model, of, search, number), number)
        last = fit(model, of, measures=lambda number, most=most: number == most)
        cure = "Measuring must not change the training."
        _need_same_file(whole.content, last.content, "with fewer rounds measured", cure)


def _train_and_stop(model: Model, of: LearningTask, search: Search, number: int) -> bytes:
    """Return the file of a training that `report_round` has stopped after a round."""
    if len(trained_leg(model, of, search).told) == number:
        return trained_leg(model, of, search).content
    key = "stopped", of.loss.name, number
    return search.cached(key, lambda: fit(model, of, stop=number).content)


def _need_told(
    model: Model, of: LearningTask, told: tuple[Any, Any], content: bytes, number: int
) -> None:
    predictor = load(model, of, content)
    sides = ("training", of.data, told[0]), ("held-out", of.held_out, told[1])
    for name, data, raw in sides:
        x = np.asarray(data.inputs)
        if raw is None:
            raise refuted(
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
        need_same(raw, expected, f"told after round {number}", there, cure, x)


@law("legs")
def check_legs(model: Model, search: Search) -> None:
    """A leg depends only on the file of the previous leg.

    The first rounds of a model equal a training of so many rounds.
    """
    if model.training_mode == "once":
        raise NotApplicable("it is trained in one step, without rounds")
    _check_cut(model, search)
    _check_second_legs(model, search)


def _check_cut(model: Model, search: Search) -> None:
    for of in _each(model, search):
        content, x = trained_leg(model, of, search).content, np.asarray(of.data.inputs)
        if model.training_mode == "epochs":
            # Only what further epochs need is left out.
            finished = _outputs(model, of, model.cut(content, 1))
            expected = _outputs(model, of, content)
            cure = "cut(content, epoch) keeps all weights."
            need_same(expected, finished, "after an epoch", "after cut", cure, x)
            continue
        for number in range(1, len(trained_leg(model, of, search).told) + 1):
            cut = _outputs(model, of, model.cut(content, number))
            expected = _outputs(model, of, _train_and_stop(model, of, search, number))
            here = f"in a training that ends after round {number}"
            there = f"in a training of {LEG} that is cut after round {number}"
            need_same(expected, cut, here, there, "cut(content, 1) keeps one round.", x)


def _check_second_legs(model: Model, search: Search) -> None:
    for of in _each(model, search):
        first = trained_leg(model, of, search).content
        after_first = _second_leg(model, of, first)
        # Another training in between, and another object.
        other = fit(model, _swap_targets(of), seed=7).content
        again = _second_leg(model.replace(), of, first)
        cure = "Begin from leg.saved, and keep nothing in the model or its module."
        _need_same_file(after_first, again, "after another training, in the second leg", cure)
        from_first = _outputs(model, of, after_first)
        from_other = _outputs(model, of, _second_leg(model, of, other))
        if np.array_equal(from_first, from_other):
            text = (
                "the second leg has the same outputs after two different first legs: it ignores "
                "leg.saved. Begin from the model in it."
            )
            raise refuted(text, x=np.asarray(of.data.inputs)[:1])
        if model.training_mode == "rounds":
            before, kept = (
                _outputs(model, of, content) for content in (first, model.cut(after_first, LEG))
            )
            there, x = "in the rounds of it that are kept", np.asarray(of.data.inputs)
            need_same(before, kept, "after the first leg", there, "A leg adds rounds.", x)


def _second_leg(model: Model, of: LearningTask, saved: bytes) -> bytes:
    done = LEG if model.training_mode == "rounds" else 1
    return fit(model, of, saved=saved, first=done, seed=5).content


def _swap_targets(of: LearningTask) -> LearningTask:
    """Return the same rows with the targets of others."""
    data = of.data
    targets = np.roll(np.asarray(data.targets), 7, axis=0)
    return of._replace(data=replace(data, targets=targets))


@law("seed")
def check_seed(model: Model, search: Search) -> None:
    """Randomness comes only from the seed of the leg, not from threads or other numbers."""
    for of in _each(model, search):
        content = trained_leg(model, of, search).content
        with _other_numbers():
            found = fit(model, of).content
        cure = "Draw from np.random.default_rng(leg.seed), or give the library this seed."
        _need_same_file(content, found, "after other random numbers", cure)
    # Threads that wait for each other take the most time of all, and add alike by any loss.
    of = tasks(model, search)[0]
    cure = "Make the library sum in an order that does not depend on leg.threads."
    found = fit(model, of, threads=2).content
    _need_same_file(trained_leg(model, of, search).content, found, "on two threads", cure)


@contextmanager
def _other_numbers() -> Iterator[None]:
    """Move the generators of the process, which belong to all, inside the ``with`` block."""
    kept = random.getstate(), np.random.get_state()  # noqa: NPY002  # what a model must not use
    random.seed(11)
    np.random.seed(11)  # noqa: NPY002  # likewise
    try:
        yield
    finally:
        random.setstate(kept[0])
        np.random.set_state(kept[1])  # noqa: NPY002  # likewise


@law("refusal")
def check_refuses(model: Model, search: Search) -> None:
    """A loss that is not refused can be trained on; a refusal says why.

    Rounds begin with the constant of least loss, so that the first one is below it.
    """
    need_learner(model)
    if model.training_mode == "once":
        raise NotApplicable("it is trained in one step, with its own objective")
    if model.training_mode == "rounds":
        _check_start(model, search)
    _check_refused(model, search)


def _check_start(model: Model, search: Search) -> None:
    for of in _each(model, search):
        constant = _of_constant(of)
        first = mean_after(model, of, trained_leg(model, of, search), 0)
        if not first <= constant * (1 + _LOWER) + _LOWER:
            raise refuted(
                f"after the first round the mean {of.loss.name} is {format_number(first)}, and "
                f"{format_number(constant)} for the best constant. Begin with leg.best_constant()."
            )


def _of_constant(of: LearningTask) -> float:
    """Return the least mean loss of a constant."""
    constant = best_constant(of.loss, of.data.targets, classes=of.units)
    return of.mean(np.broadcast_to(constant, (len(of.data), of.units)))


def _check_refused(model: Model, search: Search) -> None:
    for name in LOSSES:
        of = task(model, name, search)
        why = model.refusal(of.loss)
        if why is None:
            search.count(len(of.data))
            try:
                _need_lower_loss(model, of)
            except LossfwError as error:
                if is_of_data(model, error):
                    continue
                raise refuted(
                    f"{name} is not refused, but training with it raises an error: {error} "
                    f"{_REFUSE}"
                ) from None
        elif not str(why).strip():
            raise refuted(f"it refuses {name} without a reason: refusal(loss) should return one.")


def _need_lower_loss(model: Model, of: LearningTask) -> None:
    """Check that the mean loss after a few rounds or epochs is lower than before them."""
    rounds = _ROUNDS_TO_LEARN if model.training_mode == "rounds" else 1
    trained = fit(model, of, rounds=rounds, total=_ROUNDS_TO_LEARN)
    before, last = "for the best constant", trained
    if model.training_mode == "epochs":
        for number in range(1, _ROUNDS_TO_LEARN):
            last = fit(
                model, of, first=number, total=_ROUNDS_TO_LEARN, saved=last.content, seed=number
            )
        before, least = "after the first epoch", mean_after(model, of, trained)
    elif of.raw_loss.takes_groups or of.raw_loss.claims().gradient_zero_almost_everywhere:
        # Any constant is a start of theirs.
        before, least = "for a constant", of.mean(np.zeros((len(of.data), of.units)))
    else:
        least = _of_constant(of)
    found = mean_after(model, of, last)
    if not found < least - _LOWER * abs(least):
        raise refuted(
            f"{of.loss.name} is not refused, and after {_ROUNDS_TO_LEARN} {model.training_mode} "
            f"its mean is {format_number(found)}, not below the {format_number(least)} {before}. "
            f"{_REFUSE}"
        )

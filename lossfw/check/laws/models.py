"""Laws of trained models: a row has the same outputs wherever and however it comes."""

from __future__ import annotations

import importlib
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np

from lossfw.check.core.search import Counterexample, NotApplicable, Search, format_number, run_parts
from lossfw.check.core.trials import (
    LoadedModel,
    is_data_error,
    learning_task,
    learning_tasks,
    load_trained,
    model_law,
    train_and_load,
)
from lossfw.errors import LossfwError
from lossfw.models import Model, Predictor
from lossfw.numerics.arrays import NDArray

# Last blocks have so many rows: libraries take other ways for few rows, and for some remainders.
_COMPANIES = (1, 2, 3, 5, 8, 17, 40)

# How often several threads compute each block.
_REPEATS = 4

_PADS = "If its sums depend on the number of rows in a call, write Predictor(..., pads=True)."
_ROW_BY_ROW = "Compute each row by itself, from numbers of the file."


def refutation(message: str, **inputs: Any) -> Counterexample:
    """Return the refutation of a law without an expression."""
    return Counterexample(message, "", **inputs)


def require_same_outputs(
    expected: Any,
    found: Any,
    expected_where: str,
    found_where: str,
    advice: str,
    rows: NDArray | None = None,
) -> None:
    """Refute outputs of rows that are not the same to the bit; NaN equals NaN."""
    first, second = (np.asarray(x) for x in (expected, found))
    first, second = (x[:, None] if x.ndim == 1 else x for x in (first, second))
    if first.shape != second.shape or first.dtype != second.dtype:
        raise refutation(
            f"outputs are {first.dtype} of shape {first.shape} {expected_where}, and "
            f"{second.dtype} of shape {second.shape} {found_where}. {advice}"
        )
    other = ~((first == second) | (np.isnan(first) & np.isnan(second))).all(axis=1)
    if other.any():
        row = int(np.argmax(other))
        text = (
            f"row {row} has the output {format_number(first[row], 17)} {expected_where}, and "
            f"{format_number(second[row], 17)} {found_where}. {advice}"
        )
        raise refutation(text, **({} if rows is None else {"x": rows[row : row + 1]}))


def _loaded_models(model: Model, search: Search) -> list[LoadedModel]:
    every = load_trained(model, search)
    search.count(sum(len(one.rows) for one in every))
    return every


@model_law("shape")
def check_shape(model: Model, search: Search) -> None:
    """A row has as many outputs as the model says, and finite ones."""
    for one in _loaded_models(model, search):
        predictor = one.predictor
        if one.task is not None:
            shape, units = np.asarray(one.task.data.inputs).shape[1:], one.task.units
            if (predictor.row_shape, predictor.units) != (shape, units):
                raise refutation(
                    f"trained on inputs of shape {shape} with {units} outputs, the model is loaded "
                    f"with row_shape={predictor.row_shape} and units={predictor.units}."
                )
        predictor.check_inputs(one.rows.shape)
        for count in (1, 5, len(one.rows)):
            found = one.outputs(one.rows[:count])
            if found.shape != (count, predictor.units) or found.dtype.kind != "f":
                text = (
                    f"{count} rows have outputs of {found.dtype} of shape {found.shape}; expected "
                    f"floats of shape ({count}, {predictor.units})."
                )
                raise refutation(text, x=one.rows[:1])
        _require_finite(one)


def _require_finite(loaded: LoadedModel) -> None:
    wrong = ~np.isfinite(found := loaded.outputs()).all(axis=1)
    if wrong.any():
        row = int(np.argmax(wrong))
        text = f"the output of a row is {format_number(found[row])}, although every input is valid."
        raise refutation(text, x=loaded.rows[row : row + 1])


def _check_reversed_rows(loaded: LoadedModel, advice: str = _ROW_BY_ROW) -> None:
    there = "with the rows in reverse order"
    require_same_outputs(
        loaded.outputs(),
        loaded.outputs(loaded.rows[::-1])[::-1],
        "in order",
        there,
        advice,
        loaded.rows,
    )


def _check_other_blocks(loaded: LoadedModel, advice: str = f"{_ROW_BY_ROW} {_PADS}") -> None:
    rows, whole = loaded.rows, loaded.outputs()
    for count in _COMPANIES:
        found, there = loaded.outputs(rows[:count]), f"in a block of {count}"
        require_same_outputs(whole[:count], found, "in a full block", there, advice, rows)
    others = rows.copy()
    others[1::2] = others[1::2][::-1]
    there, found = "beside other rows", loaded.outputs(others)[::2]
    require_same_outputs(whole[::2], found, "beside some rows", there, _ROW_BY_ROW, rows[::2])


@model_law("place")
def check_row_position(model: Model, search: Search) -> None:
    """A row has the same bits at any position of a block, next to any number of any rows."""
    for one in _loaded_models(model, search):
        _check_reversed_rows(one)
        _check_other_blocks(one)


# The same numbers in another memory.
_LAYOUTS: dict[str, Callable[[NDArray], NDArray]] = {
    "in Fortran order": np.asfortranarray,
    "with gaps": lambda x: np.repeat(x, 2, axis=0)[::2],
    "read-only": lambda x: np.frombuffer(x.tobytes(), x.dtype).reshape(x.shape),
}


@model_law("layout")
def check_layout(model: Model, search: Search) -> None:
    """A row has the same bits in any memory layout, also in read-only arrays."""
    cure = "Give Predictor a function, which gets contiguous blocks, and leave `block` as it is."
    for one in _loaded_models(model, search):
        whole = one.outputs()
        for name, layout in _LAYOUTS.items():
            found = one.outputs(layout(one.rows))
            require_same_outputs(whole, found, "in C order", name, cure, one.rows)


@model_law("threads")
def check_threads(model: Model, search: Search) -> None:
    """Four threads at once give the bits of one."""
    cure = "Let the library use one thread, or write Predictor(..., shared=False)."
    for one in _loaded_models(model, search):
        predictor, size = one.predictor, one.predictor.block_rows
        if not predictor.shared:
            raise NotApplicable("its predictor is not shared between threads")
        blocks = [one.rows[at : at + size] for at in range(0, len(one.rows), size)] * _REPEATS

        def predictions(rows: NDArray, block: Any = predictor.run_block) -> NDArray:
            return np.array(block(rows).predictions)

        with predictor.call_context(), ThreadPoolExecutor(4) as pool:
            alone = [predictions(rows) for rows in blocks]
            together = list(pool.map(predictions, blocks))
        for rows, expected, found in zip(blocks, alone, together, strict=True):
            require_same_outputs(
                expected, found, "on one thread", "while three other threads run", cure, rows
            )


@model_law("purity")
def check_purity(model: Model, search: Search) -> None:
    """Rows are not written to, and a row has the same bits whatever was computed before."""
    cure = "Keep nothing between calls, and switch off what is random, such as dropout."
    for one in _loaded_models(model, search):
        rows, before = one.rows.astype(one.predictor.dtype), one.rows.astype(one.predictor.dtype)
        few, others = slice(0, 9), slice(9, 40)
        try:
            first = one.outputs(rows[few])
            _require_unwritten("the rows of a block", before, rows)
            if one.task is not None:
                fresh = learning_task(model, one.task.loss.name, search).data
                _require_unwritten("the inputs of a training", fresh.inputs, one.task.data.inputs)
                _require_unwritten(
                    "the targets of a training", fresh.targets, one.task.data.targets
                )
            one.outputs(rows[others])
            there = "again, after other rows"
            require_same_outputs(first, one.outputs(rows[few]), "at first", there, cure, rows)
        except Counterexample as found:
            # Each of the other laws compares two results.
            raise found.as_blocking() from found.__cause__


def _require_unwritten(name: str, before: Any, after: Any) -> None:
    if not np.array_equal(before, after, equal_nan=True):
        raise refutation(f"{name} were written to. Change a copy of them.", x=before[:1])


@model_law("copy")
def check_copy(model: Model, search: Search) -> None:
    """A pickled model has the same bits."""
    for one in _loaded_models(model, search):
        try:
            copy = pickle.loads(_pickle_predictor(one.predictor))  # noqa: S301  # of this process
        except Exception as error:
            raise refutation(
                f"it cannot be sent to a worker: {type(error).__name__}: {error}. Leave the way "
                "there to Predictor, which loads the file again, and keep no session in the model."
            ) from error
        cure = "Load everything from the content and the card."
        found = LoadedModel(copy, one.rows).outputs()
        require_same_outputs(one.outputs(), found, "here", "on a worker", cure, one.rows)


def _pickle_predictor(predictor: Predictor) -> bytes:
    try:
        # As Dask does, which pickles classes of a script or a notebook by their content.
        dumps = importlib.import_module("cloudpickle").dumps
    except ImportError:
        dumps = pickle.dumps
    dumped: bytes = dumps(predictor)
    return dumped


# What stands for inputs that are not numbers of their own, by what a model takes.
_TAKEN = {
    "missing": "The replacement of a missing input has to come from the file, not from the block.",
    "categories": ("Take the codes of categories from the labels on the card, not from the block."),
}


@model_law("accepted_inputs")
def check_special_inputs(model: Model, search: Search) -> None:
    """Missing inputs and categories, if it takes them, have finite outputs, next to any rows."""
    run_parts(
        model, search, *(partial(_check_one_special_input, special_inputs=name) for name in _TAKEN)
    )


def _check_one_special_input(model: Model, search: Search, special_inputs: Any) -> None:
    """Check that rows with such inputs can be trained on, have outputs, and do not mix."""
    if special_inputs not in model.accepted_inputs:
        raise NotApplicable("it supports neither missing inputs nor categories")
    for task in learning_tasks(model, search):
        # Of its own: the trainings that other laws share have the same losses.
        own = Search(search.seed)
        try:
            one = train_and_load(
                model, learning_task(model, task.loss.name, own, special_inputs), own
            )
        except LossfwError as error:
            if not is_data_error(model, error):
                raise
            raise NotApplicable(f"it refuses {special_inputs}: {error}") from None
        search.count(len(one.rows))
        _require_finite(one)
        _check_reversed_rows(one, _TAKEN[special_inputs])
        _check_other_blocks(one, _TAKEN[special_inputs])

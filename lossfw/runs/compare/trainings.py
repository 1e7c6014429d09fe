"""Compare trainings: their learning curves, their last numbers, and their differing settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from lossfw.components import notebook
from lossfw.errors import ArgumentError, DataError
from lossfw.evaluation.intervals.options import Intervals
from lossfw.nn.training.checkpoint import CHECKPOINT_FILE
from lossfw.runs.compare.finished_run import LOSS, inside_of, names_of
from lossfw.runs.compare.ordering import in_order
from lossfw.runs.compare.seeds import Seeded, SeedGroup, seed_groups
from lossfw.runs.compare.settings import as_text, differing, flat, read_settings
from lossfw.runs.epochs import HELD_OUT, numbers_of
from lossfw.runs.files import numbers_in, read_json
from lossfw.runs.folder import CONFIG_FILE
from lossfw.runs.trainings import TRAINING_FILE

# Version of the JSON object that `TrainingComparison.to_dict` gives.
TRAINING_COMPARISON_VERSION = 1


@dataclass(frozen=True, eq=False)
class FinishedTraining:
    """A finished training.

    Attributes
    ----------
    name : str
        The shortest end of the folder's path that no other training has.
    trained : mapping
        The object of ``training.json``, with infinities and NaN as numbers.
    settings : mapping of str to Any
        The values of ``config.yaml`` by their dotted keys.
    path : Path or None
        The folder, if it has one.
    """

    name: str
    trained: Mapping[str, Any]
    settings: Mapping[str, Any]
    path: Path | None = None

    @property
    def kept(self) -> int:
        """The epoch of the weights."""
        return int(self.trained["kept"])

    @property
    def loss_name(self) -> str:
        """The canonical name of the loss."""
        return str(self.trained["loss"]["name"])

    @cached_property
    def epochs(self) -> list[dict[str, Any]]:
        """The single numbers after each epoch, from epoch 0 on."""
        return [numbers_of(epoch) for epoch in self.trained["epochs"]]

    @property
    def numbers(self) -> dict[str, Any]:
        """The single numbers of the epoch of the weights."""
        return self.epochs[self.kept]

    def curve(self, name: str) -> list[float]:
        """Return a number after each epoch; empty if the training does not have it."""
        return [epoch[name] for epoch in self.epochs if epoch.get(name) is not None]


@dataclass(frozen=True, eq=False)
class TrainingComparison:
    """Trainings beside each other.

    Attributes
    ----------
    trainings : tuple of FinishedTraining
        In the order of the table.
    given : tuple of FinishedTraining
        In the order of the arguments, which the lists of `settings` have.
    settings : mapping of str to list
        The keys of the configuration in which trainings differ, with the values.
    level : float
        That of the intervals of differences over seeds.
    """

    trainings: tuple[FinishedTraining, ...]
    given: tuple[FinishedTraining, ...]
    settings: Mapping[str, list[Any]]
    level: float = 0.95

    @classmethod
    def of(
        cls, trainings: Sequence[FinishedTraining], level: float | None = None
    ) -> TrainingComparison:
        """Compare trainings.

        Raises
        ------
        ArgumentError
            If there are fewer than two.
        """
        if len(trainings) < 2:
            raise ArgumentError(f"a comparison needs at least two trainings, got {len(trainings)}.")
        settings = differing([training.settings for training in trainings])
        asked = cls.level if level is None else Intervals(level).level
        return cls(tuple(trainings), tuple(trainings), settings, asked)

    @cached_property
    def seeds(self) -> tuple[SeedGroup, ...]:
        """Trainings that differ in their seed alone, with means and spreads; empty without any."""
        return seed_groups([self._seeded(one) for one in self.given], self.level)

    def _seeded(self, one: FinishedTraining) -> Seeded:
        settings = {key: one.settings.get(key) for key in self.settings}
        # Losses of different names are different things.
        apart = {LOSS, f"{HELD_OUT}{LOSS}"} if self.notes else set()
        numbers = {name: float(x) for name, x in one.numbers.items() if name not in apart}
        return Seeded(one.name, settings, numbers)

    @property
    def measures(self) -> tuple[str, ...]:
        """The numbers that any of the trainings has, in the order of the first that has it."""
        names = dict.fromkeys(name for one in self.trainings for name in one.numbers)
        # Numbers of held-out rows stand behind the others, in every training.
        return tuple(sorted(names, key=lambda name: name.startswith(HELD_OUT)))

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks about the numbers."""
        losses = sorted({training.loss_name for training in self.trainings})
        if len(losses) < 2:
            return ()
        told = f"the losses {', '.join(losses)} are different things: name one loss among "
        return (f"{told}evaluate.metrics of all trainings to compare it.",)

    def title(self, name: str) -> str:
        """Return the title of a number; that of the loss has its name if all have the same."""
        names = {training.loss_name for training in self.trainings}
        return f"{name} ({names.pop()})" if name == LOSS and len(names) == 1 else name

    def best(self, count: int) -> tuple[FinishedTraining, ...]:
        """Return the trainings with the least loss, of held-out rows if all have some.

        Where the losses are different things, the first ones.
        """
        held = all(f"{HELD_OUT}{LOSS}" in one.numbers for one in self.trainings)
        name = f"{HELD_OUT}{LOSS}" if held else LOSS
        ranked = self.trainings if self.notes else self.sorted(name).trainings
        return ranked[:count]

    def sorted(self, key: str, *, reverse: bool = False) -> TrainingComparison:
        """Return the comparison in the order of a number or a setting.

        Parameters
        ----------
        key : str
            A number of the table, or a key in which the trainings differ, or ``name``.
        reverse : bool
            The largest first.

        Raises
        ------
        ArgumentError
            If there is no such key.
        """
        # A number comes before a setting of the same name.
        values: dict[str, Callable[[FinishedTraining], Any]] = {
            "name": lambda one: one.name,
            **{name: partial(_number, name) for name in self.measures},
        }
        for name in self.settings:
            values.setdefault(name, partial(_setting, name))
        trainings = in_order(self.trainings, key, values, called="trainings", reverse=reverse)
        return replace(self, trainings=trainings)

    def _repr_html_(self) -> str:
        """Return the comparison for a notebook: curves of the loss, last numbers, settings."""
        longest = max((one.epochs for one in self.trainings), key=len)
        epochs = list(range(len(longest)))
        curves = {}
        for one in self.trainings:
            curve = one.curve(LOSS)
            curves[one.name] = [*curve, *[float("nan")] * (len(epochs) - len(curve))]
        rows = [
            (one.name, str(one.kept), *(notebook.number(one.numbers.get(m)) for m in self.measures))
            for one in self.trainings
        ]
        parts = [
            notebook.heading(self.title(LOSS)),
            notebook.lines(epochs, curves, "epoch"),
            notebook.table(rows, ("training", "epoch", *map(self.title, self.measures))),
        ]
        if self.settings:
            names = ("setting", *(one.name for one in self.given))
            table = [(key, *map(as_text, of)) for key, of in self.settings.items()]
            parts.append(notebook.table(table, names))
        return "".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as plain numbers, texts and lists, for JSON."""
        return {
            "lossfw": TRAINING_COMPARISON_VERSION,
            "differing": list(self.settings),
            "trainings": [
                {
                    "name": one.name,
                    "folder": None if one.path is None else str(one.path),
                    "loss": one.loss_name,
                    "kept": one.kept,
                    "settings": {key: one.settings.get(key) for key in self.settings},
                    "numbers": one.numbers,
                    "curves": {name: one.curve(name) for name in one.numbers},
                }
                for one in self.trainings
            ],
            "seeds": [group.to_dict() for group in self.seeds],
            "notes": list(self.notes),
        }


def is_training(path: Path) -> bool:
    """Tell whether a folder is that of a training, finished or not."""
    return (path / TRAINING_FILE).is_file() or (path / CHECKPOINT_FILE).is_file()


def find_trainings(
    paths: Sequence[Path],
) -> tuple[list[FinishedTraining], list[Path], list[str]]:
    """Return the finished trainings in folders, the folders without any, and messages.

    Parameters
    ----------
    paths : sequence of Path
        Folders of trainings or of runs, or folders that hold such folders.

    Raises
    ------
    DataError
        If a file of a training is damaged.
    """
    found: list[Path] = []
    rest, told = [], []
    for path in paths:
        inside = inside_of(path, is_training)
        found += inside
        if not inside:
            rest.append(path)
    done = [path for path in dict.fromkeys(found) if (path / TRAINING_FILE).is_file()]
    told = [
        f"{path.name} is left out: its training has not ended; --resume continues it"
        for path in dict.fromkeys(found)
        if path not in done
    ]
    return [read_training(path, name) for path, name in names_of(done)], rest, told


def read_training(path: Path, name: str) -> FinishedTraining:
    """Return the finished training in a folder.

    Raises
    ------
    DataError
        If one of its files is missing or damaged.
    """
    plain = read_json(path / TRAINING_FILE)
    if plain is None:
        raise DataError(f"{path} holds no training: there is no {TRAINING_FILE}.")
    config = path / CONFIG_FILE
    settings = flat(read_settings(config)) if config.is_file() else {}
    training = FinishedTraining(name, numbers_in(plain), settings, path)
    try:
        # Looked at once, so that no later reader meets a damaged file.
        _ = training.numbers, training.loss_name
    except (KeyError, TypeError, IndexError, ValueError) as error:
        raise DataError(f"{path / TRAINING_FILE} is damaged ({error!r}): train again.") from None
    return training


def _number(name: str, one: FinishedTraining) -> Any:
    return one.numbers.get(name)


def _setting(name: str, one: FinishedTraining) -> Any:
    return one.settings.get(name)

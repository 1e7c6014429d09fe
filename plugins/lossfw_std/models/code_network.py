"""CodeNetwork: the base class of the models of PyTorch and Keras, built by a Python file."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, PositiveFloat

from lossfw import DataError, Loss
from lossfw.learning import zero_gradient_reason
from lossfw.models import (
    CodeName,
    Model,
    ModelParameterError,
    TrainingLeg,
    build_from_code,
    code_digest,
    code_file,
    did_you_mean,
)


class CodeNetwork(Model):
    """Base class of networks that a Python file builds, and that learn in epochs.

    Attributes
    ----------
    optimizers : str
        The library's module with its optimizers.
    example : str
        An example of `module`.
    """

    training_mode = "epochs"
    reads_in_batches = True
    optimizers: ClassVar[str]
    example: ClassVar[str] = "net.py:Net"

    module: CodeName | None = None
    arguments: Mapping[str, Any] = Field(default_factory=dict)
    optimizer: str | Mapping[str, Any] = "AdamW"
    learning_rate: PositiveFloat = 1e-3

    @abstractmethod
    def optimizer_names(self, library: Any) -> Iterable[str]:
        """Return the names of the usable optimizers in the library's module."""

    def code_files(self) -> dict[str, Path]:
        """Return the Python file, and a whole network that is executed as code."""
        own = {} if self.module is None else {"module": code_file(self.module)}
        return own | super().code_files()

    def missing_reason(self) -> str | None:
        return None if self.module else f"module is missing: write module: {self.example}"

    def refusal(self, loss: Loss) -> str | None:
        """Return why a loss cannot be trained on: its gradient is 0 almost everywhere."""
        return zero_gradient_reason(loss)

    def identity(self) -> dict[str, Any]:
        """Return what determines a training, including the name in the Python file."""
        own = {} if self.module is None else {"module": code_digest(self.module)}
        return super().identity() | own

    @property
    def file_title(self) -> str:
        """The name of the file in messages."""
        return self.file.name if self.file is not None else "the file"

    @property
    def title(self) -> str:
        """The name of the network in messages: ``net.py:Net``."""
        if self.module is None:
            return self.file_title
        return f"{code_file(self.module).name}:{self.module.rpartition(':')[2]}"

    def build_network(
        self, base: type[Any], expected: str, missing: str, row_shape: tuple[int, ...] | None
    ) -> Any:
        """Return the network that the Python file builds, of a class of the library.

        `missing` says what to write if the file is not given, and `row_shape` is the shape
        of the inputs of a row, if known.
        """
        if self.module is None:
            raise DataError(missing)
        net = build_from_code(self.module, self.arguments, row_shape)
        if isinstance(net, base):
            return net
        raise ModelParameterError(
            "module", f"{self.title} made {type(net).__name__}; expected a {expected}."
        )

    def starting_content(self, leg: TrainingLeg) -> bytes | None:
        """Return what a leg starts from: the result of the previous leg, or the file."""
        if leg.saved is not None or self.file is None:
            return leg.saved
        return self.file.read_bytes()

    def build_optimizer(self, *given: Any, **options: Any) -> Any:
        """Return the optimizer with its first arguments, options, and the user's arguments."""
        library = self.imported(self.optimizers)
        written = {"name": self.optimizer} if isinstance(self.optimizer, str) else self.optimizer
        arguments = {key: value for key, value in written.items() if key != "name"}
        if "name" not in written:
            raise ModelParameterError(
                "optimizer", "the optimizer has no name: write optimizer: {name: AdamW, ...}"
            )
        name, known = str(written["name"]), list(self.optimizer_names(library))
        if name not in known:
            raise ModelParameterError(
                "optimizer",
                f"{self.optimizers} has no optimizer {name!r} that needs only gradients; it has "
                f"{', '.join(known)}. {did_you_mean(name, known)}".strip(),
            )
        made = getattr(library, name)
        try:
            return made(*given, **options, **arguments)
        except (TypeError, ValueError) as error:
            own = list(inspect.signature(made).parameters)[len(given) :]
            unknown = [key for key in arguments if key not in own]
            guess = did_you_mean(unknown[0], own) if unknown else ""
            raise ModelParameterError(
                "optimizer",
                f"the optimizer {name} cannot be made with {arguments}: {error}. {guess}".strip(),
            ) from None


@contextmanager
def torch_threads(torch: Any, number: int) -> Iterator[None]:
    """Let PyTorch use so many threads for an operation inside the ``with`` block."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)

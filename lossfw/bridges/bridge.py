"""Bridge: the component by which lossfw knows a library that trains with its losses."""

from __future__ import annotations

import importlib
import importlib.util
from abc import ABC
from importlib import metadata
from typing import Any, ClassVar

from lossfw.components.component import Component
from lossfw.errors import ArgumentError, MissingExtraError
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray


def written(loss: Loss) -> str:
    """Return the specification of a loss as Python writes it: a name, or a mapping."""
    config = loss.to_config()
    return repr(config["name"] if len(config) == 1 else config)


class Bridge(Component, ABC):
    """A library that trains with losses of lossfw.

    A bridge tells which losses its library can train with. The harness finds the
    installed bridges by the registry, and proves each for each loss.

    Attributes
    ----------
    library : str
        The module to import, such as ``"sklearn"``.
    distribution : str
        What pip calls it, such as ``"scikit-learn"``; the library's name unless given.
    extra : str
        The extra of lossfw that installs it; empty for none.
    """

    kind: ClassVar[str] = "bridge"
    library: ClassVar[str]
    distribution: ClassVar[str] = ""
    extra: ClassVar[str] = ""

    def refuses(self, loss: Loss) -> str | None:
        """Return why the library cannot train with a loss; None if it can."""
        return None

    def made(self, loss: Loss) -> Any:
        """Return what the library uses for a loss.

        Raises
        ------
        LossfwError
            If the bridge refuses the loss.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say what it makes of a loss")

    def usage(self, loss: Loss) -> str:
        """Return the lines of Python by which the library trains with a loss, x and y given.

        Raises
        ------
        ArgumentError
            Unless a bridge writes this.
        """
        raise ArgumentError(f"the bridge {self.name} does not show how it is used")

    def value_and_slope(self, loss: Loss, y: NDArray, t: NDArray) -> tuple[Any, Any] | None:
        """Return unreduced losses and slopes as the library computes them, in NumPy's arrays.

        None for a library that does not differentiate.
        """
        return None

    @classmethod
    def version(cls) -> str | None:
        """Return the version of the installed library; None if it is not installed."""
        if importlib.util.find_spec(cls.library) is None:
            return None
        try:
            return metadata.version(cls.distribution or cls.library)
        except metadata.PackageNotFoundError:
            return "?"

    @classmethod
    def install_command(cls) -> str:
        """Return the command that installs the library."""
        needed = f"'lossfw[{cls.extra}]'" if cls.extra else cls.distribution or cls.library
        return f"pip install {needed}"

    @classmethod
    def imported(cls, module: str = "") -> Any:
        """Return the library, or a module of it, imported on use.

        Raises
        ------
        MissingExtraError
            If it is not installed.
        """
        try:
            return importlib.import_module(module or cls.library)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != cls.library:
                raise
            raise MissingExtraError(
                f"the bridge {cls.name} needs {cls.distribution or cls.library}, which is not "
                f"installed: {cls.install_command()}"
            ) from None

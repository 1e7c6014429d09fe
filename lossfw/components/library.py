"""LibraryComponent: a component that needs another library, imported on use."""

from __future__ import annotations

import importlib
import importlib.util
from importlib import metadata
from typing import Any, ClassVar, Self

from lossfw.components.component import Component
from lossfw.errors import MissingExtraError
from lossfw.extras import install_command


class LibraryComponent(Component):
    """Base class of components that need another library, such as bridges and models.

    Attributes
    ----------
    library : str
        The module to import, such as ``"sklearn"``; empty if no library is needed.
    distribution : str
        Its name for pip, such as ``"scikit-learn"``; by default the library's name.
    extra : str
        The extra of lossfw that installs it; empty for none.
    """

    library: ClassVar[str] = ""
    distribution: ClassVar[str] = ""
    extra: ClassVar[str] = ""

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
    def missing_library(cls) -> str | None:
        """Return the pip name of a required library that is not installed; otherwise None."""
        if not cls.library or cls.version() is not None:
            return None
        return cls.distribution or cls.library

    @classmethod
    def install_command(cls) -> str:
        """Return the command that installs the library."""
        if cls.extra:
            return install_command(cls.extra)
        return f"pip install {cls.distribution or cls.library}"

    @classmethod
    def _sample_components(cls) -> list[Self]:
        """Return a component for each of `examples`, none without the library they may need."""
        return [] if cls.missing_library() else super()._sample_components()

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
                f"the {cls.kind} {cls.name} needs {cls.distribution or cls.library}, which is not "
                f"installed: {cls.install_command()}"
            ) from None

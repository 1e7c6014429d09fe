"""What a file of Python defines for a model, such as the class of a network: ``net.py:Net``."""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator

from lossfw.components.naming import did_you_mean
from lossfw.components.registry.blame import describe_error
from lossfw.components.registry.local import import_file
from lossfw.components.registry.records import LOCAL_MODULE
from lossfw.data.source import LocationParameter
from lossfw.errors import BrokenPluginError
from lossfw.models.model import ModelParameterError


def _require_name(spec: str) -> str:
    file, colon, name = spec.rpartition(":")
    if not (colon and file.endswith(".py") and name.isidentifier()):
        raise ValueError("a Python file and a name in it, such as net.py:Net")
    return spec


# The parameter of a class or a function that gets the number of inputs.
INPUTS = "inputs"

# A parameter that names a class or a function of a file. Reading it executes the file, so a model
# lists the file among its `code_files`.
CodeName: TypeAlias = Annotated[str, LocationParameter(), AfterValidator(_require_name)]


def code_file(spec: str) -> Path:
    """Return the file of ``net.py:Net``.

    Examples
    --------
    >>> code_file("nets/net.py:Net").name
    'net.py'
    """
    return Path(spec.rpartition(":")[0])


def code_digest(spec: str) -> str:
    """Return the SHA-256 of ``net.py:Net``: of the name and the content of the file."""
    name, file = spec.rpartition(":")[2].encode(), code_file(spec)
    if (module := _load_sent_module(file)) is not None:
        return hashlib.sha256(name + b"\0" + module.__name__.encode()).hexdigest()
    try:
        return hashlib.sha256(name + b"\0" + file.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelParameterError("module", f"{file} cannot be read: {error.strerror}.") from None


def build_from_code(
    spec: str, arguments: Mapping[str, Any], row_shape: tuple[int, ...] | None = None
) -> Any:
    """Return the object that a class or a function in a file builds from some arguments.

    If the parameter `inputs` has neither a default nor an argument, it gets the number of inputs
    per row, or their shape if they have more than one axis.

    Raises
    ------
    ModelParameterError
        If the file cannot be executed, does not define the name, or refuses the arguments; or if it
        needs the number of inputs, which is not known.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "net.py"
    >>> _ = file.write_text("def double(x): return 2 * x")
    >>> build_from_code(f"{file}:double", {"x": 4})
    8
    """
    file, name = code_file(spec), spec.rpartition(":")[2]
    try:
        module = _load_sent_module(file) or import_file(file)
    except BrokenPluginError as error:
        raise ModelParameterError("module", str(error)) from None
    except Exception as error:
        what = f"{file.name} cannot be imported: {describe_error(error, path=file)}."
        raise ModelParameterError("module", what) from None
    make = getattr(module, name, None)
    if not callable(make):
        known = [key for key, value in vars(module).items() if callable(value) and key[0] != "_"]
        guess = did_you_mean(name, known)
        what = f"{file.name} defines no class or function {name!r}. {guess}".strip()
        raise ModelParameterError("module", what)
    if _needs_input_count(make) and INPUTS not in arguments:
        if row_shape is None:
            raise ModelParameterError(
                "arguments",
                f"{file.name}:{name} takes {INPUTS}, the number of inputs of a row, but nothing "
                f"says how many there are: write it, such as arguments: {{{INPUTS}: 23}}.",
            )
        count = row_shape[0] if len(row_shape) == 1 else row_shape
        arguments = {**arguments, INPUTS: count}
    _check_arguments(make, f"{file.name}:{name}", arguments)
    try:
        return make(**arguments)
    except Exception as error:
        raise ModelParameterError(
            "arguments",
            f"{file.name}:{name} cannot be made with arguments {dict(arguments)}: "
            f"{describe_error(error, path=file)}.",
        ) from None


def _load_sent_module(file: Path) -> ModuleType | None:
    """Return the module of a file that is not here, on a worker that was sent its source."""
    if file.exists():
        return None
    path = str(file.absolute())
    for name, module in list(sys.modules.items()):
        if name.startswith(LOCAL_MODULE) and module.__file__ == path:
            return module
    return None


def _needs_input_count(make: Any) -> bool:
    """Tell whether a class or a function has to be told the number of inputs."""
    try:
        parameter = inspect.signature(make).parameters.get(INPUTS)
    except (ValueError, TypeError):
        return False
    return parameter is not None and parameter.default is parameter.empty


def _check_arguments(make: Any, title: str, arguments: Mapping[str, Any]) -> None:
    """Refuse arguments that a signature does not have, and a signature that needs others."""
    try:
        signature = inspect.signature(make)
    except (ValueError, TypeError):
        return
    try:
        signature.bind(**arguments)
    except TypeError as error:
        unknown = [name for name in arguments if name not in signature.parameters]
        guess = did_you_mean(unknown[0], signature.parameters) if unknown else ""
        shown = ", ".join(map(str, signature.parameters.values())) or "no arguments"
        what = f"{title} takes {shown}, and {error}. {guess}".strip()
        raise ModelParameterError("arguments", what) from None

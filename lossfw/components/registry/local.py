"""Local plugin files: ``.py`` files that are plugins without being installed."""

from __future__ import annotations

import ast
import hashlib
import inspect
import sys
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from lossfw.components.component import Component
from lossfw.components.hookspecs import HOOKS
from lossfw.components.naming import did_you_mean
from lossfw.components.registry.check_class import class_fault
from lossfw.components.registry.faulty_classes import (
    CALLED,
    FaultyClass,
    compile_classes,
    component_name,
    faulty_class,
)
from lossfw.components.registry.records import LOCAL_MODULE
from lossfw.errors import BrokenPluginError


def import_file(path: Path) -> ModuleType:
    """Import a local plugin file under its own module name.

    The name depends on path and content: a file is imported once, again after an edit, and
    never hides an installed module.
    """
    # 16 hexadecimal digits: two files of one process will not share them.
    digest = hashlib.sha256(bytes(path.resolve()) + b"\0" + _read_source(path)).hexdigest()[:16]
    name = f"{LOCAL_MODULE}{digest}_{path.stem}"
    if name in sys.modules:
        return sys.modules[name]
    loader = _Loader(name, str(path.absolute()))
    spec = spec_from_loader(name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    # pydantic and pickle look the module up by its name.
    sys.modules[name] = module
    setattr(module, CALLED, faulty_class)
    try:
        loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def components_in(
    module: ModuleType, path: Path, *, needed: bool = True
) -> dict[str, dict[str, type[Component]]]:
    """Return the public components that a file defines: kind -> {name: class}.

    A file that follows runs by a hook may have none. Faulty classes are included, with their fault
    in their entry, if another class is usable; otherwise the first fault is raised.
    """
    # Those that stand for a faulty class are of its kind.
    classes: list[Any] = [
        value
        for key, value in vars(module).items()
        if inspect.isclass(value)
        and (issubclass(value, FaultyClass) or _is_defined_in(module, value))
        and not key.startswith("_")
    ]
    tables: dict[str, dict[str, type[Component]]] = {kind: {} for kind in HOOKS}
    faults: list[Exception] = []
    has_whole = False
    for cls in classes:
        # An abstract class with subclasses in the file is a base and not a component.
        if inspect.isabstract(cls) and any(cls in other.__mro__[1:] for other in classes):
            continue
        if fault := _class_error(cls, path):
            faults.append(fault)
            if getattr(cls, "kind", None) not in HOOKS:
                raise fault
        else:
            has_whole = True
        other: Any = tables[cls.kind].setdefault(component_name(cls), cls)
        if other is not cls:
            raise BrokenPluginError(
                f"{path}:{_line_of(cls, path)}: {cls.__name__} and {other.__name__} are both "
                f"called {component_name(cls)!r}: rename one, or give it another `name`"
            )
    if faults and not has_whole:
        raise faults[0]
    if needed and not any(tables.values()):
        raise BrokenPluginError(
            f"{path} offers nothing: define a public class at top level that derives from a "
            "kind, such as DistanceLoss, or a hook marked with @hookimpl, such as lossfw_losses"
        )
    return tables


def _is_defined_in(module: ModuleType, cls: type) -> bool:
    return issubclass(cls, Component) and cls.__module__ == module.__name__


def _class_error(cls: type, path: Path) -> Exception | None:
    """Return the error that says why a class of a file cannot be used."""
    if issubclass(cls, FaultyClass):
        return cls.error
    fault = class_fault(cls)
    if not fault:
        return None
    base = "; a base begins with an underscore" if inspect.isabstract(cls) else ""
    return BrokenPluginError(f"{path}:{_line_of(cls, path)}: {cls.__name__} {fault}{base}")


def imported_files() -> Iterator[tuple[str, str, bytes]]:
    """Yield module name, path and source of each plugin file that was imported.

    Another process can create the same modules by `import_source`, without the files.
    """
    for name, module in list(sys.modules.items()):
        loader = getattr(getattr(module, "__spec__", None), "loader", None)
        if isinstance(loader, _Loader):
            yield name, loader.path, loader.source


def import_source(name: str, path: str, source: bytes) -> None:
    """Import a plugin file of another process from its source, under the same name."""
    if name in sys.modules:
        return
    module = ModuleType(name)
    module.__file__ = path
    sys.modules[name] = module
    setattr(module, CALLED, faulty_class)
    try:
        exec(compile_classes(source, path), module.__dict__)  # noqa: S102  # a plugin is code
    except BaseException:
        del sys.modules[name]
        raise


class _Loader(SourceFileLoader):
    """A loader that compiles the file anew, and writes no cache beside it."""

    # What was compiled: the file may have changed since, or be gone.
    source = b""

    def get_code(self, fullname: str) -> CodeType:
        self.source = self.get_data(self.path)
        return compile_classes(self.source, self.path)


def _read_source(path: Path) -> bytes:
    if path.suffix != ".py":
        raise BrokenPluginError(
            f"{path} is not a .py file. A local plugin is a .py file; installed plugins are found "
            "without being named"
        )
    try:
        return path.read_bytes()
    except FileNotFoundError:
        siblings = [other.name for other in path.absolute().parent.glob("*.py")]
        guess = did_you_mean(path.name, siblings)
        raise BrokenPluginError(f"there is no file {path.absolute()}. {guess}".rstrip()) from None
    except OSError as error:
        raise BrokenPluginError(f"{path} cannot be read: {error.strerror}") from error


def _line_of(cls: type, path: Path) -> int:
    """Return the line on which a class of a file begins."""
    tree = ast.parse(path.read_bytes())
    lines = [n.lineno for n in tree.body if isinstance(n, ast.ClassDef) and n.name == cls.__name__]
    return lines[-1] if lines else 1

"""Python pages: one per public name of the modules that a docs page lists.

::

    <!-- python: lossfw.data -->

It is a comment, so that a page in a checkout does not show it; on a site it becomes a table of the
public names of the module. Autodoc and numpydoc make the page of a name from its docstring.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from lossfw.components.spaces import Space
from lossfw.report.site.markup import escape_prose, fence_block, page_table

_MARK = re.compile(r"^<!-- python: (?P<module>[\w.]+) -->$", re.M)

# The folder of the pages of names, next to the page that lists their modules.
_FOLDER = "python"

# Libraries that a module of lossfw imports when it is imported; a page needs none of them.
_LIBRARIES = ["keras"]

# Classes of other libraries, whose members are not described again.
_FOREIGN = "BaseModel, Exception, tuple, Mapping"

_SENTENCE = re.compile(r"(.+?[.:])(?:\s|$)", re.S)


def public_names(module: ModuleType) -> list[str]:
    """Return the public names of a module: its ``__all__``, or all names imported as themselves."""
    names = getattr(module, "__all__", None) or [
        name
        for name, member in vars(module).items()
        if not name.startswith("_") and not inspect.ismodule(member)
    ]
    return sorted(names, key=lambda name: (name.strip("_").casefold(), name))


@contextmanager
def without_libraries() -> Iterator[None]:
    """Allow imports of lossfw modules whose libraries are not installed.

    Modules imported so are forgotten at the end, because they do not work.
    """
    from sphinx.ext.autodoc.mock import mock

    before = set(sys.modules)
    with mock(_LIBRARIES):
        yield
    for name in set(sys.modules) - before:
        parent, _, last = name.rpartition(".")
        if parent == "lossfw.bridges" and last.startswith(tuple(_LIBRARIES)):
            del sys.modules[name]
            vars(sys.modules[parent]).pop(last, None)


def write_python_pages(root: Path) -> None:
    """Write the table of each module that a page lists, and the pages of its names."""
    for page in sorted(root.rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        if not _MARK.search(text):
            continue
        folder = page.parent / _FOLDER
        folder.mkdir(exist_ok=True)
        pages: dict[Any, str] = {}

        def list_module(mark: re.Match[str], folder: Path = folder, pages: Any = pages) -> str:
            return _module_table(mark["module"], folder, pages)

        text = _MARK.sub(list_module, text)
        tree = fence_block("{toctree}", ":hidden:", "", *(f"{_FOLDER}/{n}" for n in pages.values()))
        page.write_text(f"{text}\n{tree}\n", encoding="utf-8")


def _module_table(path: str, folder: Path, pages: dict[Any, str]) -> str:
    """Return the table of a module; a name that another one has shown has its page already.

    A constant has no docstring: the page describes it by hand, unless it is a space.
    """
    module = importlib.import_module(path)
    rows = []
    for name in public_names(module):
        member, full = getattr(module, name), f"{path}.{name}"
        if isinstance(member, Space):
            rows.append([f"`{name}`", escape_prose(f"The space of {member.meaning}.")])
        elif has_docstring(member):
            if member not in pages:
                pages[member] = full
                (folder / f"{full}.md").write_text(_member_page(full, member), encoding="utf-8")
            rows.append(
                [
                    f"[{escape_prose(name)}]({_FOLDER}/{pages[member]}.md)",
                    escape_prose(_first_sentence(member)),
                ]
            )
    return page_table(["name", "what it is"], rows)


def has_docstring(member: Any) -> bool:
    """Tell whether a name is a class or a function, not a constant or a type alias."""
    return inspect.isroutine(member) or (
        inspect.isclass(member) and member.__module__ not in ("builtins", "typing")
    )


def _first_sentence(member: Any) -> str:
    """Return the first sentence of a docstring."""
    found = _SENTENCE.match(inspect.getdoc(member) or "")
    return " ".join(found[1].split()).rstrip(":.") + "." if found else ""


def _member_page(full_name: str, member: Any) -> str:
    if inspect.isclass(member):
        lines = [
            f".. autoclass:: {full_name}",
            "   :members:",
            f"   :inherited-members: {_FOREIGN}",
        ]
        lines += ["   :show-inheritance:"]
    else:
        lines = [f".. autofunction:: {full_name}"]
    return f"# {escape_prose(full_name)}\n\n{fence_block('{eval-rst}', *lines)}\n"

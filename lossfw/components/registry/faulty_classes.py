"""Classes of a plugin file that Python cannot make: each costs its own name, and not its file.

A statement ``class NAME(BASES)`` at top level whose execution raises leaves a `FaultyClass` of that
name if a base is a component. Errors of other statements are those of the file.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from types import CodeType
from typing import Any, ClassVar

from lossfw.components.component import Component
from lossfw.components.naming import snake_case

# The name by which a file calls `faulty_class`.
CALLED = "__lossfw_faulty_class__"

_TEMPLATE = f"""
try:
    pass
except Exception as error:
    NAME = {CALLED}("NAME", error, lambda: (BASES,))
"""


class FaultyClass:
    """What stands for a component whose class could not be made; a subclass for each."""

    kind: ClassVar[str]
    error: ClassVar[Exception]


def faulty_class(name: str, error: Exception, bases: Callable[[], tuple[Any, ...]]) -> type:
    """Return what stands for a class; raise the error if it is not a component."""
    try:
        kinds = [
            base.kind
            for base in bases()
            if isinstance(base, type) and issubclass(base, Component | FaultyClass)
        ]
    except (NameError, AttributeError):
        kinds = []
    if not kinds:
        raise error
    return type(name, (FaultyClass,), {"kind": kinds[0], "error": error})


def compiled(source: bytes, path: str) -> CodeType:
    """Return the code of a file in which each class at top level is made by itself."""
    tree = ast.parse(source, path)
    tree.body = [_guarded(one) if isinstance(one, ast.ClassDef) else one for one in tree.body]
    code: CodeType = compile(tree, path, "exec", dont_inherit=True)
    return code


def named(cls: type) -> str:
    """Return the name by which a class of a file is offered."""
    return str(cls.__dict__.get("name", snake_case(cls.__name__)))


def _guarded(statement: ast.ClassDef) -> ast.stmt:
    (guard,) = ast.parse(_TEMPLATE.replace("NAME", statement.name)).body
    assert isinstance(guard, ast.Try)
    for node in ast.walk(guard):
        if isinstance(node, ast.Tuple):
            node.elts = [base for base in statement.bases if not isinstance(base, ast.Starred)]
        ast.copy_location(node, statement)
    guard.body = [statement]
    return guard

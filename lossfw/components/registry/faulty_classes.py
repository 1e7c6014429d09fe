"""Classes of a plugin file that Python cannot create: only their names become unusable.

If a top-level statement ``class NAME(BASES)`` raises and a base is a component, a `FaultyClass`
takes the name. Errors in other statements are errors of the file.
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
    """Placeholder for a component whose class could not be created; a subclass for each."""

    kind: ClassVar[str]
    error: ClassVar[Exception]


def faulty_class(name: str, error: Exception, bases: Callable[[], tuple[Any, ...]]) -> type:
    """Return the placeholder of a class; raise the error if it is not a component."""
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


def compile_classes(source: bytes, path: str) -> CodeType:
    """Return the code of a file in which each top-level class is created separately."""
    tree = ast.parse(source, path)
    tree.body = [
        _guard_statement(one) if isinstance(one, ast.ClassDef) else one for one in tree.body
    ]
    code: CodeType = compile(tree, path, "exec", dont_inherit=True)
    return code


def component_name(cls: type) -> str:
    """Return the component name of a class in a file."""
    return str(cls.__dict__.get("name", snake_case(cls.__name__)))


def _guard_statement(statement: ast.ClassDef) -> ast.stmt:
    (guard,) = ast.parse(_TEMPLATE.replace("NAME", statement.name)).body
    assert isinstance(guard, ast.Try)
    for node in ast.walk(guard):
        if isinstance(node, ast.Tuple):
            node.elts = [base for base in statement.bases if not isinstance(base, ast.Starred)]
        ast.copy_location(node, statement)
    guard.body = [statement]
    return guard

"""Read the imports of the core, as its layers are tested and its rooms are drawn."""

import ast
import functools


def modules(core):
    """Return the dotted name below the core -> the file, for each module of it."""
    return {
        ".".join(path.relative_to(core).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted(core.rglob("*.py"))
    }


@functools.cache
def imported(path):
    """Return (module, name) for each import; name is None for a plain import.

    Those in functions and those for type checkers count as all others.
    """
    return list(_imports(path))


def _imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: write the whole name of the module"
            yield from ((node.module, alias.name) for alias in node.names)


def import_graph(core):
    """Return each module of the core -> the modules of the core that it imports."""
    known = modules(core)
    return {module: _inner(core.name, known, path) for module, path in known.items()}


def _inner(core, known, path):
    inner = set()
    for module, name in imported(path):
        if module.partition(".")[0] != core:
            continue
        above = module.removeprefix(core).removeprefix(".")
        below = f"{above}.{name}".removeprefix(".")
        if below in known:
            inner.add(below)
        elif above:
            inner.add(above)
        else:
            # The face, `lossfw/__init__.py`, shows everything, and nothing imports it.
            inner.add("__init__")
    return inner


def room(module):
    """Return the room of a module: the first part of its name."""
    return module.partition(".")[0]

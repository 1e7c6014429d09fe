"""The house: an import points down the list of layers, and the core names no plugin."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# From the bottom to the top. A module may import from those before it and from
# its own layer; a layer is a module or a package, and the longest name counts.
LAYERS = (
    "errors",
    "names",
    "intervals",
    "slices",
    "groups",
    "student",
    "component",
    "nested",
    "hookspecs",
    "registry",
    "numbers.arrays",  # what an array is; the spaces ask it
    "spaces",
    "claims",
    "numbers",
    "numerics",
    "arguments",
    "exact_table",
    "cells",
    "reduce",
    "parallel",
    "tiles",
    "engine",
    "guards",
    "definition",
    "foreign",
    "exactness",
    "loss",
    "activation",
    "kinds",
    "parts",
    "wrappers",
    "predictor",
    "network",
    "optimizer",
    "config",
    "data",
    "metrics",
    "clock",
    "stream",
    "notices",
    "resample",
    "slicing",
    "kept",
    "tally",
    "standing",
    "evaluate",
    "learn",
    "config.asked",  # what an evaluation is asked for, with what it draws from the data
    "config.spaces",  # whether data, network and loss speak of the same things
    "config.assemble",  # puts the parts of a configuration together
    "config.build",  # makes the plan of an evaluation out of a configuration
    "config.sweep",  # makes the plans of several runs
    "config.resolved",  # and writes down what they were made from
    "config.train",  # makes that of a training
    "config.sensitivity",  # and that of a study
    "output",
    "runs",
    "compare",
    "check",
    "report",
    "config.json_components",  # describes to editors what is installed, docstrings included
    "config.json_schema",
    "bridges",
    "scale",
    "cli",
    "__main__",
    "__init__",  # the face, which shows everything and which nothing imports
)

# What a module below may take from the face: it has no other home.
FROM_THE_FACE = {"__version__"}


def modules(core):
    """Return the dotted name below the core -> the file, for each module of it."""
    return {
        ".".join(path.relative_to(core).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted(core.rglob("*.py"))
    }


def imported(path, *, everywhere):
    """Yield (module, name) for each import of a file; name is None for a plain import.

    Without `everywhere`, imports inside of functions are left out, since they
    are made on use, and those for type checkers, since they are never made.
    """
    nodes = [ast.parse(path.read_text())]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: write the whole name of the module"
            yield from ((node.module, alias.name) for alias in node.names)
        elif everywhere or not (is_function(node) or is_for_type_checkers(node)):
            nodes += ast.iter_child_nodes(node)


def is_function(node):
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def is_for_type_checkers(node):
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def inner_imports(core, path):
    """Return the modules of the core that a file imports when it is imported."""
    known = modules(core)
    found = set()
    for module, name in imported(path, everywhere=False):
        if module.partition(".")[0] != core.name:
            continue
        inner = module.removeprefix(core.name).removeprefix(".")
        below = f"{inner}.{name}".removeprefix(".")
        if below in known:
            found.add(below)
        elif inner:
            found.add(inner)
        elif name not in FROM_THE_FACE:
            found.add("__init__")
    return found


def layer(module):
    """Return the index of the layer that a module belongs to, or None."""
    fitting = [name for name in LAYERS if f"{module}.".startswith(f"{name}.")]
    return LAYERS.index(max(fitting, key=len)) if fitting else None


def upward(core):
    """Return the imports that point up, as text."""
    return [
        f"{module} imports {other}"
        for module, path in modules(core).items()
        for other in sorted(inner_imports(core, path))
        if (layer(other) or 0) > (layer(module) or 0)
    ]


def cycle(core):
    """Return the modules of an import cycle in their order, or an empty list."""
    graph = {module: inner_imports(core, path) for module, path in modules(core).items()}
    finished = set()

    def visit(module, path):
        if module in path:
            return [*path[path.index(module) :], module]
        if module in finished:
            return []
        for other in sorted(graph.get(module, ())):
            found = visit(other, [*path, module])
            if found:
                return found
        finished.add(module)
        return []

    return next((found for module in graph if (found := visit(module, []))), [])


def importers_of(core, package):
    """Return the modules that import `package`, in a function or not."""
    return [
        module
        for module, path in modules(core).items()
        if any(m.partition(".")[0] == package for m, _ in imported(path, everywhere=True))
    ]


def test_every_module_has_its_layer():
    unplaced = [m for m in modules(ROOT / "lossfw") if layer(m) is None]
    assert not unplaced, f"add {unplaced} to LAYERS, where they belong"


def test_no_import_points_up():
    assert upward(ROOT / "lossfw") == []


def test_there_is_no_import_cycle():
    assert cycle(ROOT / "lossfw") == []


def test_the_core_imports_no_plugin():
    assert importers_of(ROOT / "lossfw", "lossfw_std") == []


def test_no_line_of_the_core_names_the_built_in_plugin():
    naming = [p for p in (ROOT / "lossfw").rglob("*.py") if "lossfw_std" in p.read_text()]
    assert naming == []


def test_the_shelf_of_plugins_is_no_package():
    assert not (ROOT / "plugins" / "__init__.py").exists()


@pytest.mark.parametrize("package", ["lossfw", "plugins/lossfw_std"])
def test_a_sub_package_has_an_empty_or_a_pure_face_init(package):
    faces = sorted((ROOT / package).rglob("*/__init__.py"))
    assert faces
    for path in faces:
        for node in ast.parse(path.read_text()).body:
            docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            listed = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
            importing = isinstance(node, ast.Import | ast.ImportFrom)
            assert docstring or listed or importing, f"{path}:{node.lineno} does something"


@pytest.fixture
def house(tmp_path):
    """Build a small core from a mapping of files to sources."""

    def build(**files):
        core = tmp_path / "lossfw"
        for name, source in {"__init__": "", **files}.items():
            path = core / f"{name.replace('__dot__', '/')}.py"
            path.parent.mkdir(exist_ok=True, parents=True)
            path.write_text(source)
        return core

    return build


def test_an_import_that_points_up_is_caught(house):
    core = house(
        errors="from lossfw import loss",
        names="import lossfw.registry",
        component="if True:\n    from lossfw.engine import run",
        data="def later():\n    from lossfw.cli import main",
        claims="if TYPE_CHECKING:\n    from lossfw.loss import Loss",
        spaces="from lossfw import Loss, __version__",
        engine="from lossfw.errors import LossfwError\nfrom lossfw import __version__",
        config__dot__build="import lossfw.evaluate",
        config__dot__schema="import lossfw.evaluate",
        registry="",
        evaluate="",
        loss="",
    )
    assert upward(core) == [
        "component imports engine",
        "config.schema imports evaluate",
        "errors imports loss",
        "names imports registry",
        "spaces imports __init__",
    ]


def test_a_cycle_within_a_layer_is_caught(house):
    core = house(
        data__dot__a="from lossfw.data.b import x",
        data__dot__b="import lossfw.data.c",
        data__dot__c="from lossfw.data import a",
    )
    assert cycle(core) == ["data.a", "data.b", "data.c", "data.a"]


def test_an_import_of_the_plugin_is_caught_wherever_it_hides(house):
    core = house(
        errors="import lossfw_std.losses",
        loss="def f():\n    class C:\n        from lossfw_std import x",
        names="import lossfw_stdlib",
    )
    assert importers_of(core, "lossfw_std") == ["errors", "loss"]

"""The house: every import points down, there is no circle, and the core names no plugin."""

import ast
import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest

from support.imports import import_graph, imported, modules, room

ROOT = Path(__file__).parents[1]

# From the ground up. A module may import from its own room and from rooms on the
# floors below it; rooms on one floor do not import each other.
FLOORS = (
    {"errors", "extras", "processes", "temporary", "version"},
    {"numerics"},
    {"components"},
    {"losses", "data"},
    {"metrics"},
    {"evaluation"},
    {"nn", "learning"},
    {"bridges", "scale"},
    {"models"},
    {"config", "check"},
    {"runs"},
    {"report"},
    {"cli"},
    {"__main__"},
)


def floor(module):
    """Return the floor of a module's room; the face stands above all."""
    floors = [number for number, rooms in enumerate(FLOORS) if room(module) in rooms]
    return floors[0] if floors else len(FLOORS)


def upward(core):
    """Return the imports that do not point down, as text."""
    return [
        f"{module} imports {other}"
        for module, imports in import_graph(core).items()
        if module != "__init__"
        for other in sorted(imports)
        if room(other) != room(module) and floor(other) >= floor(module)
    ]


def cycle(core):
    """Return the modules of an import cycle in their order, or an empty list."""
    graph = import_graph(core)
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


def test_every_module_stands_in_a_room():
    rooms = {room(module) for module in modules(ROOT / "lossfw")} - {"__init__"}
    assert rooms == set().union(*FLOORS)


def test_every_import_points_down():
    assert upward(ROOT / "lossfw") == []


def test_there_is_no_import_cycle():
    assert cycle(ROOT / "lossfw") == []


def test_no_line_of_the_core_names_the_built_in_plugin():
    naming = [p for p in (ROOT / "lossfw").rglob("*.py") if "lossfw_std" in p.read_text()]
    assert naming == []


# What a built-in component may import, a third party can: besides these and
# libraries, only its own plugin.
FRONT_DOOR = {
    "lossfw",
    "lossfw.learning",
    "lossfw.data",
    "lossfw.metrics",
    "lossfw.models",
    "lossfw.numerics",
}


def test_a_built_in_comes_in_by_the_front_door():
    for path in (ROOT / "plugins/lossfw_std").rglob("*.py"):
        own = {module for module, _ in imported(path) if module.partition(".")[0] == "lossfw"}
        assert own <= FRONT_DOOR, path


def test_the_shelf_of_plugins_is_no_package():
    assert not (ROOT / "plugins" / "__init__.py").exists()


@pytest.mark.skipif(
    shutil.which("git") is None or not (ROOT / ".git").exists(), reason="not a git checkout"
)
def test_git_ignores_no_module():
    # A wheel has no file that git ignores.
    files = [
        str(path) for name in ("lossfw", "plugins", "tests") for path in (ROOT / name).rglob("*.py")
    ]
    ignored = subprocess.run(
        ["git", "check-ignore", "--no-index", "--stdin"],
        input="\n".join(files),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ignored.stdout == ""


# Linters, packagers, searches and pytest pass over folders of these names, as made by a tool.
OUTPUT = {"build", "dist", "env", "venv", "node_modules", "target", "out", "_build", "lib64"}


@pytest.mark.parametrize("name", ["lossfw", "plugins", "tests", "docs", "scripts", "configs"])
def test_no_folder_has_a_name_that_tools_pass_over(name):
    folders = {path.name for path in (ROOT / name).rglob("*/")}
    assert not folders & OUTPUT


@pytest.mark.parametrize("package", ["lossfw", "plugins/lossfw_std"])
def test_a_sub_package_says_what_it_is_for_and_does_nothing(package):
    faces = sorted((ROOT / package).rglob("*/__init__.py"))
    folders = {path.parent for path in (ROOT / package).rglob("*/*.py")}
    assert folders == {path.parent for path in faces}
    for path in faces:
        tree = ast.parse(path.read_text())
        assert ast.get_docstring(tree), f"{path} does not say what the folder is for"
        for node in tree.body:
            docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            listed = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
            importing = isinstance(node, ast.Import | ast.ImportFrom)
            assert docstring or listed or importing, f"{path}:{node.lineno} does something"


def test_the_picture_of_the_rooms_is_drawn_from_the_imports_of_now():
    script = ROOT / "scripts" / "make_rooms.py"
    spec = importlib.util.spec_from_file_location("make_rooms", script)
    make_rooms = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_rooms)
    drawn = (ROOT / "docs" / "explanation" / "rooms.svg").read_text()
    assert drawn == make_rooms.picture(), "run `make rooms`"


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


def test_an_import_that_points_up_or_sideways_is_caught_wherever_it_hides(house):
    core = house(
        errors="from lossfw import cli",
        numerics__dot__a="def later():\n    import lossfw.metrics",
        data__dot__a="import lossfw.losses.a",
        losses__dot__a="if TYPE_CHECKING:\n    from lossfw.nn.a import Network",
        losses__dot__b="from lossfw.losses.a import x\nfrom lossfw.errors import y",
        metrics="from lossfw import Loss",
        runs="from lossfw import __version__\nimport lossfw.config",
        nn__dot__a="",
        config="",
        cli="",
    )
    assert upward(core) == [
        "data.a imports losses.a",
        "errors imports cli",
        "losses.a imports nn.a",
        "metrics imports __init__",
        "numerics.a imports metrics",
        "runs imports __init__",
    ]


def test_a_cycle_within_a_room_is_caught(house):
    core = house(
        data__dot__a="from lossfw.data.b import x",
        data__dot__b="def later():\n    import lossfw.data.c",
        data__dot__c="from lossfw.data import a",
    )
    assert cycle(core) == ["data.a", "data.b", "data.c", "data.a"]


def public_names(path):
    """Yield the classes and type aliases that a module defines for others."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.AnnAssign):
            names = [node.target.id] if isinstance(node.target, ast.Name) else []
        else:
            names = []
        # Constants are written in capitals.
        yield from (name for name in names if name[0].isupper() and not name.isupper())


def defined_twice(*roots):
    """Return the names of public classes and type aliases that several modules define."""
    modules_of = {}
    for root in roots:
        for path in sorted(root.rglob("*.py")):
            for name in public_names(path):
                modules_of.setdefault(name, []).append(str(path.relative_to(root)))
    return {name: paths for name, paths in modules_of.items() if len(paths) > 1}


def test_a_name_means_one_thing():
    assert defined_twice(ROOT / "lossfw", ROOT / "plugins") == {}


def test_a_name_that_means_two_things_is_caught(house):
    core = house(
        data__dot__a="class Rows:\n    pass\nBOUND = 1",
        nn__dot__a="Rows = tuple[int, ...]\nBOUND = 2\n_Rows = list",
        cli="Rows: object = None\n_Rows = list",
    )
    assert defined_twice(core) == {"Rows": ["cli.py", "data/a.py", "nn/a.py"]}

"""Fixtures for several folders of tests."""

import contextlib
import gc
import os
import sys
import textwrap
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from support.clean_tree import ROOT, files_of

# A busy machine is not a fault of a test, and what failed once fails again: every run draws
# the same examples. --hypothesis-profile=thorough takes more, and =others draws new ones each time.
settings.register_profile(
    "usual",
    deadline=None,
    max_examples=20,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("thorough", settings.get_profile("usual"), max_examples=100)
settings.register_profile(
    "others", settings.get_profile("thorough"), derandomize=False, print_blob=True
)
settings.load_profile("usual")

# Hypothesis also draws numbers that stand in the modules imported so far, and which these are
# depends on the tests that a process has run before. It has no option for that. Releases without
# this module do not look.
with contextlib.suppress(ImportError):
    from hypothesis.internal.conjecture import providers

    providers._get_local_constants = lambda: providers._local_constants


def pytest_addoption(parser):
    parser.addoption(
        "--lossfw-engine",
        choices=["auto", "tiles", "compiled"],
        default="auto",
        help="the engine of the tests: tiles, or kernels for every call that can have one",
    )


def pytest_configure(config):
    # Also for the processes that tests start.
    os.environ["LOSSFW_ENGINE"] = config.getoption("--lossfw-engine")
    gc.disable()  # nothing that is collected here is garbage; again on when that has ended


_BEFORE = pytest.StashKey()


def pytest_sessionstart(session):
    # The processes of pytest-xdist leave it to the one that started them.
    if not hasattr(session.config, "workerinput"):
        session.stash[_BEFORE] = files_of()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    """Fail if a test has left a file in the tree; one in a folder of its own goes with it."""
    left = files_of() - session.stash[_BEFORE] if _BEFORE in session.stash else ()
    if left:
        names = ", ".join(sorted(str(file.relative_to(ROOT)) for file in left))
        sys.stderr.write(f"\nthe tests have left files in the tree: {names}\n")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Let cases take turns: ``turns(4)`` makes all of a test but every fourth slow."""
    seen = Counter()
    for item in items:
        turns = item.get_closest_marker("turns")
        if turns is not None:
            name = item.nodeid.partition("[")[0]
            if seen[name] % turns.args[0]:
                item.add_marker(pytest.mark.slow)
            seen[name] += 1


def pytest_collection_finish():
    # The tests themselves stay: to look through them at each collection takes seconds in all.
    gc.freeze()
    gc.enable()


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install real distributions into a folder on ``sys.path``, for one test.

    ``install("acme", {"acme": "acme_plugin"}, {"acme_plugin": "source"}, version="1.0")``
    writes the modules (a name with slashes is a path, such as "pkg/__init__")
    and the metadata that pip would write. Returns the folder.
    """
    from lossfw.components.registry import registry

    site = tmp_path / "site"
    site.mkdir()
    before = set(sys.modules)

    def write(distribution, entries, modules, version="1.0"):
        for module, source in modules.items():
            path = site / f"{module}.py"
            path.parent.mkdir(exist_ok=True, parents=True)
            path.write_text(textwrap.dedent(source))
        info = site / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        )
        lines = [f"{name} = {target}" for name, target in entries.items()]
        (info / "entry_points.txt").write_text("\n".join(["[lossfw]", *lines, ""]))
        # Again for each distribution: it also makes the import system look anew.
        monkeypatch.syspath_prepend(site)
        registry.cache_clear()
        return site

    yield write
    registry.cache_clear()
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture(autouse=True)
def no_disabled_plugins(monkeypatch):
    """The environment of whoever runs the tests must not choose the plugins."""
    monkeypatch.delenv("LOSSFW_DISABLE", raising=False)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working folder, and no other one that files could come from."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    monkeypatch.delenv("LOSSFW_DATA", raising=False)
    return home


@pytest.fixture
def lossfw(folder):
    """Run the command in this process; returns exit_code, stdout and stderr."""
    from click.testing import CliRunner

    from lossfw.cli import main

    return lambda *arguments: CliRunner().invoke(main, list(map(str, arguments)))


@pytest.fixture(scope="session")
def mnist():
    """Return the folder with MNIST's test images and the book's weights, or skip."""
    beside = Path(__file__).parents[1] / ".." / "shared" / "data"
    folder = Path(os.environ.get("LOSSFW_DATA", beside))
    names = ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz", "sample_weight.pkl")
    if not all((folder / name).is_file() for name in names):
        pytest.skip("no MNIST files: neither in ../shared/data nor in the folder LOSSFW_DATA")
    return folder


@pytest.fixture(params=["torch", "jax", "array_api_strict"], scope="session")
def convert(request):
    """Return what makes an array of another library; skip where it is not installed."""
    library = pytest.importorskip(request.param)
    if request.param == "jax":
        library.config.update("jax_enable_x64", True)
        return library.numpy.asarray
    return library.asarray

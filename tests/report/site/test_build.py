"""A site of a plugin, built by Sphinx; skipped where Sphinx is not installed."""

import errno
import filecmp
import os
import posixpath
import re
import shutil
import zlib
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from lossfw.cli import main
from support.plugin_sources import hook

for module in ("sphinx", "pydata_sphinx_theme", "myst_parser", "sphinx_design", "numpydoc"):
    pytest.importorskip(module)

PLUGIN = '''
from pydantic import PositiveFloat
from lossfw import Claims, DistanceLoss, hookimpl


class AcmeFair(DistanceLoss):
    """Acme's loss, c^2 (|r|/c - log(1 + |r|/c)).

    Use it when nothing else is at hand.

    Parameters
    ----------
    c : float
        Scale of <residuals> | targets.
    """

    c: PositiveFloat = 1.0

    def value(self, xp, r):
        a = xp.abs(r) / self.c
        return self.c**2 * (a - xp.log1p(a))

    def claims(self):
        return Claims(nonnegative=True, convex=True, symmetric=True)
''' + hook('{"acme_fair": AcmeFair, "acme": "acme_fair"}')


def site(*arguments):
    return CliRunner().invoke(main, ["site", *arguments])


@pytest.fixture
def acme(install):
    return install("acme-losses", {"acme": "acme_losses"}, {"acme_losses": PLUGIN})


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_plugin_gets_the_same_pages_and_the_same_bytes_twice(acme, folder):
    for name in ("one", "two"):
        result = site("--plugin", "acme-losses", "--out", name)
        assert result.exit_code == 0, result.output
        assert result.output == f"wrote 1 page of components to {name}\n"
    made = files(folder / "one")
    assert made == files(folder / "two")
    _, different, odd = filecmp.cmpfiles(folder / "one", folder / "two", made, shallow=False)
    assert (different, odd) == ([], [])

    page = (folder / "one/components/loss/acme_fair.html").read_text()
    assert "<h1>acme_fair" in page
    assert "Use it when nothing else is at hand." in page
    assert "&lt;residuals&gt; | targets" in page
    # Nothing was measured.
    assert "looks for a counterexample to each claim.</p>" in page
    assert "examples</p></th>" not in page
    start = (folder / "one/index.html").read_text()
    assert 'href="components/loss/acme_fair.html"' in start
    assert "Acme’s loss" in start
    _links_lead_to_files(folder / "one")

    inventory = (folder / "one/objects.inv").read_bytes().split(b"\n", 4)[4]
    listed = zlib.decompress(inventory).decode()
    assert re.search(r"^acme_fair std:loss -?\d+ components/loss/acme_fair.html#", listed, re.M)
    assert re.search(r"^acme std:loss ", listed, re.M)

    plain = (folder / "one/components/loss/acme_fair.md").read_text()
    assert plain.startswith("# acme_fair\n")
    assert "](components/loss/acme_fair.md)" in (folder / "one/llms.txt").read_text()


def _links_lead_to_files(root):
    for path in {*root.rglob("*.html")} - {*(root / "_static").rglob("*")}:
        text = path.read_text()
        for link in re.findall(r'(?:href|src)="([^"]+)"', text):
            assert not re.match(r"(https?:)?//(?!doi\.org|www\.sphinx-doc\.org|pydata)", link), link
            target = link.partition("#")[0].partition("?")[0]
            if target and not re.match(r"\w+:", target):
                found = Path(posixpath.normpath(path.parent / target))
                assert found.is_file(), (path, link)


def test_pages_of_any_place_with_files_beside_them_give_the_same_bytes(acme, folder):
    for place in ("here", "there/below"):
        pages = folder / place / "docs"
        pages.mkdir(parents=True)
        text = "# Mine\n\n[code](../code.py), [all](../src), [losses](reference/components.md)\n"
        (pages / "index.md").write_text(text)
        (pages.parent / "code.py").write_text("x = 1\n")
        (pages.parent / "src").mkdir()
        result = site("--plugin", "acme-losses", "--docs", str(pages), "--out", f"{place}/made")
        assert result.exit_code == 0, result.output
    one, two = folder / "here/made", folder / "there/below/made"
    assert files(one) == files(two)
    assert filecmp.cmpfiles(one, two, files(one), shallow=False)[1:] == ([], [])
    assert any(name.endswith("code.py") for name in files(one))
    # What a checkout has on one page, a site has in a gallery.
    assert '<a class="reference internal" href="components/index.html">' in (
        (one / "index.html").read_text()
    )


def test_mistakes_are_told_and_nothing_is_replaced(acme, folder):
    (folder / "mine").mkdir()
    (folder / "mine/thesis.tex").write_text("years of work")
    (folder / "pages").mkdir()
    (folder / "pages/index.md").write_text("# Mine\n\n[nowhere](nowhere.md)\n")
    ours = ("--plugin", "acme-losses")
    for arguments, code, told in (
        (("--docs", "none", "--out", "x"), 2, "--docs none: expected a folder with an index.md"),
        (("--plugin", "acme-loses", "--out", "x"), 2, "no plugin 'acme-loses'"),
        ((*ours, "--no-plugins", "--out", "x"), 2, "give --plugin or --no-plugins"),
        ((*ours, "--out", "mine"), 2, "mine is not empty and holds no site"),
        # A warning of Sphinx is an error.
        ((*ours, "--docs", "pages", "--out", "x"), 1, "nowhere.md"),
    ):
        result = site(*arguments)
        assert result.exit_code == code
        assert told in result.output
    assert files(folder) == ["mine/thesis.tex", "pages/index.md"]


COPY, RENAME = shutil.copyfile, Path.rename
NO_SPACE = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def full_disk(files):
    """Return a copy of files that finds no space after some of them."""
    left = iter(range(files))

    def copy(source, target):
        if next(left, None) is None:
            Path(target).touch()
            raise OSError(*NO_SPACE.args, str(source), None, str(target))
        return COPY(source, target)

    return copy


def _contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("older", [False, True])
def test_a_full_disk_leaves_the_old_site_or_none_and_says_so(older, acme, folder, monkeypatch):
    if older:
        assert site("--plugin", "acme-losses", "--out", "made", "--title", "old").exit_code == 0
    before = _contents(folder)
    monkeypatch.setattr("lossfw.report.site.build.shutil", SimpleNamespace(copyfile=full_disk(5)))
    result = site("--plugin", "acme-losses", "--out", "made", "--title", "new")
    assert result.exit_code == 1
    assert result.output == "lossfw: error: made cannot be written: No space left on device.\n"
    assert _contents(folder) == before
    assert (folder / "made").exists() == older

    def interrupted(self, target):
        if self.name == "new":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return RENAME(self, target)

    # So does an interruption, and a full disk for temporary files: Sphinx, which copies the files
    # of its theme, makes a warning of each.
    ways = [("pathlib.Path.rename", interrupted)] * older + [("shutil.copyfile", full_disk(0))]
    for name, function in ways:
        monkeypatch.undo()
        monkeypatch.chdir(folder)
        monkeypatch.setattr(name, function)
        result = site("--plugin", "acme-losses", "--out", "made", "--title", "new")
        assert result.exit_code == 1
        assert _contents(folder) == before
    told = r"lossfw: error: \S+ cannot be written: No space left on device\.\n"
    assert re.fullmatch(told, result.output)

    monkeypatch.undo()
    monkeypatch.chdir(folder)
    assert site("--plugin", "acme-losses", "--out", "made", "--title", "new").exit_code == 0
    assert "new</title>" in (folder / "made/index.html").read_text()
    assert not [path for path in folder.iterdir() if path.name.startswith(".made")]


MARKED = '''
from lossfw import DistanceLoss, hookimpl


class Index(DistanceLoss):
    """A loss of <script>alert(1)</script> and ``r < 1``.

    Use it when <img src=x onerror=alert(2)> matters.

    See Also
    --------
    other : the same for ``a < 1`` & <script>alert(3)</script>.
    """

    def value(self, xp, r):
        return xp.abs(r)


class Other(DistanceLoss):
    """Another one."""

    def value(self, xp, r):
        return r * r


@hookimpl
def lossfw_losses():
    return {"index": Index, "other": Other}
'''


TITLE = "<script>alert(8)</script> & `x` [a](javascript:alert(1))\n<img src=x onerror=alert(2)>"
# A name of a file that is markup, and a body that ends the block it is shown in.
ODD_FILE = "<img src=x onerror=alert(3)>`x`.py"
ODD = '''
from lossfw import DistanceLoss


class Odd(DistanceLoss):
    """A loss."""

    def value(self, xp, r):
        # ```
        # <script>alert(4)</script>
        return xp.abs(r)
'''


@pytest.mark.parametrize("title", [[], ["--title", TITLE]], ids=["file name", "title"])
def test_titles_names_of_files_and_bodies_are_text(title, folder):
    (folder / ODD_FILE).write_text(ODD)
    result = site("--plugin", ODD_FILE, "--out", "made", *title)
    assert result.exit_code == 0, result.output
    texts = [*folder.glob("made/**/*.html"), *folder.glob("made/**/*.md"), folder / "made/llms.txt"]
    for path in texts:
        text = path.read_text()
        if path.suffix == ".md":
            text = re.sub(r"^(`{3,})\w*\n.*?^\1$|`` .*? ``", "", text, flags=re.M | re.S)
        assert not re.search(r"<script>alert|<img src=x|\(javascript:alert\(1\)\)[^ ]*\"", text), (
            path
        )
    start = (folder / "made/index.html").read_text()
    assert "onerror=alert" in start
    assert 'href="javascript' not in start


def test_a_name_that_pages_have_and_markup_in_a_docstring_do_no_harm(folder):
    (folder / "mine.py").write_text(MARKED)
    result = site("--plugin", "mine.py", "--out", "made")
    assert result.exit_code == 0, result.output
    made = folder / "made"
    # The page of the loss stands beside that of all losses.
    assert "<h1>index" in (made / "components/loss/index-loss.html").read_text()
    chapter = (made / "components/loss/index.html").read_text()
    assert 'href="index-loss.html"' in chapter
    assert 'href="other.html"' in chapter
    _links_lead_to_files(made)
    assert (made / "_static/favicon.svg").is_file()

    for page in (*made.glob("*.html"), *(made / "components").rglob("*.html")):
        text = page.read_text()
        assert not re.search(r"<script>alert|<img src=x", text), page
        assert "``" not in text, page
    card = "the same for <code>a &lt; 1</code> &amp; &lt;script&gt;alert(3)&lt;/script&gt;"
    assert card in (made / "components/loss/index-loss.html").read_text()

    # In a copy a bracket is none of a tag, except in code.
    for copy in made.rglob("*.md"):
        text = re.sub(r"^```.*?^```$", "", copy.read_text(), flags=re.M | re.S)
        assert not re.search(r"<script|<img", re.sub(r"`[^`]*`", "", text)), copy
    copied = (made / "components/loss/index-loss.md").read_text()
    assert "A loss of &lt;script&gt;alert(1)&lt;/script&gt; and `r < 1`." in copied


def test_pages_next_to_the_documentation_and_groups_of_the_start(acme, folder):
    pages = folder / "docs"
    (pages / "how-to").mkdir(parents=True)
    (folder / "CHANGELOG.md").write_text("# Changes\n\nSee [b](docs/how-to/b.md).\n")
    (pages / "index.md").write_text(
        "# Mine\n\n## All\n\n### Second\n\n[b](how-to/b.md)\n\n### First\n\n[a](how-to/a.md)\n"
        "\n### Rest\n\n[new](../CHANGELOG.md)\n"
    )
    (pages / "how-to/a.md").write_text("# About a\n\n[changed](../../CHANGELOG.md#changes)\n")
    (pages / "how-to/b.md").write_text("# About b\n")
    (pages / "how-to/c.md").write_text("# About c\n")
    result = site("--plugin", "acme-losses", "--docs", "docs", "--out", "made")
    assert result.exit_code == 0, result.output
    _links_lead_to_files(folder / "made")
    assert 'href="../how-to/b.html"' in (folder / "made/reference/changelog.html").read_text()
    linked = (folder / "made/how-to/a.html").read_text()
    assert 'href="../reference/changelog.html#changes"' in linked
    # In the order of the start page, and what it does not name at the end.
    index = (folder / "made/how-to/index.html").read_text()
    captions = re.findall(r'<span class="caption-text">(\w+)</span>', index)
    assert captions[:2] == ["Second", "First"]
    article = index[index.index("<article") :]
    places = [article.index(f'href="{name}.html"') for name in "bac"]
    assert places == sorted(places)


FOLLOWED = """# Follow

A harness looks at it, and a harness again.

<!-- file: mine.py -->
```py
x = 1

y = 2
```
"""


def test_a_file_has_its_name_and_a_word_leads_to_the_glossary(acme, folder):
    for part in ("how-to", "reference"):
        (folder / "docs" / part).mkdir(parents=True)
    (folder / "docs/index.md").write_text("# Mine\n")
    (folder / "docs/how-to/follow.md").write_text(FOLLOWED)
    (folder / "docs/reference/glossary.md").write_text("# Glossary\n\n- **harness**: it looks.\n")
    result = site("--plugin", "acme-losses", "--docs", "docs", "--out", "made")
    assert result.exit_code == 0, result.output
    page = (folder / "made/how-to/follow.html").read_text()
    assert '<span class="caption-text">mine.py</span>' in page
    (link,) = re.findall(r'<a class="[^"]*glossary[^"]*" href="([^"]+)">harness</a>', page)
    assert link == "../reference/glossary.html#word-harness"
    assert 'id="word-harness"' in (folder / "made/reference/glossary.html").read_text()
    # The copy names the file, too.
    copied = (folder / "made/how-to/follow.md").read_text()
    assert "`mine.py`:\n\n```python\nx = 1\n\ny = 2\n```" in copied

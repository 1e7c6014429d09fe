"""Pages of runs, comparisons and studies: what stands in them, whoever wrote it."""

import hashlib
import html
import json
import platform
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import numpy as np
import pytest
from click.testing import CliRunner

import lossfw
from lossfw.cli import main
from lossfw.extras import install_command

pytest.importorskip("jinja2", reason="jinja2 is not installed")
pytest.importorskip("matplotlib", reason="matplotlib is not installed")

from lossfw.components.naming import printable
from lossfw.report.html.render import breakable, render
from lossfw.report.html.run_plots import draw_slice_parts
from lossfw.runs.compare import RunNumber
from support.configs import DIGITS

EVALUATED = f"""\
{DIGITS}evaluate:
  metrics: [accuracy, {{name: f1, average: none}}]
  slices: [target]
  intervals: {{level: 0.95}}
"""
NASTY = "<script>alert(1)</script>\"'&"
NASTY_NAME = NASTY.replace("/", "_")
PLAIN = """\
lossfw: 1
data: {name: inline, targets: [0.5, 1.0, 4.0]}
network: {predictions: [0.4, 1.5, -2.0]}
loss: {name: huber, delta: 2.0}
evaluate: {metrics: [mae], save_rows: true}
"""
# Losses from about 10 to 1e-12, which have logarithmic axes.
WIDE = """\
lossfw: 1
data: {name: inline, inputs: [[0.0], [1.0], [2.0]], targets: [1.0, 3.0, 5.0]}
network: {layers: [{units: 1, activation: identity}]}
loss: squared_error
train: {epochs: 200, optimizer: {name: sgd, learning_rate: 0.1}, measure_every: 10}
sweep: {grid: {train.optimizer.learning_rate: [0.1, 0.05]}}
"""
# Elements that have no end.
VOID = {"meta", "link", "img", "br", "line", "wbr"}


class Page(HTMLParser):
    """Reads a page, and sees that every element is closed where it should be."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.text, self.ids = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.handle_startendtag(tag, attributes)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.ids += [value for key, value in attributes if key == "id"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def words(self):
        return " ".join("".join(self.text).split())


def command(*arguments):
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with runs and their reports: of digits, of a name that is an attack, of both."""
    home = tmp_path_factory.mktemp("pages")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        (home / "digits.yaml").write_text(EVALUATED)
        (home / "plain.yaml").write_text(PLAIN)
        command("run", "digits.yaml", "--out", "digits", "--report")
        for name in ("nasty", "other"):
            command("run", "plain.yaml", "--out", f"runs/{name}")
        (home / "runs" / "nasty" / "config.yaml").write_text(f"{PLAIN}# {NASTY}\n")
        (home / "runs" / "nasty").rename(home / "runs" / NASTY_NAME)
        command("report", "runs")
        (home / "wide.yaml").write_text(WIDE)
        command("train", "wide.yaml", "--out", "trainings", "--report")
    return home


@pytest.fixture
def inside(home, monkeypatch):
    monkeypatch.chdir(home)
    return home


@pytest.fixture(
    params=[
        "digits", f"runs/{NASTY_NAME}", "runs",
        "trainings", "trainings/train.optimizer.learning_rate=0.1",
    ],
    ids=["digits", "nasty", "comparison", "trainings", "training"],
)  # fmt: skip
def place(request, home):
    return home / request.param


def page_in(folder):
    return Page((folder / "report.html").read_text())


def test_a_page_asks_for_nothing_and_all_of_it_is_whole(place):
    text, page = (place / "report.html").read_text(), page_in(place)
    assert page.all("script") == []
    assert page.all("iframe") == []
    assert not any(key.startswith("on") for _, a in page.tags for key in a)
    sources = [a.get("src") for a in page.all("img")]
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    links = [a["href"] for a in page.all("a") + page.all("link")]
    links += [a["xlink:href"] for a in page.all("use")]
    assert all(re.match(r"#|data:,|[^:/]+/report\.html$", link) for link in links), links
    (policy,) = [a["content"] for a in page.all("meta") if "http-equiv" in a]
    assert policy.startswith("default-src 'none';")
    # Each id is there once, and each reference has its place.
    assert len(page.ids) == len(set(page.ids))
    named = [w for _, a in page.tags for w in (a.get("aria-labelledby") or "").split()]
    named += [a["href"][1:] for a in page.all("a") if a["href"].startswith("#")]
    assert set(named) <= set(page.ids)
    # No label of an axis is markup.
    assert not re.search(r"mathdefault|\$\\|\\text|\^\{", text)


def test_each_picture_is_well_formed_and_told_in_words(place):
    page = page_in(place)
    pictures = [a for a in page.all("svg") if a.get("role") == "img"]
    assert pictures
    assert len(pictures) == len(page.all("desc"))
    assert all(a["alt"] for a in page.all("img"))
    for text in re.findall(r"<svg.*?</svg>", (place / "report.html").read_text(), re.S):
        # Colours and the font are the page's own: none is left of those that stand for them.
        assert not re.search(r"#01a00\d|#1a1b01|#5a5b01|#d0d101|#fefd01|DejaVu", text)
        whole = text.replace("<svg", '<svg xmlns:xlink="http://www.w3.org/1999/xlink"', 1)
        ElementTree.fromstring(whole if "xmlns:xlink" not in text else text)


def test_a_loss_that_falls_far_has_powers_of_ten_on_its_axis(home):
    for folder in ("trainings", "trainings/train.optimizer.learning_rate=0.1"):
        assert re.search(r">1e-0[4-9]</text>", (home / folder / "report.html").read_text())


def test_a_training_has_details_that_tell_it_from_another(home):
    folder = home / "trainings/train.optimizer.learning_rate=0.1"
    page = page_in(folder)
    digest = json.loads((folder / "training.json").read_text())["digest"]
    weights = hashlib.sha256((folder / "weights.npz").read_bytes()).hexdigest()
    text = re.sub(r"\s+", " ", " ".join(page.text))
    for words in ("data inline", "network 1 identity", "optimizer sgd", "seed 0", digest, weights):
        assert words in text, words
    assert "learning_rate: 0.1" in page.words
    versions = f"lossfw {lossfw.__version__}, Python {platform.python_version()}, NumPy"
    assert f"versions {versions} {np.__version__}" in text
    assert re.search(r"training.json written \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", text)
    # No rate was used before the first step.
    assert re.search(
        r'<th scope="row">0</th><td class=n></td>', (folder / "report.html").read_text()
    )


def test_what_users_write_is_text(home):
    run, comparison = page_in(home / "runs" / NASTY_NAME), page_in(home / "runs")
    assert NASTY_NAME in run.words
    assert f"# {NASTY}" in run.words  # the configuration
    assert NASTY_NAME in comparison.words
    assert re.search(r"inline · [\d,]+ rows · compared with", comparison.words)


def test_the_sections_of_a_run_whose_rows_are_computed_again(home):
    digits = page_in(home / "digits")
    sections = [a["id"] for a in digits.all("section")]
    wanted = ["result", "loss", "rows", "worst", "confusion", "reliability", "slices", "what"]
    assert sections == wanted
    assert [a["href"][1:] for a in digits.all("a")] == wanted
    assert "0.9631" in digits.words
    assert "95% intervals of 597 rows taken as independent" in digits.words
    assert not (home / "digits" / "results.jsonl").exists()
    assert len(digits.all("img")) == 24
    assert re.fullmatch(r"Row \d+: target \d, predicted \d", digits.all("img")[0]["alt"])


def test_data_that_changed_are_not_taken_for_those_of_the_run(inside):
    np.save("t.npy", np.array([0, 1]))
    np.save("p.npy", np.eye(2) * 0.8 + 0.1)
    (inside / "files.yaml").write_text(
        "lossfw: 1\ndata: {name: arrays, targets: t.npy}\nnetwork: {predictions: p.npy}\n"
        "loss: cross_entropy\n"
    )
    command("run", "files.yaml", "--out", "files")
    np.save("p.npy", np.eye(2)[::-1] * 0.8 + 0.1)
    command("report", "files")
    page = page_in(inside / "files")
    assert "have changed since" in page.words
    assert "The rows were not kept" in page.words


def test_inputs_that_saved_predictions_do_not_take_are_shown(inside):
    (inside / "gaps.csv").write_text("x,y\n1,2\n,3\n3,4\n")
    np.save("p.npy", np.array([2.0, 2.5, 3.0]))
    (inside / "gaps.yaml").write_text(
        "lossfw: 1\ndata: {name: arrays, file: gaps.csv, targets_key: y, missing: keep}\n"
        "model: {name: predictions, file: p.npy}\nloss: squared_error\n"
        "evaluate: {save_rows: true}\n"
    )
    command("run", "gaps.yaml", "--out", "gaps")
    assert "cannot be read" not in command("report", "gaps").output


@pytest.mark.slow
def test_where_reports_go(inside):
    inline = PLAIN.replace("4.0", "5.0").replace("lossfw: 1\n", "lossfw: 1\nseed: 3\n")
    (inside / "files.yaml").write_text(inline)
    command("run", "files.yaml", "--out", "files")
    told = command("report", "runs/other", "--out-file", "new/one.html").stdout
    assert told == "wrote new/one.html\n"
    # The same run gives the same page.
    page = (inside / "runs/other/report.html").read_bytes()
    command("report", "runs/other")
    assert (inside / "runs/other/report.html").read_bytes() == page
    for arguments, said in (
        (["digits", "--out-file", "one.txt"], "let it end in .html"),
        (["digits", "runs"], "say where their comparison goes"),
        (["digits", "runs", "--out-file", "c.html"], "the runs have different data"),
        (["nowhere"], "nowhere does not exist"),
    ):
        result = CliRunner().invoke(main, ["report", *arguments])
        assert (result.exit_code, result.stdout) == (2, "")
        assert said in result.stderr
    told = command(
        "report", "files", "runs/other", "--out-file", "c.html", "--allow-different-data"
    ).stdout
    assert told.endswith("wrote c.html\n")
    # Runs on different data have none that the title could name.
    assert "inline ·" not in (inside / "c.html").read_text()


@pytest.mark.parametrize("missing", ["jinja2", "matplotlib"])
def test_what_is_missing_is_named_before_anything_runs(missing, inside, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, missing, None)
    for arguments in (["report", "digits"], ["run", "digits.yaml", "--out", "no", "--report"]):
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 2
        assert install_command("report") in result.stderr
    assert not (inside / "no").exists()
    assert (
        "give --out DIR too" in CliRunner().invoke(main, ["run", "plain.yaml", "--report"]).stderr
    )


@pytest.mark.filterwarnings("ignore:Glyph")
@pytest.mark.parametrize(
    "name", ["b\x01", "\x1b[2J", "$x$", "$\\bad$", "\x00", "\udcff", "\u202eb", NASTY]
)
def test_a_name_from_a_file_may_have_any_character(name):
    picture = draw_slice_parts("parts", "loss", [(name, RunNumber(0.5))], 0.25)
    assert f">{printable(name)}</text>" in html.unescape(str(picture.svg))
    lead = breakable(name)
    page = render("base.html", title=name, lead=lead, kind="", sections=(), foot="")
    assert not re.search(r"[\x00-\x08\x0e-\x1f\u202e]", page)
    Page(page)
    # A picture has no character that XML has not.
    picture = draw_slice_parts("parts", "".join(map(chr, range(32))), [("a", RunNumber(0.5))], 0.25)
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", str(picture.svg))

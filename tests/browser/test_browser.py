"""Pages in a real browser without a window: nothing said, nothing asked for, nothing too wide."""

import pytest
from click.testing import CliRunner

from lossfw.cli import main
from support.browsing import TOO_WIDE, Visit, inaccessible
from support.configs import DIGITS

pytest.importorskip("jinja2", reason="jinja2 is not installed")
pytest.importorskip("matplotlib", reason="matplotlib is not installed")

# A phone and a desk, in pixels.
WIDTHS = (360, 1440)
# Where elements may not be too wide, and the boxes that scroll.
WITHIN = ("body", ".scroll, nav ul, pre, svg")
# A delta keeps the loss on probabilities, of which the page has warnings.
SWEEP = (
    DIGITS.replace("loss: cross_entropy", "loss: {name: cross_entropy, delta: 1e-7}")
    + """\
evaluate:
  metrics: [accuracy, brier, calibration_error, confusion_matrix, {name: f1, average: none}]
  save_rows: true
  intervals: {level: 0.95}
  slices: [target, {name: confident, by: prediction.max, bins: [0.5, 0.9]}]
sensitivity: {points: 9, activations: [step]}
sweep: {grid: {network.layers.1.activation: [sigmoid, relu]}}
"""
)
TRAINING = """\
train: {epochs: 3, optimizer: adam, hold_out: {fraction: 0.2}}
sweep: {grid: {train.optimizer.learning_rate: [0.01, 0.001]}}
"""
RATE = "train.optimizer.learning_rate=0.01"
RELU = "network.layers.1.activation=relu"
NASTY = '<img src=x onerror=alert(1)>"&' + "long" * 30
SECTIONS = {
    "run": "result warnings loss rows worst confusion reliability slices what",
    "comparison": "result plots settings notes",
    "study": "study",
    "nasty": "result warnings loss rows worst regression what",
    "training": "result curves weights epochs what",
    "trainings": "result curves settings notes",
}


def command(*arguments):
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Return the files of the pages, by what they are of."""
    home = tmp_path_factory.mktemp("browser")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        (home / "sweep.yaml").write_text(SWEEP)
        command("run", "sweep.yaml", "--out", "sweep", "--report")
        (home / "study.yaml").write_text(SWEEP.partition("sweep:")[0])
        name = ("--parameter", "layers.0.weights[20,4]")
        command("sensitivity", "study.yaml", *name, "--out", "study")
        (home / "train.yaml").write_text(DIGITS + TRAINING)
        command("train", "train.yaml", "--out", "trainings", "--report")
        (home / "nasty.yaml").write_text(
            "lossfw: 1\ndata: {name: inline, targets: [1, 2, 3], sample_weight: [1, 1, 0]}\n"
            "network: {predictions: [1.5, 2, 2]}\nloss: huber\n"
            f"evaluate: {{save_rows: true}} # {NASTY}\n"
        )
        command("run", "nasty.yaml", "--out", NASTY, "--report")
    return {
        "run": home / "sweep" / RELU / "report.html",
        "comparison": home / "sweep" / "report.html",
        "study": home / "study" / "report.html",
        "nasty": home / NASTY / "report.html",
        "training": home / "trainings" / RATE / "report.html",
        "trainings": home / "trainings" / "report.html",
    }


@pytest.fixture
def show(visit, pages):
    """Visit a page by its name."""
    return lambda name, width=1440, **options: visit(pages[name].as_uri(), width, **options)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", SECTIONS)
def test_a_page(name, width, show, pages):
    visited = show(name, width)
    page = visited.page
    assert visited.said == []
    # Images within the page are not requests of a network.
    assert [url for url in visited.asked if not url.startswith("data:")] == [pages[name].as_uri()]
    assert [s.get_attribute("id") for s in page.query_selector_all("section")] == SECTIONS[
        name
    ].split()
    assert page.evaluate(TOO_WIDE, WITHIN) == []
    assert page.evaluate(EMPTY) == []
    assert page.evaluate(BROKEN) == 0


EMPTY = """() => [...document.querySelectorAll("section")]
  .filter(e => e.getBoundingClientRect().height < 60 || !e.innerText.trim())
  .map(e => e.id)"""

BROKEN = """() => [...document.images].filter(i => !i.complete || !i.naturalWidth).length"""

# Text of pictures that other text lies over, or that the picture cuts off.
CUT = """() => [...document.querySelectorAll("figure svg")].flatMap(svg => {
  const frame = svg.getBoundingClientRect();
  const boxes = [...svg.querySelectorAll("text")]
    .map(text => [text.textContent, text.getBoundingClientRect()]);
  const cut = boxes.filter(([, box]) => box.left < frame.left - 3 || box.right > frame.right + 3);
  const over = boxes.filter(([, a], i) => boxes.some(([, b], j) => j > i &&
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 &&
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4));
  return [...cut, ...over].map(([words]) => words);
})"""


@pytest.mark.parametrize("name", SECTIONS)
def test_words_in_pictures_are_whole_and_apart(name, show):
    page = show(name, 360).page
    assert page.evaluate(CUT) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", SECTIONS)
def test_axe_finds_nothing(name, scheme, show):
    assert inaccessible(show(name, color_scheme=scheme).page) == []


@pytest.mark.parametrize("name", ["run", "study"])
def test_dark_and_light(name, show):
    looks = {}
    for scheme in ("light", "dark"):
        looks[scheme] = show(name, color_scheme=scheme).page.evaluate(LOOKS)
    background, *inks = zip(looks["light"], looks["dark"], strict=True)
    assert _brightness(background[0]) > 200 > 60 > _brightness(background[1])
    for light, dark in inks:
        assert _brightness(dark) > _brightness(light)


LOOKS = """() => {
  const of = place => getComputedStyle(document.querySelector(place));
  return [of("body").backgroundColor, of("body").color, of("figure svg text").fill,
    of("figure svg path[style*='--s0']").stroke];
}"""


def _brightness(colour):
    red, green, blue = (float(part) for part in colour.partition("(")[2].rstrip(")").split(",")[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_print(show):
    page = show("run", color_scheme="dark").page
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"


def test_links_lead_to_sections_and_to_the_reports_of_the_runs(show, pages):
    visited = show("comparison")
    page = visited.page
    page.click("nav a[href='#settings']")
    assert page.url.endswith("#settings")
    page.click("tr:nth-child(2) th a")
    assert page.title() == RELU
    assert visited.asked[-1] == pages["run"].as_uri()


def test_what_unfolds_unfolds_without_a_script(show):
    visited = show("run", java_script_enabled=False)
    visited.page.click("#slices summary")
    assert visited.page.is_visible("#slices details[open] table")
    assert visited.said == []


def test_the_checks_see_what_they_look_for(browser):
    visited = Visit(browser.new_page(viewport={"width": 360, "height": 900}))
    page = visited.page
    page.set_content(
        """<section id="thin"></section><div style="width: 900px">wide</div>
        <img src="data:image/png;base64,none"><script>console.error("said")</script>
        <figure><svg viewBox="0 0 100 100" width="100"><text x="5" y="50">one</text>
        <text x="6" y="52">other</text><text x="90" y="10">cut off</text></svg></figure>"""
    )
    assert visited.said == ["said"]
    assert page.evaluate(EMPTY) == ["thin"]
    assert len(page.evaluate(TOO_WIDE, WITHIN)) == 2
    assert page.evaluate(BROKEN) == 1
    assert page.evaluate(CUT) == ["cut off", "one"]
    page.close()

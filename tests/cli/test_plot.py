import xml.etree.ElementTree as ElementTree

SVG = "{http://www.w3.org/2000/svg}"


def test_a_picture_of_several_losses(folder, lossfw):
    result = lossfw("plot", "huber", "log_cosh", "-p", "delta=0.5", "--out", "two.svg")
    assert (result.exit_code, result.stderr) == (0, "")
    root = ElementTree.parse(folder / "two.svg").getroot()
    assert root.tag == f"{SVG}svg"
    assert len(root.findall(f".//{SVG}path")) > 20


def test_the_same_picture_has_the_same_bytes(folder, lossfw, process):
    lossfw("plot", "hinge", "logistic", "--out", "a.svg")
    assert process("plot", "hinge", "logistic", "--out", "b.svg").returncode == 0
    assert (folder / "a.svg").read_bytes() == (folder / "b.svg").read_bytes()
    assert b"<dc:date>" not in (folder / "a.svg").read_bytes()


def test_a_png(folder, lossfw):
    assert lossfw("plot", "gelu", "relu", "--out", "pictures/a.PNG").exit_code == 0
    assert (folder / "pictures/a.PNG").read_bytes().startswith(b"\x89PNG")


def test_a_loss_may_be_a_mapping(folder, lossfw):
    arguments = ("plot", "huber", "{name: huber, delta: 0.25}", "--out", "a.svg")
    assert lossfw(*arguments).exit_code == 0
    first = (folder / "a.svg").read_bytes()
    lossfw("plot", "huber", "huber", "--out", "a.svg")
    assert (folder / "a.svg").read_bytes() != first


def test_a_range(folder, lossfw):
    assert lossfw("plot", "exp", "--range", "-1", "2", "--out", "a.svg").exit_code == 0


def test_a_picture_that_cannot_be_written(folder, lossfw):
    (folder / "file").write_text("")
    result = lossfw("plot", "huber", "--out", "file/a.svg")
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr


def test_without_matplotlib_the_extra_is_named(lossfw, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = lossfw("plot", "huber", "--out", "a.svg")
    assert result.exit_code == 2
    assert "lossfw[report]" in result.stderr

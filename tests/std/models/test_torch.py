"""Modules of PyTorch as models: optimizers, files, and what only PyTorch takes or refuses."""

from functools import partial

import numpy as np
import pytest

import lossfw
from lossfw.errors import DataError, ShapeError
from support.models import NETWORKS, fitted, growing_targets, leg_by_leg, network_model

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

NETS = NETWORKS["torch"][0]
torch_model = partial(network_model, "torch")
TWEEDIE = {"name": "tweedie_deviance", "power": 1.5}


@pytest.fixture(scope="module")
def data():
    return growing_targets()


@pytest.fixture(scope="module")
def legs(data):
    """Bytes of each epoch of a training with dropout and statistics of batches."""
    return leg_by_leg(torch_model(), data, TWEEDIE, 4)


@pytest.mark.parametrize(
    "optimizer",
    ["Adam", {"name": "SGD", "momentum": 0.9}, "RMSprop", "NAdam", "Rprop", "Adafactor"],
)
def test_every_optimizer_goes_on_where_it_was(data, optimizer):
    model = torch_model(optimizer=optimizer)
    contents = leg_by_leg(model, data, TWEEDIE, 3)
    assert leg_by_leg(model, data, TWEEDIE, 3, saved=contents[1], first=2)[0] == contents[2]
    forgot = model.cut(contents[1], 2)
    assert leg_by_leg(model, data, TWEEDIE, 3, saved=forgot, first=2)[0] != contents[2]


class TestFilesFromElsewhere:
    """State dicts and programs that lossfw has not written."""

    def test_a_state_dict_shows_its_width_by_the_first_layer(self, data, tmp_path):
        from safetensors.torch import save_model

        net = torch.nn.Sequential(torch.nn.Linear(3, 2))
        (tmp_path / "mine.py").write_text(
            "from torch.nn import Linear, Sequential\ndef net(): return Sequential(Linear(3, 2))\n"
        )
        save_model(net, tmp_path / "mine.safetensors")
        model = torch_model(
            module=f"{tmp_path}/mine.py:net",
            file=tmp_path / "mine.safetensors",
            output_activation="softmax",
        )
        rows = data.inputs[:5].astype(np.float32)
        outputs = model.load_predictor().run_block(rows)
        with torch.no_grad():
            np.testing.assert_allclose(outputs.raw_outputs, net(torch.tensor(rows)), rtol=1e-5)
        np.testing.assert_allclose(outputs.predictions.sum(axis=1), 1, rtol=1e-6)
        assert (tmp_path / "mine.py") in model.code_files().values()

    def test_weights_of_another_module_are_refused(self, legs):
        with pytest.raises(DataError, match=r"its layers\.0\.weight has shape \(8, 3\)"):
            torch_model(arguments={"hidden": 5}).load_predictor(legs[-1])
        with pytest.raises(DataError, match=r"does not fit net\.py:Tied: it lacks first.weight"):
            torch_model("Tied").load_predictor(legs[-1])

    @pytest.mark.slow
    def test_an_exported_program_needs_no_module(self, data, tmp_path):
        net = torch.nn.Linear(3, 2).eval()
        rows = torch.zeros(4, 3)
        dynamic = ({0: torch.export.Dim("rows")},)
        program = torch.export.export(net, (rows,), dynamic_shapes=dynamic)
        torch.export.save(program, tmp_path / "net.pt2")
        model = torch_model(module=None, file=tmp_path / "net.pt2")
        predictor = model.load_predictor()
        inputs = data.inputs[:9].astype(np.float32)
        with torch.no_grad():
            expected = net(torch.tensor(inputs)).numpy()
        np.testing.assert_allclose(predictor.run_block(inputs).predictions, expected, rtol=1e-5)
        assert model.code_files() == {"file": tmp_path / "net.pt2"}
        fixed = torch.export.export(net, (rows,))
        torch.export.save(fixed, tmp_path / "fixed.pt2")
        with pytest.raises(DataError, match="export it with dynamic rows"):
            torch_model(module=None, file=tmp_path / "fixed.pt2").load_predictor()


REFUSED = {
    "a card that is not there": ({"device": "cuda"}, "does not find a GPU"),
    "another file": ({"module": f"{NETS.parent}/nett.py:Net"}, "there is no file"),
    "a broken function": ({"name": "broken"}, "RuntimeError: no such layer"),
    "a tuple": ({"name": "Lstm"}, "net.py:Lstm made tuple of inputs of shape (2, 3)"),
    "an optimizer of another kind": ({"optimizer": "LBFGS"}, "that needs only gradients"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_mistake_is_told_in_words(case, data):
    parameters, message = REFUSED[case]
    with pytest.raises((DataError, ShapeError)) as refusal:
        fitted(torch_model(**parameters), data, TWEEDIE, 1)
    assert message in str(refusal.value)


def test_tensors_of_torch_save_are_converted_by_the_line_in_the_message(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(torch_model()._build_net().state_dict(), "w.pt")
    with pytest.raises(DataError, match=r"w\.pt is a file of torch\.save") as refusal:
        torch_model(file="w.pt").load_predictor()
    exec(str(refusal.value).partition("Python: ")[2])
    assert torch_model(file="model.safetensors", row_shape=[3]).load_predictor().units == 1


def test_the_code_the_device_and_the_weights_decide_a_training(tmp_path, legs):
    nets = tmp_path / "net.py"
    nets.write_bytes(NETS.read_bytes())
    model = torch_model(module=f"{nets}:Net")
    before = model.identity()
    assert before["device"] in ("cpu", "cuda")
    nets.write_text(nets.read_text().replace("0.2", "0.3"))
    (tmp_path / "first.safetensors").write_bytes(legs[0])
    changed = (model, torch_model("Tied"), torch_model(file=tmp_path / "first.safetensors"))
    digests = [before, *(other.identity() for other in changed)]
    assert len({str(one) for one in digests}) == 4
    copy = tmp_path / "copy.py"
    copy.write_bytes(NETS.read_bytes())
    assert torch_model(module=f"{copy}:Net").identity() == torch_model().identity()


CONFIGURATION = f"""\
lossfw: 1
data: {{name: inline, inputs: [[1, 2, 3], [4, 5, 6], [7, 8, 9], [3, 1, 2]], targets: [1, 2, 3, 1]}}
model: {{name: torch, module: "{NETS}:Net"}}
loss: {{name: tweedie_deviance, power: 1.5}}
train: {{epochs: 2, schedule: cosine, hold_out: {{fraction: 0.25}}}}
"""


def test_a_configuration_trains_and_its_folder_is_evaluated(tmp_path):
    file = tmp_path / "net.yaml"
    file.write_text(CONFIGURATION)
    result = lossfw.train(file, out=tmp_path / "a")
    assert [epoch.rate for epoch in result.history] == pytest.approx([0, 1e-3, 5e-4])
    trained = [f"model={{name: trained, folder: {tmp_path / 'a'}}}", "train-"]
    rows = lossfw.run(file, overrides=[*trained, "data.inputs=[[1, 2, 3]]", "data.targets=[1]"])
    assert rows.loss > 0
    np.testing.assert_array_equal(
        result.predict(np.ones((3, 3))),
        np.exp(result.predictor.run_block(np.ones((3, 3))).raw_outputs),
    )

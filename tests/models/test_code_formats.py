"""Files that execute code when their library reads them are recognised, and none is executed."""

import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import zipfile
import zlib
from pathlib import Path

import pytest

from lossfw.errors import DataError
from lossfw.models import Card, Model, Predictor, code_format


class Anything(Model):
    """A model that takes any file."""

    def load(self, content, card):
        return Predictor("anything", content, (1,), 1, lambda x: x[:, 0])


class Witness:
    """Executed when it is unpickled, it makes a folder."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def archive(**entries):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name, content in entries.items():
            file.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return stream.getvalue()


TENSORS = (
    b"\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01ctorch._utils\n_rebuild_tensor_v2\nq\x020."
)
MODULE = b"\x80\x02ctorch.nn.modules.linear\nLinear\nq\x00)\x81q\x01."
LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03."


def contents(witness):
    """Return files that execute code when they are read, and the format of each."""
    loaded = [pickle.dumps(Witness(witness), protocol) for protocol in range(6)]
    return [
        *((content, "pickle") for content in loaded),
        *((pickle.dumps([*range(20_000), Witness(witness)], text), "pickle") for text in (0, 1)),
        *((pack(loaded[4]), "pickle") for pack in (zlib.compress, gzip.compress, bz2.compress)),
        (lzma.compress(loaded[4]), "pickle"),
        (lzma.compress(loaded[4], lzma.FORMAT_ALONE), "pickle"),
        (LEGACY + MODULE + b"\0\0", "torch"),
        (archive(net__data_dot_pkl=MODULE, net__version="3"), "torch"),
        (archive(net__data_dot_pkl=loaded[2]), "torch"),
        (archive(net__data_dot_pkl=TENSORS, net__constants_dot_pkl=loaded[2]), "torchscript"),
        (b"\x89HDF\r\n\x1a\n" + bytes(70_000) + b"model_config", "hdf5"),
        (b"\x89HDF\r\n\x1a\n" + bytes(65_520) + b"model_config", "hdf5"),
    ]


# Files that models need as they are; these are plugin files.
TRUSTED = [
    (archive(metadata_dot_json="{}", config_dot_json="{}"), "keras"),
    (archive(net__archive_format="pt2", net__data__sample_inputs__model_dot_pt=MODULE), "pt2"),
    (archive(serialized_exported_program_dot_json="{}"), "pt2"),
]
DATA = [
    b"tree\nversion=v4\n",
    b"{L\0\0\0\0\0\0\0\x07",
    b'{"learner": {}}',
    b"CBM1",
    b"\x08\x08\x12\x04skl2",
    b"0.",
    b"1,2,3\n",
    b"\x89HDF\r\n\x1a\n" + bytes(70_000) + b"layers",
    archive(schema_dot_json="{}"),
    archive(W1_dot_npy="\x93NUMPY"),
    archive(net__data_dot_pkl=TENSORS, net__version="3"),
    LEGACY + TENSORS + b"torch\0\0",
    b"PK\x03\x04 and nothing more",
]


def test_files_that_execute_code_are_never_read(tmp_path):
    witness = tmp_path / "witness"
    for content, expected in contents(witness):
        file = tmp_path / "model.ubj"
        file.write_bytes(content)
        assert code_format(content) == code_format(file) == expected, content[:60]
        with pytest.raises(
            DataError, match="executes code when it is read, so lossfw does not read it"
        ):
            Anything(file=file).load_predictor()
        assert Anything(file=file).code_files() == {}
        assert not witness.exists()


@pytest.mark.parametrize("content", [*TRUSTED, *((content, None) for content in DATA)])
def test_files_that_are_read_name_those_that_have_to_be_trusted(tmp_path, content):
    content, expected = content
    file = tmp_path / "model.bin"
    file.write_bytes(content)
    assert code_format(content) == code_format(file) == expected, content
    assert Anything(file=file).code_files() == ({"file": file} if expected else {})
    assert expected or Anything(file=file).load_predictor().digest
    assert Anything(file=tmp_path / "missing").code_files() == {}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x80\x04\x8c\x10sklearn.pipeline\x8c\x05x.", r"skops.io.dump\(joblib.load\(.m.pkl.\)"),
        (b"\x80\x04\x8c\x0fxgboost.sklearn, sklearn.", r'\.save_model\("model.ubj"\)'),
        (b"\x80\x04\x8c\x10lightgbm.sklearn.", r'"booster_", m\).save_model\("model.txt"\)'),
        (b"\x80\x04\x8c\x0dcatboost.core.", r'save_model\("model.cbm"\)'),
        (b"\x80\x04\x8c\x08mystery.", r"Save the model as its library saves data: .skops"),
        (archive(m__data_dot_pkl=MODULE), r"torch.load\(.m.pkl., weights_only=False\), .model.saf"),
        (archive(m__constants_dot_pkl=b""), r"torch.jit.load\(.m.pkl.\), .model.safetensors"),
        (b"\x89HDF\r\n\x1a\nmodel_config", r'load_model\(.m.pkl.\).save_weights\("model.weights'),
    ],
)
def test_the_message_has_the_line_that_converts(tmp_path, content, words):
    file = tmp_path / "m.pkl"
    file.write_bytes(content)
    with pytest.raises(DataError, match=words):
        Anything(file=file).load_predictor()


def test_a_card_lets_no_pickle_through(tmp_path):
    file = tmp_path / "model.ubj"
    file.write_bytes(pickle.dumps(Witness(tmp_path / "witness")))
    card = Card("identity", 1, "anything 1.0", "0" * 64)
    (tmp_path / "model.json").write_text(json.dumps(card.to_dict("model.ubj")))
    with pytest.raises(DataError, match="is a pickle, which executes code"):
        Anything(file=file).load_predictor()
    assert not Path(tmp_path / "witness").exists()


def test_lines_convert_files_of_the_libraries(tmp_path, monkeypatch):
    """The lines in the messages, run on files that the libraries have written."""
    joblib = pytest.importorskip("joblib")
    lightgbm = pytest.importorskip("lightgbm")
    xgboost = pytest.importorskip("xgboost")
    monkeypatch.chdir(tmp_path)
    x = [[0.0], [1.0], [2.0], [3.0]]
    for estimator, ending in (
        (xgboost.XGBRegressor(n_estimators=1), "ubj"),
        (lightgbm.LGBMRegressor(n_estimators=1, verbosity=-1), "txt"),
    ):
        joblib.dump(estimator.fit(x, [0.0, 1.0, 2.0, 3.0]), "m.joblib", compress=3)
        with pytest.raises(DataError) as error:
            Anything(file="m.joblib").load_predictor()
        exec(str(error.value).partition("in Python: ")[2])
        assert code_format(Path(f"model.{ending}")) is None

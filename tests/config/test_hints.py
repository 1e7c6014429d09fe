"""A hint names only keys that a configuration has."""

import ast
import re
from pathlib import Path

import lossfw
from lossfw.config.schema.sections import SECTIONS
from lossfw.data.options import DataOptions
from lossfw.nn.initializers import INITIALIZERS
from lossfw.nn.schedules import SCHEDULES

ROOT = Path(__file__).parents[2]
# A key with its value, as a message writes it: "write units: 3", "`flatten: true`".
WRITTEN = re.compile(r"(?:\b[Ww]rite |\b[Ww]ith |\bsay |(?<!`)`)([a-z_]+(?:\.[a-z_]+)*): (?=\S|$)")


def test_every_key_in_a_message_is_a_key_of_a_configuration():
    known = set(DataOptions.model_fields) | {"name", "by", "of"}
    for section in SECTIONS.values():
        known |= set(section.model_fields)
    registry = lossfw.registry()
    for kind in ("loss", "source", "metric", "activation", "optimizer", "model"):
        for entry in registry.entries(kind):
            known |= set(registry.class_of(entry).model_fields)
    for table in (SCHEDULES, INITIALIZERS):
        for cls in table.values():
            known |= set(cls.model_fields)
    found = {(file.name, key) for file, key in keys_in_messages()}
    assert found
    assert {one for one in found if not known.issuperset(one[1].split("."))} == set()


def keys_in_messages():
    files = [*(ROOT / "lossfw").rglob("*.py"), *(ROOT / "plugins/lossfw_std/sources").glob("*.py")]
    for file in files:
        text = file.read_text()
        if not WRITTEN.search(text):
            continue
        nodes = list(ast.walk(ast.parse(text)))
        docstrings = [node.value for node in nodes if isinstance(node, ast.Expr)]
        for node in nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                for key in WRITTEN.findall(node.value) if node not in docstrings else ():
                    yield file, key

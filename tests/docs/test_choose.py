"""The page "Choose a loss": each name exists, and each claim is one that the loss makes."""

import re
from pathlib import Path

import pytest

from lossfw.check.instances import variants
from lossfw.components.plugin_choice import Plugins
from lossfw.errors import UnknownNameError

PAGE = Path(__file__).parents[2] / "docs/how-to/choose-a-loss.md"
LINK = re.compile(r"\[(\w+)\]\(\.\./reference/components\.md#(\w+)\)")
CLAIMS = re.compile(r"[Cc]laims\s+((?:`\w+`(?:,\s+|\s+and\s+)?)+)")
# Items of lists, with the lines that they go on in.
ITEMS = re.findall(r"^- .*(?:\n  .*)*", PAGE.read_text(), re.M)
REGISTRY = Plugins(installed=False).registry()


def claimed(name, *, others=False):
    """Return what a loss claims at its defaults or in another form; with `others`, anywhere."""
    instances = variants(REGISTRY.class_of(REGISTRY.resolve("loss", name)), others=others)
    return {claim for one in instances for claim in one.claims().to_dict()}


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: LINK.search(item)[1])
def test_an_item_names_losses_that_claim_what_it_says(item):
    names = LINK.findall(item)
    assert names
    assert all(words == anchor for words, anchor in names)
    claims = {c for said in CLAIMS.findall(item) for c in re.findall(r"`(\w+)`", said)}
    for name, _ in names:
        assert claims <= claimed(name) or claims <= claimed(name, others=True), name
        # Every other word in code is a parameter of the loss.
        parameters = REGISTRY.class_of(REGISTRY.resolve("loss", name)).model_fields
        assert set(re.findall(r"`([a-z_]+)`", item)) - claims <= set(parameters)
    # It says why, in words.
    assert len(re.sub(r"\[[^)]*\)|`[^`]*`", "", item).split()) >= 4


def test_most_losses_are_on_the_page_and_all_links_lead_to_components():
    linked = {anchor for _, anchor in LINK.findall(PAGE.read_text())}
    losses = {entry.name for entry in REGISTRY.entries("loss")}
    assert len(losses & linked) > 0.85 * len(losses)
    for name in linked - losses:
        REGISTRY.resolve("metric", name)
    with pytest.raises(UnknownNameError):
        REGISTRY.resolve("metric", "no_such_name")

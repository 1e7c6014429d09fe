"""Whether the sections and keys of a configuration are those of its models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from lossfw.components.naming import nearest
from lossfw.config.schema.messages import add_problem
from lossfw.config.schema.sections import (
    SCHEMA_VERSION,
    SECTIONS,
    NetworkSection,
    Skeleton,
    SliceSection,
    named_slice,
)
from lossfw.config.text.tree import Node, Problems, dotted

_OUTPUTS = ("layers", "predictions", "logits")


def check_skeleton(root: Node, problems: Problems, *, training: bool = False) -> Skeleton | None:
    """Check the sections and keys of a configuration.

    Parameters
    ----------
    root : Node
        The configuration, overrides included.
    problems : Problems
        Receives every mistake, in its place.
    training : bool
        A network is to be trained: then there is a section `train`, and layers
        need no weights.

    Returns
    -------
    Skeleton or None
        None if there is a mistake.
    """
    if not isinstance(root.value, dict):
        problems.add(root.at, "a configuration is a mapping", "it begins with 'lossfw: 1'")
        return None
    sound = _check_network(root, problems, training) & _check_hold_out(root, problems)
    if training and root.find(["train"]) is None:
        hint = "give it epochs and an optimizer: train: {epochs: 10, optimizer: sgd}"
        problems.add(root.at, "there is no section train", hint)
        sound = False
    try:
        skeleton = Skeleton.model_validate(root.plain())
    except ValidationError as error:
        for item in error.errors(include_url=False):
            add_problem(problems, root, item, hint=_hint(item))
        return None
    return skeleton if sound else None


def network_section(root: Node) -> NetworkSection | None:
    """Return what a configuration says of the network; None if something of it is wrong.

    It serves where another section is wrong, and repeats no mistake.
    """
    node = root.find(["network"])
    if node is None or not _check_network(root, Problems(), training=False):
        return None
    try:
        return NetworkSection.model_validate(node.plain())
    except ValidationError:
        return None


def slice_section(node: Node) -> SliceSection | None:
    """Return what one item of `evaluate.slices` says; None if something of it is wrong."""
    try:
        return SliceSection.model_validate(named_slice(node.plain()))
    except (ValidationError, PydanticCustomError):
        return None


def _hint(item: Mapping[str, Any]) -> str:
    """Return a hint for an unknown key, or for a missing one."""
    path = [step for step in item["loc"] if isinstance(step, str)]
    if item["type"] == "missing" and path == ["lossfw"]:
        return f"write 'lossfw: {SCHEMA_VERSION}', the version of the configuration's keys"
    if item["type"] != "extra_forbidden":
        return ""
    *inside, key = path
    return _near_key(key, tuple(inside))


def _near_key(key: str, inside: tuple[str, ...]) -> str:
    known = SECTIONS[inside].model_fields
    match = nearest(key, known)
    if match:
        return f"did you mean {match!r}?"
    elsewhere = [path for path, section in SECTIONS.items() if key in section.model_fields]
    if elsewhere:
        return f"did you mean {dotted([*elsewhere[0], key])}?"
    return f"the keys here are {', '.join(known)}"


def _check_hold_out(root: Node, problems: Problems) -> bool:
    """See that what is held out is a share or data of its own."""
    node = root.find(["train", "hold_out"])
    if node is None or not isinstance(node.value, dict):
        return True
    given = [key for key in ("share", "data") if key in node.value]
    if len(given) != 1:
        found = "got both" if given else "neither is given"
        place = root.locate(["train", "hold_out"], key=True)
        problems.add(place, f"train.hold_out should have one of share, data; {found}")
    return len(given) == 1


def _check_network(root: Node, problems: Problems, training: bool) -> bool:
    """See that a network is layers with weights, or predictions, or logits."""
    network = root.find(["network"])
    if network is None or not isinstance(network.value, dict):
        return True  # pydantic says so
    at = root.locate(["network"], key=True)
    there = {key for key, node in network.value.items() if node.value is not None}
    given = [key for key in _OUTPUTS if key in there]
    if len(given) != 1:
        found = f"got {' and '.join(given)}" if given else "none of them is given"
        problems.add(at, f"network should have one of {', '.join(_OUTPUTS)}; {found}")
        return False
    if training:
        if given != ["layers"]:
            place = network.keys[given[0]]
            problems.add(
                place, f"network has {given[0]}, and nothing that could learn", "give layers"
            )
        return given == ["layers"]
    return _check_companions(network, there, given[0], problems)


def _check_companions(network: Node, there: set[str], given: str, problems: Problems) -> bool:
    if given == "layers" and "weights" not in there:
        at = network.keys["layers"]
        problems.add(at, "network.weights is missing", "name the .npz file with W1, b1, W2 ...")
        return False
    beside: Iterable[str] = [] if given == "layers" else ["weights", "dtype"]
    unused = [key for key in beside if key in there]
    for key in unused:
        problems.add(network.keys[key], f"network.{key} has no meaning beside {given}")
    return not unused

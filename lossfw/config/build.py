"""From a configuration to a plan: objects that fit each other, nothing computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from lossfw.config.assemble import Config, assemble, fit, load
from lossfw.config.check import Parts, Rules, check, read
from lossfw.config.digest import digest, versions, without_files
from lossfw.config.files import find_file
from lossfw.config.fit import Fitted, at
from lossfw.config.plugins import Plugins
from lossfw.config.schema import SCHEMA_VERSION
from lossfw.config.tree import Node, Problems
from lossfw.config.wording import indices_in
from lossfw.data import Dataset, Source
from lossfw.data.arrays import read_array
from lossfw.data.files import digest_arrays
from lossfw.data.nested import numbers_array
from lossfw.data.source import file_fields
from lossfw.data.weights import read_weights
from lossfw.evaluate import Plan
from lossfw.learn.initial import INITIALS
from lossfw.learn.schedules import SCHEDULES
from lossfw.network import Network

# What the section `train` names, and no plugin offers.
RULES: Mapping[str, Rules] = {"schedule": SCHEDULES, "initial": INITIALS}

NDArray = np.ndarray[Any, np.dtype[Any]]


def build(name: str, overrides: Sequence[str] = (), plugins: Plugins | None = None) -> Plan:
    """Return the plan that a configuration describes.

    Weights are read and checked against the layers before any data, and every
    part is checked against the others before anything is computed.

    Parameters
    ----------
    name : str
        The configuration file.
    overrides : sequence of str
        ``KEY=VALUE`` each, put in before anything is checked.
    plugins : Plugins, optional
        Which plugins may be used; all that are installed unless given.

    Raises
    ------
    ConfigError
        All mistakes of the file and the overrides, each with its place.
    """
    return build_parts(name, overrides, plugins)[0]


def build_parts(
    name: str, overrides: Sequence[str] = (), plugins: Plugins | None = None
) -> tuple[Plan, Parts]:
    """Return the plan, and the parts that it was made of; see `build`."""
    problems = Problems()
    root = read(name, overrides, problems)
    parts = check(root, plugins or Plugins(), problems, file_fields=file_fields, rules=RULES)
    given = _given(parts, problems)
    problems.raise_if_any()
    config = assemble(parts)
    outputs = _outputs(config, given, problems)
    data = load(config.source, ["data"], config.root, problems)
    shape = outputs.shape(len(data))
    fitted = fit(config, outputs.network, shape, data, problems)
    sample = _draw(config, len(data), problems)
    problems.raise_if_any()
    plan = Plan(
        data=data,
        loss=fitted.loss,
        network=outputs.network,
        outputs=outputs.saved,
        outputs_form=fitted.form,
        metrics=config.metrics,
        batch_size=config.skeleton.evaluate.batch_size,
        sample=sample,
        digest=_digest(config, outputs, data, fitted),
    )
    return plan, parts


def _given(parts: Parts, problems: Problems) -> Path | NDArray | None:
    """Return the file of weights or of saved outputs, or outputs that are written inline."""
    for key in ("weights", "predictions", "logits"):
        node = parts.root.find(["network", key])
        if node is None or not node.value:
            continue
        if isinstance(node.value, list):
            return _inline(parts.root, key, node, problems)
        if isinstance(node.value, str) and key != "weights":
            return find_file(node, problems)
        # A source that is wrong itself may be the one that brings the weights.
        if isinstance(node.value, str) and parts.source is not None:
            return find_file(node, problems, bundled=cast(Source, parts.source).bundled)
    return None


def _inline(root: Node, key: str, node: Node, problems: Problems) -> NDArray | None:
    try:
        return numbers_array(node.plain(), finite=False)
    except ValueError as error:
        place = root.locate(["network", key, *indices_in(str(error))])
        problems.add(place, f"network.{key} should be {error}")
        return None


@dataclass(frozen=True)
class _Outputs:
    """Where predictions come from: a network, or an array of saved ones."""

    network: Network | None = None
    saved: NDArray | None = None

    def shape(self, rows: int) -> tuple[int, ...]:
        """Return the shape of what comes out for so many rows."""
        if self.network is not None:
            return (rows, self.network.units)
        return () if self.saved is None else self.saved.shape

    def digest(self) -> str:
        """Return the digest of the weights, or of the saved outputs."""
        layers = () if self.network is None else self.network.layers
        weights = [array for layer in layers for array in (layer.weight, layer.bias)]
        return digest_arrays(*weights, self.saved)


def _outputs(config: Config, given: Path | NDArray | None, problems: Problems) -> _Outputs:
    """Read weights and check them against the layers, or read saved outputs."""
    if not isinstance(given, Path):
        return _Outputs(saved=given)
    key = "weights" if config.form == "layers" else config.form
    with at(config.root, ["network", key], problems):
        if config.form == "layers":
            return _Outputs(network=_network(config, given))
        return _Outputs(saved=read_array(given, config.form))
    raise problems.error()


def _network(config: Config, file: Path) -> Network:
    dtype = config.skeleton.network.dtype
    return Network.from_arrays(config.layers, read_weights(file), str(file), dtype)


def _draw(config: Config, rows: int, problems: Problems) -> tuple[int, ...] | None:
    """Draw the rows of a sample, from a generator of its own."""
    sample = config.skeleton.evaluate.sample
    if sample is None:
        return None
    if sample.count > rows and not sample.replace:
        problems.add(
            config.root.locate(["evaluate", "sample", "count"]),
            f"{sample.count} rows cannot be drawn from {rows} without drawing one twice",
            f"write replace: true, or a count of at most {rows}",
        )
        return None
    seed = config.skeleton.seed if sample.seed is None else sample.seed
    drawn = np.random.default_rng(seed).choice(rows, sample.count, replace=sample.replace)
    return tuple(drawn.tolist())


def _digest(config: Config, outputs: _Outputs, data: Dataset, fitted: Fitted) -> str:
    """Return the digest of all that decides the numbers; the batch size does not."""
    sample = config.skeleton.evaluate.sample
    seed = {"seed": config.skeleton.seed}
    activations = [activation.to_config() for activation in config.activations]
    return digest(
        {
            "lossfw": SCHEMA_VERSION,
            "data": [without_files(config.source, file_fields), data.digest],
            "network": [config.form, activations, outputs.digest()],
            "loss": [fitted.loss.to_config(), fitted.form],
            "metrics": [metric.to_config() for metric in config.metrics],
            "sample": sample and seed | sample.model_dump(exclude_none=True),
            "plugins": versions(config.entries),
        }
    )

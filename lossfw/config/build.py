"""From a configuration to a plan: objects that fit each other, nothing computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from lossfw.activation import Activation
from lossfw.config.check import Parts, Plugins, check, read
from lossfw.config.digest import digest, versions, without_files
from lossfw.config.files import find_file
from lossfw.config.fit import (
    Fitted,
    at,
    check_metrics,
    check_shapes,
    fit_to_network,
    fit_to_outputs,
)
from lossfw.config.schema import SCHEMA_VERSION, Skeleton
from lossfw.config.tree import Node, Problems
from lossfw.config.wording import indices_in
from lossfw.data import Dataset, Source
from lossfw.data.arrays import read_array
from lossfw.data.files import digest_arrays
from lossfw.data.nested import numbers_array
from lossfw.data.source import file_fields
from lossfw.data.weights import read_weights
from lossfw.errors import DataError
from lossfw.evaluate import Plan
from lossfw.loss import Loss
from lossfw.metrics import Metric
from lossfw.network import LayerSpec, Network

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
    problems = Problems()
    root = read(name, overrides, problems)
    parts = check(root, plugins or Plugins(), problems, file_fields=file_fields)
    given = _what_is_given(parts, problems)
    problems.raise_if_any()
    outputs = _outputs(parts, given, problems)
    data = _load(parts, problems)
    fitted = _fit(parts, outputs, data, problems)
    sample = _draw(parts, len(data), problems)
    problems.raise_if_any()
    return Plan(
        data=data,
        loss=fitted.loss,
        network=outputs.network,
        outputs=outputs.saved,
        outputs_form=fitted.form,
        metrics=cast("tuple[Metric, ...]", parts.metrics),
        batch_size=_skeleton(parts).evaluate.batch_size,
        sample=sample,
        digest=_digest(parts, outputs, data, fitted),
    )


@dataclass(frozen=True)
class _Outputs:
    """Where predictions come from: a network, or an array of saved ones."""

    network: Network | None = None
    saved: NDArray | None = None

    def shape(self, rows: int) -> tuple[int, ...]:
        """Return the shape of what comes out for so many rows."""
        return (rows, self.network.units) if self.network is not None else self._saved.shape

    def digest(self) -> str:
        """Return the digest of the weights, or of the saved outputs."""
        if self.network is None:
            return digest_arrays(self._saved)
        return digest_arrays(
            *(a for layer in self.network.layers for a in (layer.weight, layer.bias))
        )

    @property
    def _saved(self) -> NDArray:
        assert self.saved is not None
        return self.saved


def _skeleton(parts: Parts) -> Skeleton:
    assert parts.skeleton is not None
    return parts.skeleton


def _form(parts: Parts) -> str:
    """Return which of the three forms of a network the configuration has."""
    network = _skeleton(parts).network
    forms = ("layers", "predictions", "logits")
    return next(key for key in forms if getattr(network, key) is not None)


def _what_is_given(parts: Parts, problems: Problems) -> Path | NDArray | None:
    """Return the file of weights or of saved outputs, or outputs that are written inline."""
    for key in ("weights", "predictions", "logits"):
        node = parts.root.find(["network", key])
        if node is None or not node.value:
            continue
        if isinstance(node.value, list):
            return _inline(parts.root, key, problems)
        if isinstance(node.value, str) and key != "weights":
            return find_file(node, problems)
        # A source that is wrong itself may be the one that brings the weights.
        if isinstance(node.value, str) and parts.source is not None:
            return find_file(node, problems, bundled=cast(Source, parts.source).bundled)
    return None


def _inline(root: Node, key: str, problems: Problems) -> NDArray | None:
    node = root.find(["network", key])
    assert node is not None
    try:
        return numbers_array(node.plain(), finite=False)
    except ValueError as error:
        place = root.locate(["network", key, *indices_in(str(error))])
        problems.add(place, f"network.{key} should be {error}")
        return None


def _outputs(parts: Parts, given: Path | NDArray | None, problems: Problems) -> _Outputs:
    """Read weights and check them against the layers, or read saved outputs."""
    form = _form(parts)
    if not isinstance(given, Path):
        return _Outputs(saved=given)
    with at(parts.root, ["network", "weights" if form == "layers" else form], problems):
        if form == "layers":
            return _Outputs(network=_network(parts, given))
        return _Outputs(saved=read_array(given, form))
    raise problems.error()


def _network(parts: Parts, file: Path) -> Network:
    section = _skeleton(parts).network
    assert section.layers is not None
    activations = cast("tuple[Activation, ...]", parts.activations)
    specs = [
        LayerSpec(layer.units, activation)
        for layer, activation in zip(section.layers, activations, strict=True)
    ]
    return Network.from_arrays(specs, read_weights(file), str(file), section.dtype)


def _load(parts: Parts, problems: Problems) -> Dataset:
    with at(parts.root, ["data"], problems):
        return cast(Source, parts.source).load()
    raise problems.error()


def _fit(parts: Parts, outputs: _Outputs, data: Dataset, problems: Problems) -> Fitted:
    """Check the parts against each other, and choose the form of the loss."""
    root, form, loss = parts.root, _form(parts), cast(Loss, parts.loss)
    if form == "layers":
        last = cast(Activation, parts.activations[-1])
        fitted = fit_to_network(loss, last, root, problems)
    else:
        fitted = fit_to_outputs(loss, form, root, problems)
    # Metrics see what the last activation gives, also where the loss was fused with it.
    check_metrics(parts.metrics, loss.form if form == "layers" else fitted.form, root, problems)
    if outputs.network is not None:
        with at(root, ["data"], problems):
            outputs.network.check_inputs(_inputs(data).shape)
    last_units = ["layers", len(parts.activations) - 1, "units"]
    with at(root, ["network", *(last_units if form == "layers" else [form])], problems):
        check_shapes(fitted.loss, outputs.shape(len(data)), data.targets)
    return fitted


def _inputs(data: Dataset) -> NDArray:
    if data.inputs is None:
        raise DataError(
            f"the data {data.name!r} have no inputs, and a network needs them: give them, or "
            "give predictions in place of the network"
        )
    return data.inputs


def _draw(parts: Parts, rows: int, problems: Problems) -> tuple[int, ...] | None:
    """Draw the rows of a sample, from a generator of its own."""
    skeleton = _skeleton(parts)
    sample = skeleton.evaluate.sample
    if sample is None:
        return None
    if sample.count > rows and not sample.replace:
        problems.add(
            parts.root.locate(["evaluate", "sample", "count"]),
            f"{sample.count} rows cannot be drawn from {rows} without drawing one twice",
            f"write replace: true, or a count of at most {rows}",
        )
        return None
    seed = skeleton.seed if sample.seed is None else sample.seed
    drawn = np.random.default_rng(seed).choice(rows, sample.count, replace=sample.replace)
    return tuple(drawn.tolist())


def _digest(parts: Parts, outputs: _Outputs, data: Dataset, fitted: Fitted) -> str:
    """Return the digest of all that decides the numbers; the batch size does not."""
    skeleton = _skeleton(parts)
    assert parts.source is not None
    sample = skeleton.evaluate.sample
    return digest(
        {
            "lossfw": SCHEMA_VERSION,
            "data": [without_files(parts.source, file_fields), data.digest],
            "network": [
                _form(parts),
                [a.to_config() for a in parts.activations],
                outputs.digest(),
            ],
            "loss": [fitted.loss.to_config(), fitted.form],
            "metrics": [metric.to_config() for metric in parts.metrics],
            "sample": sample and {"seed": skeleton.seed, **sample.model_dump(exclude_none=True)},
            "plugins": versions(parts.entries),
        }
    )

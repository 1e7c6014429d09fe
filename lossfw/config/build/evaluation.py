"""From a configuration to a plan: objects that fit each other, nothing computed."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from lossfw.components.plugin_choice import Plugins
from lossfw.config.build.digest import digest, versions, without_files
from lossfw.config.build.fusion import Fitted, at
from lossfw.config.build.parts import Config, Sound, assemble, fit, load, sound
from lossfw.config.build.report_options import Asked, asked
from lossfw.config.schema.checked import Parts, check, read
from lossfw.config.schema.messages import indices_in
from lossfw.config.schema.sections import SCHEMA_VERSION
from lossfw.config.text.files import find_file
from lossfw.config.text.tree import Node, Problems
from lossfw.data import Dataset, Source
from lossfw.data.arrays import read_array
from lossfw.data.files import digest_arrays
from lossfw.data.literals import numbers_array
from lossfw.data.source import file_fields
from lossfw.data.weights import read_weights
from lossfw.evaluation.plan import Plan
from lossfw.nn.dense import Network
from lossfw.numerics.arrays import NDArray

# Rows that were read already, by their source: the runs of a sweep share them.
Loaded: TypeAlias = MutableMapping[Source, Dataset]


def build(name: str, overrides: Sequence[str] = (), plugins: Plugins | None = None) -> Plan:
    """Return the plan that a configuration describes.

    Every part is checked against the others before anything is computed, also
    where some part is wrong, as far as the others go.

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
    return build_tree(root, plugins or Plugins(), problems)


def build_tree(
    root: Node, plugins: Plugins, problems: Problems, loaded: Loaded | None = None
) -> tuple[Plan, Parts]:
    """Return the plan of a configuration that has been read; see `build`.

    Parameters
    ----------
    root : Node
        The configuration, overrides included.
    plugins : Plugins
        Which plugins may be used.
    problems : Problems
        Receives every mistake.
    loaded : mapping, optional
        Rows by their source. What is read is put in, and not read again.

    Raises
    ------
    ConfigError
        All that `problems` holds, if it holds anything.
    """
    parts = check(root, plugins, problems, file_fields=file_fields)
    refuse_sweep(root, problems)
    right = sound(parts)
    outputs = _outputs(right, given_outputs(right, parts.files, problems), problems)
    data = _data(right, {} if loaded is None else loaded, problems)
    shape = None if outputs is None or outputs.saved is None else outputs.saved.shape
    network = None if outputs is None else outputs.network
    fitted = fit(right, network, shape, data, problems)
    wanted = asked(root, parts.skeleton, data, problems)
    problems.raise_if_any()
    # What is missing would have been told.
    assert outputs is not None
    assert data is not None
    assert fitted is not None
    assert wanted is not None
    return _plan(assemble(parts), outputs, data, fitted, wanted), parts


def _plan(config: Config, outputs: _Outputs, data: Dataset, fitted: Fitted, wanted: Asked) -> Plan:
    evaluate = config.skeleton.evaluate
    return Plan(
        data=data,
        loss=fitted.loss,
        network=outputs.network,
        outputs=outputs.saved,
        outputs_form=fitted.form,
        metrics=config.metrics,
        batch_size=evaluate.batch_size,
        sample=wanted.sample,
        rows=evaluate.rows,
        intervals=wanted.intervals,
        slices=wanted.slices,
        digest=_digest(config, outputs, data, fitted, wanted),
    )


def refuse_sweep(root: Node, problems: Problems) -> None:
    """Record a sweep where a single run is wanted."""
    if root.find(["sweep"]) is not None:
        problems.add(
            root.locate(["sweep"], key=True),
            "a sweep describes several runs, and one is wanted here",
            "lossfw run makes them one by one; for a single one leave sweep out: -o sweep-",
        )


def _data(right: Sound, loaded: Loaded, problems: Problems) -> Dataset | None:
    """Return the rows, None if they are not known."""
    if right.source is None:
        return None
    if right.source not in loaded:
        data = load(right.source, ["data"], right.root, problems)
        if data is None:
            return None
        loaded[right.source] = data
    return loaded[right.source]


def given_outputs(
    right: Sound, files: dict[tuple[str | int, ...], str], problems: Problems
) -> Path | NDArray | None:
    """Return the file of weights or of saved outputs, or outputs that are written inline.

    Parameters
    ----------
    right : Sound
        The parts of the configuration.
    files : dict
        Receives the absolute name of the file, unless it comes with a plugin.
    problems : Problems
        Receives what is wrong.
    """
    for key in ("weights", "predictions", "logits"):
        node = right.root.find(["network", key])
        if node is None or not node.value:
            continue
        if isinstance(node.value, list):
            return _inline(right.root, key, node, problems)
        if isinstance(node.value, str):
            return _file(key, node, right.source, files, problems)
    return None


def _file(
    key: str,
    node: Node,
    source: Source | None,
    files: dict[tuple[str | int, ...], str],
    problems: Problems,
) -> Path | None:
    # A source that is wrong itself may be the one that brings the weights.
    if key == "weights" and source is None:
        return None
    bundled = source.bundled if key == "weights" and source is not None else None
    path = find_file(node, problems, bundled=bundled)
    if path is not None and (bundled is None or path != bundled(node.value)):
        files["network", key] = str(path)
    return path


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

    def digest(self) -> str:
        """Return the digest of the weights, or of the saved outputs."""
        weights = () if self.network is None else self.network.arrays
        return digest_arrays(*weights, self.saved)


def _outputs(right: Sound, given: Path | NDArray | None, problems: Problems) -> _Outputs | None:
    """Read weights and check them against the layers, or read saved outputs."""
    if given is None or right.form is None:
        return None
    if not isinstance(given, Path):
        return _Outputs(saved=given)
    key = "weights" if right.form == "layers" else right.form
    with at(right.root, ["network", key], problems):
        if right.form != "layers":
            return _Outputs(saved=read_array(given, right.form))
        layers = right.layers
        dtype = right.network.dtype if right.network is not None else None
        if layers is not None:
            arrays = read_weights(given)
            return _Outputs(network=Network.from_arrays(layers, arrays, str(given), dtype))
    return None


def _digest(config: Config, outputs: _Outputs, data: Dataset, fitted: Fitted, wanted: Asked) -> str:
    """Return the digest of all that decides the numbers; the batch size does not."""
    sample = config.skeleton.evaluate.sample
    seed = {"seed": config.skeleton.seed}
    activations = [activation.to_config() for activation in config.activations]
    return digest(
        {
            "lossfw": SCHEMA_VERSION,
            "data": [without_files(config.source, file_fields), data.digest],
            "network": [config.sound.form, activations, outputs.digest()],
            "loss": [fitted.loss.to_config(), fitted.form],
            "metrics": [metric.to_config() for metric in config.metrics],
            "sample": sample and seed | sample.model_dump(exclude_none=True),
            "plugins": versions(config.entries),
            **wanted.described(),
        }
    )

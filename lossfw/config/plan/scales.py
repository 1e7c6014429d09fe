"""The number that inputs are divided by: that of the run and that of the training should agree."""

from __future__ import annotations

from lossfw.config.schema.checked import CheckedConfig, ConfigPath
from lossfw.data import Source
from lossfw.data.options import DataOptions


def divisor_of(source: Source, options: DataOptions) -> float:
    """Return the number that the inputs of a source are divided by, 1 for none.

    A source may have a parameter `scale` of its own, in place of the key.
    """
    own = getattr(source, "scale", None) if "scale" in type(source).model_fields else None
    scale = options.scale if own is None else own
    return float(scale) if isinstance(scale, int | float) else 1.0


def check_divisor(
    config: CheckedConfig,
    source: Source | None,
    options: DataOptions,
    path: ConfigPath,
    trained: float | None,
) -> None:
    """Refuse inputs that lack the divisor of the training, and note another divisor.

    Inputs may come divided already: ``scale: 1`` says so. `trained` is the divisor of the training,
    None if it is not known.
    """
    if source is None or trained is None or (given := divisor_of(source, options)) == trained:
        return
    before = f"the weights were trained with scale: {trained:.12g}"
    if trained == 1:
        before = "the weights were trained without scale"
    if config.has(*map(str, path), "scale"):
        place = ".".join(map(str, path))
        config.notes.append(f"{before}, and {place}.scale is {given:.12g}: the inputs may differ")
        return
    config.add(
        path,
        f"{before}, and these inputs are not divided",
        f"write scale: {trained:.12g}; or scale: 1, if they are divided already",
    )

"""The options ``--by`` and ``--bins``, which compare parts of the rows of runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from lossfw.evaluation.slices import Slice


def by_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options; `slice_of` makes a slice of what they say."""
    by = click.option(
        "--by",
        metavar="WHAT",
        help="Also compare parts of the rows: by target, or by a column of the data, as "
        "column.region.",
    )
    bins = click.option(
        "--bins",
        metavar="EDGES",
        help="With --by, the edges between the parts of a number, as 30,50.",
    )
    return by(bins(command))


def slice_of(by: str | None, bins: str | None) -> Slice | None:
    """Return the slice of ``--by`` and ``--bins``, None without.

    Raises
    ------
    UsageError
        If there are edges and nothing to cut, or an edge is not a number.
    LossfwError
        If rows cannot be told apart by it.
    """
    # Imported here: listing components needs no evaluation.
    from lossfw.runs.compare.by_slice import slice_of_runs

    if by is None:
        if bins is not None:
            raise click.UsageError("--bins cuts the numbers of --by WHAT: give it too.")
        return None
    try:
        edges = [float(edge) for edge in (bins or "").split(",") if edge.strip()]
    except ValueError:
        raise click.UsageError(f"--bins {bins!r}: expected numbers, as in --bins 30,50.") from None
    return slice_of_runs(by, edges)

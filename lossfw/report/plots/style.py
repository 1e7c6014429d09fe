"""The look of every picture: matplotlib's settings, the same bytes each time."""

from __future__ import annotations

from typing import Any

SETTINGS: dict[str, Any] = {
    # Names of clipping paths and the like come from this and not from chance.
    "svg.hashsalt": "lossfw",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
}

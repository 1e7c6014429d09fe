"""Losses for lossfw."""

from lossfw import hookimpl

# The version of lossfw's hooks that this plugin uses.
lossfw_api = 1


@hookimpl
def lossfw_losses():
    """Offer the losses by name; each is imported when it is used."""
    return {"tilted": "lossfw_tilted.tilted:Tilted"}

"""Test the claims of the losses, and the laws that hold for every loss."""

from lossfw.check import parametrize_with_checks

from lossfw_tilted.tilted import Tilted


@parametrize_with_checks([Tilted(), Tilted(tilt=0.3)])
def test_checks(component, check):
    check(component)

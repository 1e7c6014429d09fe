"""The losses keep what they claim, and the laws that every loss is held to."""

from lossfw.check import parametrize_with_checks

from lossfw_tilted.tilted import Tilted


@parametrize_with_checks([Tilted(), Tilted(tilt=0.3)])
def test_checks(component, check):
    check(component)

"""Source text of small plugins; what the tests of the registry install."""

HEAD = """
from typing import ClassVar
from lossfw.components.component import Component
from lossfw.components.hookspecs import hookimpl
"""

# A loss of groups: the variance of the residuals of each.
SPREAD = """\
from lossfw import GroupLoss, hookimpl

class Spread(GroupLoss):
    def value(self, xp, y, t):
        r = y - t
        return xp.mean((r - xp.mean(r, axis=-1, keepdims=True)) ** 2, axis=-1)

@hookimpl
def lossfw_losses():
    return {"spread": Spread}
"""


def loss(class_name, body="c: float = 1.0"):
    """Return the source of a component of kind loss."""
    return f'''
class {class_name}(Component):
    """{class_name}, for a test."""
    kind: ClassVar[str] = "loss"
    {body}
'''


def hook(table, name="lossfw_losses", parameters=""):
    """Return the source of a hook that returns `table`, given as source."""
    return f"""
@hookimpl
def {name}({parameters}):
    return {table}
"""


def plugin(*class_names):
    """Return the source of a plugin that offers such losses, by class."""
    from lossfw.components.naming import snake_case

    table = ", ".join(f"{snake_case(name)!r}: {name}" for name in class_names)
    return HEAD + "".join(map(loss, class_names)) + hook(f"{{{table}}}")

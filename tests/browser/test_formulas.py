"""The JavaScript of formulas in a real browser: the numbers of the same graph in Python."""

import json

import numpy as np
import pytest

import lossfw
from lossfw.numerics.symbolic.written import write
from lossfw.report.formulas.javascript import javascript
from support.activation_samples import ELEMENTWISE
from support.loss_settings import ALL, arguments

LINE = np.concatenate([np.linspace(-20, 20, 81), [0.0, 1e-30, 1e8]])
COMPONENTS = [loss for loss in ALL if not loss.takes_rows]
COMPONENTS += [lossfw.activation(name, **p) for name, p in ELEMENTWISE]

# The browser's elementary functions and NumPy's differ by some units in the last place,
# which a difference of two of them makes larger.
CLOSE = 1e-9


def given(component):
    if isinstance(component, lossfw.Activation):
        return {"x": LINE}
    y, t = arguments(component)
    return {"r": y - t, "m": y * t, "y": y, "z": y, "t": t}


@pytest.mark.parametrize("which", ["value", "derivative", "second_derivative"])
def test_the_browser_computes_what_python_computes(browser, which):
    page = browser.new_page()
    for component in COMPONENTS:
        script = javascript(component, which)
        arrays = {name: given(component)[name] for name in script.traced.arguments}
        used = {name: arrays[name] for name in script.traced.graph.inputs()} or arrays
        wanted = write(script.traced.graph)(**{**used, **script.traced.parameters})[0]
        rows = json.dumps(np.stack(list(arrays.values()), axis=-1).tolist())
        numbers = json.dumps(list(script.traced.parameters.values()))
        found = page.evaluate(
            f"() => {{ {script.source}\n return {rows}.map(row => "
            f"String({which}(...row, ...{numbers}))); }}"
        )
        numbers, told = np.array([float(x) for x in found]), f"{component!r} {script.source}"
        np.testing.assert_allclose(numbers, wanted.astype(float), CLOSE, CLOSE, err_msg=told)
    page.close()

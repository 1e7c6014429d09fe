import lossfw as face

PLUGIN = """
from lossfw import DistanceLoss, hookimpl


class Plain(DistanceLoss):
    '''The residual [sic] itself.

    More about it.
    '''

    def value(self, xp, r):
        return r


@hookimpl
def lossfw_losses():
    return {"plain": Plain, "simple": "plain", "lost": "acme_plugin:Lost"}
"""


def test_every_component_has_a_line(lossfw):
    result = lossfw("list")
    assert (result.exit_code, result.stderr) == (0, "")
    head, *lines = result.stdout.splitlines()
    assert head.split() == ["kind", "name", "plugin", "what", "it", "is"]
    assert len(lines) == len(face.registry().entries())
    (line,) = [line for line in lines if "squared_error" in line]
    assert line.startswith("loss ")
    assert "mse" in line
    assert "lossfw[std]" in line
    assert "broken" not in result.stdout


def test_components_as_json(lossfw, in_json, install):
    install("acme", {"acme": "acme_plugin"}, {"acme_plugin": PLUGIN}, version="2.0")
    listed = in_json("list", "loss")
    assert listed["lossfw"] == 1
    found = {entry["name"]: entry for entry in listed["components"]}
    own = {"kind": "loss", "name": "plain", "state": "loaded", "reason": ""}
    assert found["plain"] == own | {
        "aliases": ["simple"],
        "plugin": "acme[acme]",
        "distribution": "acme",
        "version": "2.0",
        "summary": "The residual [sic] itself.",
    }
    assert found["lost"]["state"] == "broken"
    assert "Lost" in found["lost"]["reason"]
    text = lossfw("list", "loss").stdout
    assert "The residual [sic] itself." in text
    assert "broken: " in text
    # And as those of their plugin.
    plugins = in_json("plugins")["plugins"]
    (acme,) = [plugin for plugin in plugins if plugin["distribution"] == "acme"]
    assert acme["version"] == "2.0"
    assert own in acme["components"]
    (lost,) = [one for one in acme["components"] if one["name"] == "lost"]
    assert (lost["state"], "'lost'" in lost["reason"]) == ("broken", True)
    assert in_json("plugins", "--no-plugins")["plugins"]


def test_every_plugin_has_a_line_with_state_and_reason(lossfw, install):
    install("acme", {"acme": "acme_plugin"}, {"acme_plugin": "1 / 0"})
    install("bravo", {"bravo": "bravo_plugin"}, {"bravo_plugin": PLUGIN.replace("acme", "bravo")})

    def line_of(plugin, *options):
        result = lossfw("plugins", *options)
        assert (result.exit_code, result.stderr) == (0, "")
        return next(line for line in result.stdout.splitlines() if line.startswith(plugin))

    for plugin, options, words in (
        ("acme[acme]", (), ("broken", "ZeroDivisionError")),
        ("bravo[bravo]", (), (" loaded  1 of 2 ", "'lost'")),
        ("lossfw[std]", (), ("loaded",)),
        ("bravo[bravo]", ("--disable", "bravo"), ("disabled", "--disable")),
    ):
        for word in words:
            assert word in line_of(plugin, *options)

"""Messages about unknown names, duplicate names and unusable plugins."""

from __future__ import annotations

from collections.abc import Sequence

from lossfw.components.naming import did_you_mean, did_you_mean_any
from lossfw.components.registry.records import Entry, Plugin, PluginMetadata
from lossfw.components.registry.tables import names_of
from lossfw.errors import DuplicateNameError, UnknownNameError

# Kinds whose names in prose differ from their names in code.
_NOUNS = {"source": "data source"}
_PLURALS = {"loss": "losses"}


def kind_noun(kind: str) -> str:
    """Return the noun for a kind."""
    return _NOUNS.get(kind, kind)


def kind_nouns(kind: str) -> str:
    """Return the plural of a kind."""
    return _PLURALS.get(kind, f"{kind_noun(kind)}s")


def unknown_name_error(
    kind: str, name: str, entries: Sequence[Entry], plugins: Sequence[Plugin]
) -> UnknownNameError:
    """Return the error for a name that no usable plugin offers."""
    same = [entry for entry in entries if entry.kind == kind]
    elsewhere = [kind_noun(e.kind) for e in entries if e.kind != kind and name in e.names]
    # Wrappers are among the losses: a number of them all would be that of no page.
    known = (
        f"`lossfw list` shows all {kind_nouns(kind)}."
        if same
        else f"No {kind_noun(kind)} is known."
    )
    parts = [
        f"There is no {kind_noun(kind)} {name!r}.",
        f"It is the name of another kind: {', '.join(elsewhere)}." if elsewhere else "",
        did_you_mean_any(name, names_of(same)),
        known,
    ]
    lines = [" ".join(part for part in parts if part)]
    if not any(plugin.metadata.builtin for plugin in plugins):
        lines.append(
            "The built-in components were not found, since lossfw is not installed here: install "
            "it with pip instead of putting its folder on the path."
        )
    lines += [
        f"{_unusable_reason(plugin)}; it may offer {name!r}."
        for plugin in plugins
        if is_unusable(plugin)
    ]
    return UnknownNameError("\n".join(lines))


def not_offered_error(kind: str, name: str, plugins: Sequence[Plugin]) -> UnknownNameError:
    """Return the error for ``dist/name`` if the plugins of the distribution lack the name."""
    offered = names_of(e for plugin in plugins for e in plugin.entries if e.kind == kind)
    labels = " and ".join(plugin.label for plugin in plugins)
    return UnknownNameError(
        f"{labels} offers no {kind_noun(kind)} {name!r}. {did_you_mean(name, offered)} "
        f"Its {kind_nouns(kind)}: {', '.join(offered) or 'none'}.".replace("  ", " ")
    )


def unknown_plugin_error(name: str, plugins: Sequence[PluginMetadata]) -> UnknownNameError:
    """Return the error for an unknown plugin."""
    known = sorted({plugin.distribution for plugin in plugins})
    return UnknownNameError(
        f"There is no plugin {name!r}. {did_you_mean(name, known)} "
        f"Found: {', '.join(known) or 'none'}; `lossfw plugins` shows them.".replace("  ", " ")
    )


def duplicate_name_error(kind: str, name: str, rivals: Sequence[Entry]) -> DuplicateNameError:
    """Return the error for a name that several plugins offer."""
    rivals = sorted(rivals, key=lambda entry: (not entry.plugin.builtin, entry.label))
    origins = " and ".join(str(entry.plugin) for entry in rivals)
    choices = " or ".join(repr(f"{qualifier(entry, rivals)}/{name}") for entry in rivals)
    return DuplicateNameError(
        f"The {kind_noun(kind)} {name!r} is offered by {origins}: write {choices}, or disable a "
        "plugin with LOSSFW_DISABLE"
    )


def also_offered_by(name: str, rival: Entry) -> str:
    """Return a sentence about another plugin that offers a name."""
    return f"the {kind_noun(rival.kind)} {name!r} is offered by {rival.plugin} too"


def qualifier(entry: Entry, rivals: Sequence[Entry]) -> str:
    """Return the shortest name of an entry's plugin that no rival has."""
    same = [rival for rival in rivals if rival.plugin.is_called(entry.distribution)]
    return entry.distribution if len(same) == 1 else entry.label


def is_unusable(plugin: Plugin) -> bool:
    """Tell whether a plugin could not be loaded, so that its components are not known."""
    return plugin.state in ("broken", "disabled", "incompatible")


def _unusable_reason(plugin: Plugin) -> str:
    if plugin.state == "disabled":
        return f"Plugin {plugin.metadata} is disabled by {plugin.reason}"
    return f"Plugin {plugin.metadata} could not be loaded: {plugin.reason}"

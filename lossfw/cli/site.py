"""``lossfw site``: pages of components as HTML."""

from __future__ import annotations

from pathlib import Path

import click

from lossfw.cli.command import Command


@click.command(cls=Command)
@click.option("--out", required=True, metavar="DIR", help="The folder for the pages.")
@click.option(
    "--plugin",
    metavar="NAME",
    help="Only the components of an installed plugin, by its distribution, or of a .py file.",
)
@click.option("--no-plugins", is_flag=True, help="Only the built-in components.")
@click.option(
    "--docs",
    metavar="DIR",
    help="Pages in Markdown, with an index.md, that become chapters next to the components.",
)
@click.option(
    "--figures",
    metavar="DIR",
    help="Where checks.json and accuracy.json are; the folder reference of --docs if not given.",
)
@click.option(
    "--title", help="The title of the site; by default the name of the plugin, or lossfw."
)
def site(
    out: str,
    plugin: str | None,
    no_plugins: bool,
    docs: str | None,
    figures: str | None,
    title: str | None,
) -> None:
    """Write a site with a page for each component, and a gallery of all.

    The pages need no network and no server. It needs the libraries of lossfw[docs].
    """
    from lossfw.cli.arguments import usable_entries
    from lossfw.components.plugin_choice import Plugins
    from lossfw.errors import ArgumentError
    from lossfw.report.site.build import build, require_docs
    from lossfw.report.site.content import collect_content, read_measured
    from lossfw.runs.files import write_stdout

    require_docs()
    if docs is not None and not (Path(docs) / "index.md").is_file():
        raise ArgumentError(f"--docs {docs}: expected a folder with an index.md.")
    if plugin is not None and no_plugins:
        raise ArgumentError("give --plugin or --no-plugins, not both.")
    local = [plugin] if plugin is not None and plugin.endswith(".py") else []
    registry = Plugins(local, installed=not no_plugins).registry()
    folder = figures or (docs and str(Path(docs) / "reference"))
    measured = read_measured(Path(folder) if folder else None)
    content = collect_content(registry, measured, plugin)
    build(content, Path(out), title or plugin or "lossfw", Path(docs) if docs else None)
    if line := usable_entries(content.left_out)[1]:
        click.echo(line, err=True)
    number = len(content.subjects)
    write_stdout(f"wrote {number} {'page' if number == 1 else 'pages'} of components to {out}")

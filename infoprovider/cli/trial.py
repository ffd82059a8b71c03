"""`infoprovider try`: collect, compose, render, read back and show, once; no state is kept and nothing is published."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from infoprovider import plugins
from infoprovider.cli import site
from infoprovider.cli.show import print_centre, print_json_of
from infoprovider.cli.single import configuration_of, with_communities
from infoprovider.config.model import Defaults, TemplateSet
from infoprovider.publication.compose import compose
from infoprovider.publication.cycle import Tree, render
from infoprovider.publication.formats import render_format
from infoprovider.publication.stamps import Former
from infoprovider.publishers.contract import Format
from infoprovider.query.entities import read_entities
from infoprovider.resources import folder
from infoprovider.store.facets import MemoryFacets
from infoprovider.views.tables import new_console


def trial(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="CONFIG|KIND",
            help="A configuration file, or a kind of manager; the shipped demo centre if none.",
        ),
    ] = None,
    os_cloud: Annotated[str | None, typer.Option("--os-cloud", help="An entry of clouds.yaml (openstack).")] = None,
    os_family: Annotated[
        str, typer.Option("--os-family", help="What stands for an instance type's system where images differ (KIND).")
    ] = "linux",
    platform: Annotated[
        str | None, typer.Option("--platform", help="Architecture where neither hosts nor types tell it: amd64 (KIND).")
    ] = None,
    format_: Annotated[
        Format | None, typer.Option("--format", help="Print what a channel of this format hands out.")
    ] = None,
    ldif: Annotated[bool, typer.Option("--ldif", help="The same as --format ldif.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the tables as JSON.")] = False,
    template_set: Annotated[TemplateSet, typer.Option("--set", help="Which tree is rendered.")] = TemplateSet.RESOURCE,
) -> None:
    """Show what would be published: collect, compose, render, read back. Keeps no state, publishes nothing.

    With a kind, every project that is seen stands for a community of its name.
    """
    facets = MemoryFacets()
    if what in plugins.kinds(plugins.PROVIDERS):
        settings = {"cloud": os_cloud} if os_cloud else {}
        configuration = configuration_of(what, settings, Defaults(os_family=os_family, platform=platform))
        outcomes = site.collect(configuration, facets, everything=True)
        configuration = with_communities(configuration, facets)
    else:
        configuration = site.read_configuration(Path(what) if what else folder("examples") / "demo.yaml")
        outcomes = site.collect(configuration, facets, everything=True)
    if site.gave_nothing(outcomes):
        raise typer.Exit(site.report_problems(outcomes))
    now = site.now()
    composition = compose(configuration, facets, Former(), now)
    tree = render(composition, Tree(template_set), configuration.publication.boolean_case)
    if ldif or format_ is Format.LDIF:
        sys.stdout.buffer.write(tree.body)
    elif format_ is not None:
        sys.stdout.buffer.write(render_format(composition.document.entities, format_))
    else:
        entries = read_entities(tree.body)
        if as_json:
            print_json_of(entries)
        else:
            print_centre(new_console(), entries, now)
    document = composition.document
    raise typer.Exit(site.report_problems(outcomes, document.withheld, (*document.quarantined, *tree.quarantined)))

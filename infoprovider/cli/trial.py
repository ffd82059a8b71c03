"""`infoprovider try`: collect, compose, render, read back and show, once; no state is kept and nothing is published."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from infoprovider.cli import site
from infoprovider.cli.show import print_centre, print_json_of
from infoprovider.config.model import TemplateSet
from infoprovider.publication.compose import compose
from infoprovider.publication.cycle import Tree, render
from infoprovider.publication.stamps import Former
from infoprovider.query.entities import read_entities
from infoprovider.resources import folder
from infoprovider.store.facets import MemoryFacets
from infoprovider.views.tables import new_console


def trial(
    config: Annotated[
        Path | None, typer.Argument(metavar="CONFIG", help="The configuration file; the shipped demo centre if none.")
    ] = None,
    ldif: Annotated[bool, typer.Option("--ldif", help="Print the LDIF instead of tables.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the tables as JSON.")] = False,
    template_set: Annotated[TemplateSet, typer.Option("--set", help="Which tree is rendered.")] = TemplateSet.RESOURCE,
) -> None:
    """Show what would be published: collect, compose, render, read back. Keeps no state, publishes nothing."""
    configuration = site.read_configuration(config or folder("examples") / "demo.yaml")
    facets = MemoryFacets()
    outcomes = site.collect(configuration, facets, everything=True)
    now = site.now()
    composition = compose(configuration, facets, Former(), now)
    body = render(composition, Tree(template_set), configuration.publication.boolean_case)
    if ldif:
        sys.stdout.buffer.write(body)
    else:
        entries = read_entities(body)
        if as_json:
            print_json_of(entries)
        else:
            print_centre(new_console(), entries, now)
    raise typer.Exit(site.report_problems(outcomes, composition.document.withheld))

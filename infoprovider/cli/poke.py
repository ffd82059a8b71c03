"""`infoprovider poke`: let the running infoprovider ask a VM manager now, because something happened there."""

from typing import Annotated

import typer

from infoprovider.cli import control, site
from infoprovider.errors import ConfigError, Finding
from infoprovider.inventory.model import Facet


def poke(
    config: site.ConfigurationPath,
    instance: Annotated[str, typer.Argument(metavar="INSTANCE", help="Which instance.")],
    facets: Annotated[
        list[Facet] | None, typer.Argument(metavar="[FACET]...", help="Which facets; all of them if none.")
    ] = None,
) -> None:
    """Let the running `infoprovider run` ask an instance at once, because something happened there.

    Does not wait for what comes of it. Several pokes within some seconds make one collection.
    """
    configuration = site.read_configuration(config)
    answer = control.ask(configuration.state, {"poke": instance, "facets": facets or list(Facet)})
    if "error" in answer:
        raise ConfigError([Finding(file=str(config), what=answer["error"], remedy=answer["remedy"])])
    print(f"{instance} is asked for {', '.join(answer['poked'])}")

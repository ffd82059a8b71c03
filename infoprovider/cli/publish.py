"""`infoprovider publish`: collect what is due, compose, keep and deliver to every channel, once."""

import threading
from typing import Annotated

import typer
from rich.table import Table

from infoprovider.cli import site
from infoprovider.config.model import Configuration
from infoprovider.errors import ExitCode, StoreError
from infoprovider.publication.cycle import Current, Delivered, deliver_all, update
from infoprovider.store.daemon import DaemonStore
from infoprovider.store.deliveries import DeliveryStore
from infoprovider.store.document import DocumentStore
from infoprovider.store.snapshots import SnapshotStore
from infoprovider.views.exposition import write_textfile
from infoprovider.views.metrics import state_text
from infoprovider.views.tables import new_console


def publish(
    config: site.ConfigurationPath,
    kept: Annotated[bool, typer.Option("--kept", help="Ask no VM manager: publish what was kept.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing where all went well.")] = False,
) -> None:
    """Collect what is due, compose the document of all that is known, and hand it to every channel."""
    configuration = site.read_configuration(config)
    facets = SnapshotStore(configuration.state, site.clock)
    document = DocumentStore(configuration.state, configuration.public)
    with facets.writing():
        outcomes = {} if kept else site.collect(configuration, facets)
        current = update(configuration, facets, document, site.now())
        delivered = deliver_all(configuration, current, site.publisher, threading.Event().wait)
        _keep(configuration, delivered)
    if not quiet:
        _print_report(len(current.composition.document.made), delivered)
    if current.not_kept is not None:
        site.warn(f"the document is handed out, but not kept: {current.not_kept}")
    for tree, error in current.failed_trees.items():
        site.warn(f"the tree {tree} stays as it was: {error}")
    for one in delivered:
        if one.error is not None and one.error not in current.failed_trees.values():
            site.warn(str(one.error))
    collected = site.report_problems(outcomes, current.composition.document.withheld, current.quarantined)
    raise typer.Exit(_exit_code(collected, delivered, current))


def _keep(configuration: Configuration, delivered: tuple[Delivered, ...]) -> None:
    """Remember how the deliveries went, and tell the node exporter; neither can undo what was published."""
    deliveries = DeliveryStore(configuration.state)
    now = site.clock.read()
    try:
        # Whoever may write here has taken the place of a daemon that died.
        DaemonStore(configuration.state).remove()
        for one in delivered:
            if one.receipt is not None:
                deliveries.succeeded(one.channel, now, one.receipt.delivery, one.receipt.reference)
            else:
                deliveries.failed(one.channel, now, str(one.error))
        if configuration.metrics.textfile is not None:
            write_textfile(configuration.metrics.textfile, state_text(configuration, site.clock))
    except StoreError as error:
        site.warn(str(error))


def _exit_code(collected: ExitCode, delivered: tuple[Delivered, ...], current: Current) -> ExitCode:
    failed = [one for one in delivered if one.error is not None]
    if current.not_kept is not None:
        return ExitCode.STORE
    if not failed:
        return ExitCode.PARTLY if current.failed_trees else collected
    return ExitCode.PUBLISH if len(failed) == len(delivered) else ExitCode.PARTLY


def _print_report(entities: int, delivered: tuple[Delivered, ...]) -> None:
    # Standard output may itself be a channel: what is said about publishing goes beside it.
    console = new_console(stderr=True)
    console.print(f"{entities} GLUE 2.0 entities composed")
    if not delivered:
        console.print("no channel is configured: the renderings are in the public folder only")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("channel", "result", "where"):
        table.add_column(heading)
    for one in delivered:
        if one.receipt is not None:
            table.add_row(one.channel, str(one.receipt.delivery), one.receipt.reference)
        else:
            table.add_row(one.channel, "failed", "")
    console.print(table)

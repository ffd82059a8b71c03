"""`infoprovider withdraw`: tell the receivers of messages that the centre is published no more."""

import threading

import typer

from infoprovider.cli import site
from infoprovider.errors import ExitCode, InfoproviderError
from infoprovider.publication.stream import withdraw_stream
from infoprovider.publishers.contract import MessengerSpec
from infoprovider.store.snapshots import SnapshotStore


def withdraw(config: site.ConfigurationPath) -> None:
    """Tell every receiver of messages, at once, that this centre is published no more; they remove what they keep.

    Whatever is published after that brings the centre back. Folders of BDIIs are left alone: stop the daemon and remove
    the file there.
    """
    configuration = site.read_configuration(config)
    told = failed = 0
    # While a daemon runs it would publish the centre again: who wants to withdraw it stops the daemon first.
    with SnapshotStore(configuration.state, site.clock).writing():
        for channel in configuration.channels:
            spec = site.publisher(channel.block.kind)
            if not isinstance(spec, MessengerSpec):
                site.warn(f"channel {channel.name}: a {spec.kind} keeps no receivers; remove what it was handed there")
                continue
            try:
                receipt = withdraw_stream(channel, spec, configuration, wait=threading.Event().wait)
            except InfoproviderError as error:
                failed += 1
                site.warn(str(error))
            else:
                told += 1
                typer.echo(f"channel {channel.name}: withdrawn, confirmed as {receipt.reference}")
    if not told and not failed:
        site.warn("no channel sends messages: nobody was told")
    if failed or not told:
        raise typer.Exit(ExitCode.PARTLY if told else ExitCode.PUBLISH)

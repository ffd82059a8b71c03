"""`infoprovider run`: keep a centre published until it is told to stop."""

import os
import sys

from infoprovider.cli import logs, site
from infoprovider.cli.daemon import Daemon
from infoprovider.errors import ExitCode


def run(config: site.ConfigurationPath) -> None:
    """Keep the centre published: ask each VM manager at its pace, compose after each change, serve every channel.

    SIGHUP reads the configuration again, SIGTERM ends.
    """
    configuration = site.read_configuration(config)
    logs.follow(configuration.log.format)
    daemon = Daemon(config, configuration)
    if not daemon.serve():
        # A thread that hangs in a library, and wakes up while Python ends, would end it with a crash.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(ExitCode.SUCCESS)

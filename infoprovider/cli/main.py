"""The program `infoprovider`: its commands, and the one place that turns errors into messages and exit codes."""

import logging
import sys
from typing import Annotated

import typer

from infoprovider import __version__
from infoprovider.cli import (
    check,
    collect,
    diff,
    explain,
    follow,
    init,
    logs,
    poke,
    publish,
    run,
    show,
    trial,
    validate,
    withdraw,
)
from infoprovider.errors import ConfigError, ExitCode, InfoproviderError

app = typer.Typer(
    name="infoprovider",
    help="Publish what a virtualised resource centre offers, in GLUE 2.0.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("init")(init.init)
app.command("check")(check.check)
app.command("try")(trial.trial)
app.command("collect")(collect.collect)
app.command("publish")(publish.publish)
app.command("run")(run.run)
app.command("withdraw")(withdraw.withdraw)
app.command("follow")(follow.follow)
app.command("poke")(poke.poke)
app.command("show")(show.show)
app.command("validate")(validate.validate)
app.command("diff")(diff.diff)
app.command("explain")(explain.explain_command)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"infoprovider {__version__}")
        raise typer.Exit


@app.callback()
def options(
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say on standard error what is done.")] = False,
    log_format: Annotated[
        logs.Format | None, typer.Option("--log-format", help="How the log is written, plain if nothing is said.")
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version and end.")
    ] = False,
) -> None:
    """Options that hold for every command."""
    del version  # its callback has answered already
    logs.set_up(log_format, verbose=verbose)


def main() -> None:
    """Run the command that the arguments name, and exit with its code."""
    try:
        app()
    except ConfigError as error:
        _say(f"{error}\n{_count(len(error.findings))}")
        sys.exit(error.exit_code)
    except InfoproviderError as error:
        _say(f"infoprovider: {error}")
        sys.exit(error.exit_code)
    except Exception as error:
        logging.getLogger(__name__).info("the fault in full", exc_info=error)
        _say(
            f"infoprovider: a fault of this program: {type(error).__name__}: {error}; "
            "run it again with --verbose and report what it prints"
        )
        sys.exit(ExitCode.INTERNAL)


def _count(mistakes: int) -> str:
    return f"infoprovider: {mistakes} mistake{'s' if mistakes > 1 else ''} to mend"


def _say(message: str) -> None:
    sys.stdout.flush()
    print(message, file=sys.stderr)

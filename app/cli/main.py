"""The command line: one program, the command decides what the process does."""

import asyncio
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import typer

from app.cli.teaching import PROGRAM
from app.invalid_settings import InvalidSettings
from core.errors import ServiceError, StandaloneDatabase


class Place(NamedTuple):
    """Where a command is, and the first sentence of its help."""

    where: str
    help: str


COMMANDS: Final[Mapping[str, Place]] = {
    "dev": Place(
        "app.cli.dev:dev", "Run everything on this machine: servers, API, worker and relay, with demo data and tokens."
    ),
    "import": Place(
        "app.cli.bulk_import:import_file",
        "Import a file of customers, and follow it to the end; or only show what would come of it.",
    ),
    "customers": Place("app.cli.customers:customers", "Find, show and export customers."),
    "query": Place("app.cli.query:query", "Run one GraphQL operation and print what it answers."),
    "events": Place("app.cli.events:events", "Look at the events that other services receive, and publish them again."),
    "doctor": Place("app.cli.doctor:doctor", "Check everything the service needs, and say what to do about what is wrong."),
    "serve": Place("app.cli.serve:serve", "Serve GraphQL, subscriptions and REST; metrics on a port of their own."),
    "worker": Place(
        "app.cli.worker:worker",
        "Work on imports, take segments of files from the queue, and keep house, until told to stop.",
    ),
    "relay": Place("app.cli.relay:relay", "Publish event records to Kafka until told to stop."),
    "token": Place("app.cli.token:token", "Print a signed access token."),
    "keys": Place("app.cli.keys:keys", "Make, show and replace the keys that sign access tokens."),
    "clients": Place("app.cli.clients:clients", "Make and manage the programs that may get access tokens."),
    "privacy": Place("app.cli.privacy:privacy", "See what is stored of somebody, and prove that nothing is any more."),
    "retention": Place("app.cli.retention:retention", "See what is past its period, and let it be removed."),
    "audit": Place("app.cli.audit:audit", "Prove that the histories of customers are as they were written."),
    "vault": Place("app.cli.vault:vault", "Show and replace the keys of document numbers."),
    "database": Place("app.cli.database:database", "Prepare and check the database."),
    "schema": Place(
        "app.cli.schema:schema", "Print the GraphQL schema or what describes REST, write them, or check the committed copies."
    ),
    "reference": Place(
        "app.cli.reference:reference", "Write the reference pages of the documentation from the code, or check them."
    ),
}
"""Every command. It is imported when it is called: the relay needs no GraphQL, a client no database, and a shell that
completes a line has no second to wait."""

_MISCONFIGURED = 2
_INTERRUPTED = 130
_COMPLETION = f"_{PROGRAM}".replace("-", "_").upper() + "_COMPLETE"
_STATUS = (
    "Exit status of every command: 0 done; 1 it failed, was refused, or found something wrong; 2 called or configured wrongly; "
    "130 interrupted. Shell completion: --install-completion."
)


def command_line(arguments: Sequence[str], *, whole: bool = False) -> typer.Typer:
    """Return the command line with the one command that *arguments* call.

    When they call none by name, all commands are there by name and first sentence; with *whole* they are all there.
    """
    app = typer.Typer(
        name=PROGRAM,
        help="The system of record for the customers of many sellers. Start with: customer-service dev",
        epilog=_STATUS,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    # A group of commands even while there is only one of them.
    app.callback()(_customer_service)
    called = arguments[0] if arguments and arguments[0] in COMMANDS else None
    for name in COMMANDS if called is None else [called]:
        if called is None and not whole:
            app.command(name=name, help=COMMANDS[name].help)(_named_only)
            continue
        module, _, attribute = COMMANDS[name].where.partition(":")
        command: Any = getattr(importlib.import_module(module), attribute)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name=name)(command)
    return app


def completed(environ: Mapping[str, str]) -> list[str] | None:
    """Return the words behind the program's name in the line that a shell wants completed; None when none does."""
    if _COMPLETION not in environ:
        return None
    # Bash says it in the first of these, zsh, fish and PowerShell in the second.
    line = environ.get("COMP_WORDS") or environ.get("_TYPER_COMPLETE_ARGS") or ""
    return line.split()[1:]


def _customer_service() -> None:
    """Run one of the commands."""


def _named_only() -> None:
    """Stand for a command that is not called."""


def run() -> None:
    """Run the command line. Exit status: 0 done, 1 failed, 2 called or configured wrongly."""
    words = completed(os.environ)
    if words is None:
        _log_beside_what_is_printed()
    try:
        command_line(sys.argv[1:] if words is None else words)(prog_name=PROGRAM)
    except InvalidSettings as error:
        _complain(str(error))
        sys.exit(_MISCONFIGURED)
    except (ServiceError, StandaloneDatabase) as error:
        _complain(str(error))
        sys.exit(1)
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit(_INTERRUPTED)


def _log_beside_what_is_printed() -> None:
    # What a command prints is for files and programs. Processes that serve say later how they log.
    import structlog  # noqa: PLC0415  it takes a shell 0.1 s that wants a word completed

    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))


def _complain(message: str) -> None:
    typer.echo(message, err=True)

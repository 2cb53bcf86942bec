"""The command line: one program, the command decides what the process does."""

import asyncio
import importlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

import typer

from app.settings import InvalidSettings
from core.errors import ServiceError, StandaloneDatabase

COMMANDS: Final[Mapping[str, str]] = {
    "dev": "app.cli.dev:dev",
    "serve": "app.cli.serve:serve",
    "worker": "app.cli.worker:worker",
    "relay": "app.cli.relay:relay",
    "import": "app.cli.bulk_import:import_file",
    "query": "app.cli.query:query",
    "events": "app.cli.events:events",
    "token": "app.cli.token:token",
    "keys": "app.cli.keys:keys",
    "clients": "app.cli.clients:clients",
    "privacy": "app.cli.privacy:privacy",
    "vault": "app.cli.vault:vault",
    "database": "app.cli.database:database",
    "schema": "app.cli.schema:schema",
}
"""Where each command is. It is imported when it is called: the relay needs no GraphQL, a client no database."""

PROGRAM = "customer-service"

_MISCONFIGURED = 2
_INTERRUPTED = 130


def command_line(arguments: Sequence[str]) -> typer.Typer:
    """Return the command line with the one command that *arguments* call, or with all when they call none by name."""
    app = typer.Typer(
        name=PROGRAM,
        help="The system of record for the customers of many sellers. Start with: customer-service dev",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    # A group of commands even while there is only one of them.
    app.callback()(_customer_service)
    called = arguments[0] if arguments and arguments[0] in COMMANDS else None
    for name in COMMANDS if called is None else [called]:
        module, _, attribute = COMMANDS[name].partition(":")
        command: Any = getattr(importlib.import_module(module), attribute)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name=name)(command)
    return app


def _customer_service() -> None:
    """Run one of the commands."""


def run() -> None:
    """Run the command line. Exit status: 0 done, 1 failed, 2 called or configured wrongly."""
    try:
        command_line(sys.argv[1:])(prog_name=PROGRAM)
    except InvalidSettings as error:
        _complain(str(error))
        sys.exit(_MISCONFIGURED)
    except (ServiceError, StandaloneDatabase) as error:
        _complain(str(error))
        sys.exit(1)
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit(_INTERRUPTED)


def _complain(message: str) -> None:
    typer.echo(message, err=True)

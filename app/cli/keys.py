"""``customer-service keys``: the keys that sign access tokens."""

import json

import typer

from auth.keys import generate_key_set

keys = typer.Typer(name="keys", help="Make the keys that sign access tokens.", no_args_is_help=True)


@keys.callback()
def _keys() -> None:
    """Keep ``new`` a command of its own while it is the only one."""


@keys.command()
def new() -> None:
    """Print a new JWK Set with a private key. Keep it in a file that only the service can read."""
    typer.echo(json.dumps(generate_key_set(), indent=2))

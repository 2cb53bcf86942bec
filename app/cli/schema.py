"""``customer-service schema``: the GraphQL schema as text."""

from pathlib import Path
from typing import Annotated

import typer

from app.graphql.schema import build_schema

COMMITTED = Path(__file__).resolve().parents[2] / "schema" / "schema.graphql"


def schema(
    *,
    write: Annotated[bool, typer.Option("--write", help="Write it to schema/schema.graphql.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Fail when schema/schema.graphql differs.")] = False,
) -> None:
    """Print the GraphQL schema, write it, or check the committed copy."""
    served = build_schema().as_str() + "\n"
    if write:
        COMMITTED.write_text(served, encoding="utf-8")
    elif check:
        if not COMMITTED.exists() or COMMITTED.read_text(encoding="utf-8") != served:
            typer.echo("schema/schema.graphql is not what the service serves. Run: make schema", err=True)
            raise typer.Exit(1)
    else:
        typer.echo(served, nl=False)

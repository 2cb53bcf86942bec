"""``customer-service schema``: the GraphQL schema as text."""

from pathlib import Path
from typing import Annotated

import typer
from graphql import build_schema as from_sdl
from graphql import find_breaking_changes

from app.graphql.schema import build_schema
from schema.sdl import client_sdl, subgraph_sdl

FOLDER = Path(__file__).resolve().parents[2] / "schema"
CLIENTS, GATEWAYS, RELEASED = "schema.graphql", "subgraph.graphql", "released.graphql"


def schema(
    *,
    write: Annotated[bool, typer.Option("--write", help="Write schema/schema.graphql and schema/subgraph.graphql.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Fail when one of these differs, or when a client of the last release would break.")
    ] = False,
    release: Annotated[
        bool, typer.Option("--release", help="Write schema/released.graphql: from now on this is what clients rely on.")
    ] = False,
    subgraph: Annotated[bool, typer.Option("--subgraph", help="Print what the gateway of a federated graph composes.")] = False,
) -> None:
    """Print the GraphQL schema, write it, or check the committed copies."""
    served = build_schema()
    texts = {CLIENTS: client_sdl(served), GATEWAYS: subgraph_sdl(served)}
    if write:
        for name, text in texts.items():
            (FOLDER / name).write_text(text, encoding="utf-8")
    elif check:
        if problems := [*stale(texts), *breaking(texts[CLIENTS])]:
            typer.echo("\n".join(problems), err=True)
            raise typer.Exit(1)
    elif release:
        (FOLDER / RELEASED).write_text(texts[CLIENTS], encoding="utf-8")
    else:
        typer.echo(texts[GATEWAYS if subgraph else CLIENTS], nl=False)


def stale(texts: dict[str, str]) -> list[str]:
    """Return a line for each committed file that is not what the service serves."""
    return [
        f"schema/{name} is not what the service serves. Run: make schema"
        for name, text in texts.items()
        if not (FOLDER / name).exists() or (FOLDER / name).read_text(encoding="utf-8") != text
    ]


def breaking(served: str) -> list[str]:
    """Return a line for each change since the last release with which some client could no longer work."""
    released = (FOLDER / RELEASED).read_text(encoding="utf-8")
    return [
        f"{change.description} ({change.type.name}) Clients of the last release rely on it: see docs/schema-policy.md."
        for change in find_breaking_changes(from_sdl(released), from_sdl(served))
    ]

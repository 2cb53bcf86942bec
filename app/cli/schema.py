"""``customer-service schema``: the GraphQL schema and the description of REST as text."""

import json
from pathlib import Path
from typing import Annotated

import typer
from graphql import build_schema as from_sdl
from graphql import find_breaking_changes, introspection_from_schema

from app.cli.teaching import shown_by
from app.graphql.schema import build_schema
from rest.openapi import description
from schema.sdl import client_sdl, subgraph_sdl

ROOT = Path(__file__).resolve().parents[2]
CLIENTS, GATEWAYS, RELEASED = "schema/schema.graphql", "schema/subgraph.graphql", "schema/released.graphql"
REST = "rest/openapi.json"


@shown_by("schema > schema.graphql", "schema --json > schema.json", "schema --subgraph", "schema --rest", "schema --check")
def schema(
    *,
    write: Annotated[
        bool, typer.Option("--write", help="Write schema/schema.graphql, schema/subgraph.graphql and rest/openapi.json.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Fail when one of these differs, or when a client of the last release would break.")
    ] = False,
    release: Annotated[
        bool, typer.Option("--release", help="Write schema/released.graphql: from now on this is what clients rely on.")
    ] = False,
    subgraph: Annotated[bool, typer.Option("--subgraph", help="Print what the gateway of a federated graph composes.")] = False,
    rest: Annotated[bool, typer.Option("--rest", help="Print the description of the REST interface, in OpenAPI.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the schema as the answer to introspection, which code generators take.")
    ] = False,
) -> None:
    """Print the GraphQL schema or what describes REST, write them, or check the committed copies."""
    served = build_schema()
    texts = {CLIENTS: client_sdl(served), GATEWAYS: subgraph_sdl(served), REST: openapi_text()}
    if write:
        for name, text in texts.items():
            (ROOT / name).write_text(text, encoding="utf-8")
    elif check:
        if problems := [*stale(texts), *breaking(texts[CLIENTS])]:
            typer.echo("\n".join(problems), err=True)
            raise typer.Exit(1)
    elif release:
        (ROOT / RELEASED).write_text(texts[CLIENTS], encoding="utf-8")
    elif as_json and not rest:
        typer.echo(
            json.dumps({"data": introspection_from_schema(from_sdl(texts[GATEWAYS if subgraph else CLIENTS]))}, indent=2)
        )
    else:
        typer.echo(texts[REST if rest else GATEWAYS if subgraph else CLIENTS], nl=False)


def openapi_text() -> str:
    """Return the description of the REST interface, as it is committed."""
    return f"{json.dumps(description(), indent=2, ensure_ascii=False)}\n"


def stale(texts: dict[str, str]) -> list[str]:
    """Return a line for each committed file that is not what the service serves."""
    return [
        f"{name} is not what the service serves. Run: make schema"
        for name, text in texts.items()
        if not (ROOT / name).exists() or (ROOT / name).read_text(encoding="utf-8") != text
    ]


def breaking(served: str) -> list[str]:
    """Return a line for each change since the last release with which some client could no longer work."""
    released = (ROOT / RELEASED).read_text(encoding="utf-8")
    return [
        f"{change.description} ({change.type.name}) Clients of the last release rely on it: see docs/schema-policy.md."
        for change in find_breaking_changes(from_sdl(released), from_sdl(served))
    ]

"""How commands ask and answer: as JSON for programs, as tables for people, and with an exit status."""

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.cli.endpoint import Endpoint, Nowhere
from app.cli.graphql_client import GraphQLFailed, open_client

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]

_WIDE = 200
"""Columns of a table that is not shown on a terminal, so that nothing in it is cut."""


def show_json(found: Any) -> None:
    """Print *found* as one JSON document."""
    typer.echo(json.dumps(found, indent=2, ensure_ascii=False))


def show_table(titles: Sequence[str], rows: Iterable[Sequence[str | Text]], *, whole: str = "id") -> None:
    """Print *rows* below *titles*; the column *whole* stays in one piece."""
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = _WIDE
    table = Table(box=None, header_style="bold")
    for title in titles:
        table.add_column(title, overflow="fold", no_wrap=title == whole)
    for row in rows:
        table.add_row(*row)
    console.print(table)


@contextmanager
def asking() -> Iterator[None]:
    """End the command with what went wrong: status 2 when there is nobody to ask, 1 when nobody answered or it was refused."""
    try:
        yield
    except Nowhere as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    except GraphQLFailed as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


def ask(endpoint: Endpoint, document: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Run one operation and return its data.

    Raises:
        GraphQLFailed: there is none.
    """

    async def answer() -> dict[str, Any]:
        async with open_client(endpoint.url, endpoint.token) as client:
            return await client.execute(document, variables)

    return asyncio.run(answer())

"""``customer-service reference``: the pages of the documentation that nobody writes."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.main import command_line
from app.cli.teaching import EXAMPLES, PROGRAM, shown_by
from app.graphql.schema import build_schema
from app.reference.command_line import command_line_page
from app.reference.errors import errors_page
from app.reference.events import events_page
from app.reference.graphql import graphql_page
from app.reference.openapi import rest_page
from app.reference.personal_data import personal_data_page
from app.reference.settings import settings_page
from app.sections import KafkaTopics
from app.topics import event_topics
from core.data_map import COLLECTIONS
from events.asyncapi import asyncapi
from rest.openapi import description
from schema.sdl import client_sdl

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reference"


@shown_by("reference --write", "reference --check")
def reference(
    *,
    write: Annotated[bool, typer.Option("--write", help="Write the pages of docs/reference.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Fail when one of them is not what the code says.")] = False,
) -> None:
    """Write the reference pages of the documentation from the code, or check them.

    They are GraphQL, REST, events, settings, error codes, personal data and this command line.
    """
    if write == check:
        raise typer.BadParameter("choose one of --write and --check")
    texts = pages()
    if write:
        FOLDER.mkdir(exist_ok=True)
        for name, text in texts.items():
            (FOLDER / name).write_text(text, encoding="utf-8")
    elif problems := stale(texts):
        typer.echo("\n".join(problems), err=True)
        raise typer.Exit(1)


def pages() -> dict[str, str]:
    """Return the text of each page, by the name of its file."""
    sdl = client_sdl(build_schema())
    return {
        "command-line.md": command_line_page(command_line([], whole=True), PROGRAM, EXAMPLES),
        "errors.md": errors_page(sdl),
        "events.md": events_page(asyncapi(event_topics(KafkaTopics()))),
        "graphql.md": graphql_page(sdl),
        "personal-data.md": personal_data_page(COLLECTIONS),
        "rest.md": rest_page(description()),
        "settings.md": settings_page(),
    }


def stale(texts: dict[str, str]) -> list[str]:
    """Return a line for each page that is not what the code says, or that nobody makes any more."""
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    return [
        f"docs/reference/{name} is not what the code says. Run: make schema"
        for name in sorted(texts.keys() | there.keys())
        if texts.get(name) != there.get(name)
    ]

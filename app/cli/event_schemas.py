"""``customer-service events schemas``: what consumers build against, as files."""

from pathlib import Path
from typing import Annotated

import orjson
import typer

from app.cli.teaching import shown_by
from app.sections import KafkaTopics
from app.topics import event_topics
from events.asyncapi import asyncapi
from events.contract import json_schemas

FOLDER = Path(__file__).resolve().parents[2] / "events" / "schemas"
DOCUMENT = "asyncapi.json"


@shown_by("events schemas > asyncapi.json", "events schemas --event customer.created")
def schemas(
    *,
    write: Annotated[bool, typer.Option("--write", help="Write the files of events/schemas.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Fail when one of these files is not what the code says.")] = False,
    event: Annotated[str | None, typer.Option(help="Print the JSON Schema of one event: customer.created.")] = None,
) -> None:
    """Print the AsyncAPI document of the events, or the JSON Schema of one; write these files, or check them.

    The files name the default topics; what the service serves at /asyncapi.json names the configured ones.
    """
    texts = contract()
    if write:
        FOLDER.mkdir(exist_ok=True)
        for name in superfluous(texts):
            (FOLDER / name).unlink()
        for name, text in texts.items():
            (FOLDER / name).write_text(text, encoding="utf-8")
    elif check:
        if problems := stale(texts):
            typer.echo("\n".join(problems), err=True)
            raise typer.Exit(1)
    else:
        name = DOCUMENT if event is None else f"{event}.json"
        if name not in texts:
            known = ", ".join(file.removesuffix(".json") for file in texts if file != DOCUMENT)
            message = f"there is no event {event!r}: choose one of {known}"
            raise typer.BadParameter(message)
        typer.echo(texts[name], nl=False)


def contract() -> dict[str, str]:
    """Return the text of each file, by its name."""
    files = {DOCUMENT: asyncapi(event_topics(KafkaTopics()))} | {f"{name}.json": one for name, one in json_schemas().items()}
    return {name: orjson.dumps(content, option=orjson.OPT_INDENT_2).decode() + "\n" for name, content in files.items()}


def stale(texts: dict[str, str]) -> list[str]:
    """Return a line for each committed file that is not what the code says, or has no place there."""
    return [
        f"events/schemas/{name} is not what the service publishes. Run: make schema"
        for name, text in texts.items()
        if not (FOLDER / name).exists() or (FOLDER / name).read_text(encoding="utf-8") != text
    ] + [f"events/schemas/{name} describes no event. Run: make schema" for name in superfluous(texts)]


def superfluous(texts: dict[str, str]) -> list[str]:
    """Return the files that no event has any more."""
    return sorted(path.name for path in FOLDER.glob("*.json") if path.name not in texts)

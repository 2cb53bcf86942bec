"""``customer-service events``: what other services receive, from where, and once more."""

import logging
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.text import Text

from app.cli.event_replay import replay
from app.cli.event_schemas import schemas
from app.cli.event_source import Source, find_source
from app.cli.event_topics import topics
from app.cli.teaching import shown_by
from app.settings import InvalidSettings
from app.until_told import run_until_interrupted
from core.clock import rfc3339
from core.errors import Unavailable
from infra.kafka import Received, consume

events = typer.Typer(
    name="events", help="Look at the events that other services receive, and publish them again.", no_args_is_help=True
)

_STYLES = {"customer.created": "green", "customer.updated": "cyan", "customer.deleted": "red", "customer.erased": "bold red"}


for _command in (replay, schemas, topics):
    events.command()(_command)


@events.command()
@shown_by("events tail", "events tail --from-beginning --json", "events tail --count 1 --brokers kafka-1:9092")
def tail(
    *,
    from_beginning: Annotated[bool, typer.Option("--from-beginning", help="Start with the oldest event Kafka has.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line, exactly as on Kafka.")] = False,
    count: Annotated[int | None, typer.Option(min=1, help="Stop after this many events.")] = None,
    brokers: Annotated[str | None, typer.Option(help="host:port, separated by commas; else the running stack's.")] = None,
) -> None:
    """Print each event as it arrives, until Ctrl-C."""
    # The reader reconnects by itself; what its library says about that would only break up the lines.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    complaints = Console(stderr=True, soft_wrap=True)
    try:
        source = find_source(brokers)
        run_until_interrupted(_tail(source, from_beginning=from_beginning, as_json=as_json, count=count, notes=complaints))
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
    except InvalidSettings as error:
        complaints.print(Text(str(error)))
        raise typer.Exit(2) from None
    except Unavailable as error:
        complaints.print(Text(str(error)))
        raise typer.Exit(1) from None


async def _tail(source: Source, *, from_beginning: bool, as_json: bool, count: int | None, notes: Console) -> None:
    output = Console(soft_wrap=True, highlight=False)
    seen = 0
    async with consume(source.brokers, source.names, from_beginning=from_beginning) as records:
        # On stderr, so that --json stays clean; it also says from when on nothing is missed.
        notes.print(Text(f"Listening to {', '.join(source.names)} at {', '.join(source.brokers)}. Ctrl-C stops.", "dim"))
        async for received in records:
            if as_json:
                typer.echo(received.value or b"null")
            else:
                output.print(line(received))
            seen += 1
            if seen == count:
                return


def line(received: Received) -> Text:
    """Return one line for a person: time, event, seller, customer, version, changed fields."""
    try:
        body: Any = orjson.loads(received.value or b"null")
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        return Text(
            f"{rfc3339(received.at)}  not one of our events: {received.topic} {(received.value or b'')[:80]!r}", "yellow"
        )
    name = str(body.get("type"))
    return Text("  ").join(
        [
            Text(str(body.get("occurredAt")), "dim"),
            Text(f"{name:<16}", _STYLES.get(name, "")),
            Text(str(body.get("sellerId")), "magenta"),
            Text(str(body.get("customerId")), "bold"),
            Text(f"v{body.get('version')}"),
            Text(", ".join(map(str, body.get("changed") or ())), "dim"),
        ]
    )

"""``customer-service events replay``: what was published, once more."""

import asyncio
import logging
import shlex
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.text import Text

from app.cli.event_source import Source, find_source
from app.cli.import_screen import ProgressScreen
from app.cli.moments import moment
from app.cli.stack_settings import settings_beside_the_stack
from app.cli.teaching import shown_by
from app.database import open_database
from app.until_told import run_until_interrupted
from core.clock import SystemClock, rfc3339
from core.errors import ServiceError
from core.vocabulary import CustomerEventType
from events.customer import EventTopics, topic_of
from infra.kafka import open_producer
from repositories.event_replay import RecordedEvents, Stretch
from workers.replay import Replay, Replayed

_INTERRUPTED = 130


@shown_by(
    "events replay --since 2h --dry-run",
    "events replay --since 2026-11-22T17:00:00Z --until 6h --seller demo --rate 500",
    "events replay --since 1d --topic customer.deleted --json",
)
def replay(
    *,
    since: Annotated[str, typer.Option(help="From this moment on: 2026-11-22T17:30:00Z, or 90m, 6h, 2d for so long ago.")],
    until: Annotated[str | None, typer.Option(help="Before this moment; else before now.")] = None,
    seller: Annotated[str | None, typer.Option(help="Only this seller's.")] = None,
    topic: Annotated[str | None, typer.Option(help="Only what goes to this topic.")] = None,
    after: Annotated[str | None, typer.Option(help="Go on behind this event: evt_…, as an unfinished replay says.")] = None,
    rate: Annotated[int, typer.Option(min=1, max=100_000, help="How many events a second at most.")] = 1000,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say how many there are, and publish nothing.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what was done as one JSON object; progress goes to stderr.")
    ] = False,
    brokers: Annotated[str | None, typer.Option(help="host:port, separated by commas; else the running stack's.")] = None,
) -> None:
    """Publish events again that were published already: with the same ids and keys, and the header "replay" besides.

    Each customer's events come in order. Consumers that deduplicate by id see nothing new; docs/events.md tells the rest.

    Exit status: 0 all published, 1 not all, 2 called or configured wrongly, 130 interrupted; then it says how to go on.
    """
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    now = SystemClock().now()
    source = find_source(brokers)
    stretch = Stretch(
        since=moment(since, now),
        until=now if until is None else moment(until, now),
        types=_types(topic, source.topics),
        seller_id=seller,
    )
    task = _Task(
        source, stretch, after=after, rate=rate, began=now, done=Replayed(), notes=Console(stderr=True, soft_wrap=True)
    )
    if stretch.since >= stretch.until:
        message = f"nothing lies between {rfc3339(stretch.since)} and {rfc3339(stretch.until)}"
        raise typer.BadParameter(message)
    if dry_run:
        _report(task, asyncio.run(_count(task)), as_json=as_json, dry_run=True)
        return
    status = 1
    try:
        run_until_interrupted(_publish(task))
        status = 1 if task.done.refused else 0
    except ServiceError as error:
        task.notes.print(Text(str(error)))
    except KeyboardInterrupt:
        status = _INTERRUPTED
    if not task.done.complete:
        task.notes.print(Text(f"Not finished. Go on with: {_go_on(task, topic)}"))
    _report(task, {}, as_json=as_json)
    raise typer.Exit(status)


@dataclass(frozen=True, slots=True)
class _Task:
    """What is to be published again, where, and how far that is."""

    source: Source
    stretch: Stretch
    after: str | None
    rate: int
    began: datetime
    done: Replayed
    notes: Console


async def _count(task: _Task) -> dict[CustomerEventType, int]:
    async with open_database(settings_beside_the_stack()):
        return await RecordedEvents().count_by_type(task.stretch)


async def _publish(task: _Task) -> None:
    recorded, done = RecordedEvents(), task.done
    async with (
        open_database(settings_beside_the_stack()),
        open_producer(task.source.brokers, client_id="customer-service-replay") as producer,
    ):
        if task.after is not None:
            done.place = await recorded.place_of(task.after)
            if done.place is None:
                message = f"there is no event {task.after!r} to go on from"
                raise typer.BadParameter(message)
        total = await recorded.count(task.stretch, done.place)
        with ProgressScreen(task.notes) as screen:

            def tell(done: Replayed) -> None:
                screen.show("Publishing again", min(1.0, done.events / max(total, 1)), f"{done.events:,} of {total:,} events")

            replaying = Replay(recorded, producer, task.source.topics, began=task.began, rate=task.rate)
            await replaying.run(task.stretch, done, tell)


def _types(topic: str | None, topics: EventTopics) -> frozenset[CustomerEventType]:
    found = frozenset(one for one in CustomerEventType if topic in {None, topic_of(one, topics)})
    if not found:
        names = ", ".join(dict.fromkeys(topic_of(one, topics) for one in CustomerEventType))
        message = f"no event goes to the topic {topic!r}: choose one of {names}"
        raise typer.BadParameter(message)
    return found


def _go_on(task: _Task, topic: str | None) -> str:
    """Return the command that publishes the rest."""
    stretch = task.stretch
    words = ["customer-service", "events", "replay", "--since", rfc3339(stretch.since), "--until", rfc3339(stretch.until)]
    place = task.done.place
    for name, value in (
        ("--seller", stretch.seller_id),
        ("--topic", topic),
        ("--after", place[1] if place is not None else task.after),
    ):
        if value is not None:
            words += [name, value]
    return shlex.join([*words, "--rate", str(task.rate)])


def _report(task: _Task, counted: dict[CustomerEventType, int], *, as_json: bool, dry_run: bool = False) -> None:
    done, stretch = task.done, task.stretch
    by_topic = dict(done.published)
    for event_type, events in counted.items():
        topic = topic_of(event_type, task.source.topics)
        by_topic[topic] = by_topic.get(topic, 0) + events
    events = sum(by_topic.values())
    if as_json:
        said = {
            "since": rfc3339(stretch.since),
            "until": rfc3339(stretch.until),
            "dryRun": dry_run,
            "complete": done.complete,
            "events": events,
            "topics": by_topic,
            "refused": done.refused,
            "last": None if done.place is None else done.place[1],
        }
        typer.echo(orjson.dumps(said))
        return
    what = "would be published again" if dry_run else "were published again"
    typer.echo(f"{events:,} events {what}, from {rfc3339(stretch.since)} until {rfc3339(stretch.until)}.")
    for topic, number in sorted(by_topic.items()):
        typer.echo(f"  {topic}: {number:,}")
    for event_id in done.refused:
        typer.echo(f"  refused by Kafka: {event_id}")

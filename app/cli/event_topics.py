"""``customer-service events topics``: the topics of the events, made as the settings say."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated

import orjson
import typer

from app.cli.event_source import find_source
from app.cli.stack_settings import settings_beside_the_stack
from app.cli.teaching import shown_by
from app.sections import TopicSettings
from infra.kafka_topics import TopicRefused, Topics, TopicState, TopicWish, differences, open_topics


@shown_by("events topics --dry-run", "events topics", "events topics --brokers kafka-1:9092,kafka-2:9092 --json")
def topics(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what is missing or differs, and make nothing.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object: for each topic, what was found and done.")
    ] = False,
    brokers: Annotated[str | None, typer.Option(help="host:port, separated by commas; else the running stack's.")] = None,
) -> None:
    """Make the topics of the events that are missing, with the partitions and the retention of kafka.topicSettings.

    A topic that exists is never changed: where it falls short of the settings, this says so, and what to do.

    Exit status: 0 all topics are as wanted, 1 one is not, 2 called or configured wrongly.
    """
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    wanted = wishes(find_source(brokers).names, settings_beside_the_stack().kafka.topic_settings)
    found = asyncio.run(_make(find_source(brokers).brokers, wanted, dry_run=dry_run))
    if as_json:
        typer.echo(orjson.dumps({"topics": [one.told() for one in found]}))
    else:
        for one in found:
            typer.echo("\n  ".join([f"{one.name}: {one.what}", *one.problems]))
    if any(one.problems for one in found):
        raise typer.Exit(1)


def wishes(names: Sequence[str], settings: TopicSettings) -> list[TopicWish]:
    """Return how each topic is to be."""
    kept = settings.retention
    milliseconds = -1 if kept == "forever" else kept // timedelta(milliseconds=1)
    configs = {"retention.ms": str(milliseconds), "cleanup.policy": settings.cleanup}
    return [
        TopicWish(name=name, partitions=settings.partitions, replication_factor=settings.replication_factor, configs=configs)
        for name in names
    ]


@dataclass(frozen=True, slots=True)
class _Found:
    """What became of one topic."""

    name: str
    what: str
    state: TopicState | None = None
    problems: list[str] = field(default_factory=list)

    def told(self) -> dict[str, object]:
        state = self.state
        return {
            "name": self.name,
            "result": self.what.partition(",")[0].replace(" ", "_"),
            "partitions": None if state is None else state.partitions,
            "replicationFactor": None if state is None else state.replication_factor,
            "configs": None if state is None else state.configs,
            "problems": self.problems,
        }


async def _make(brokers: Sequence[str], wanted: Sequence[TopicWish], *, dry_run: bool) -> list[_Found]:
    async with open_topics(brokers) as manager:
        there = await manager.find([wish.name for wish in wanted])
        return [await _settle(manager, wish, there.get(wish.name), dry_run=dry_run) for wish in wanted]


async def _settle(manager: Topics, wish: TopicWish, state: TopicState | None, *, dry_run: bool) -> _Found:
    if state is None:
        if dry_run:
            return _Found(wish.name, "missing", None, ["is not there: run this command without --dry-run."])
        try:
            made = await manager.create(wish)
        except TopicRefused as error:
            return _Found(wish.name, "refused", None, [str(error)])
        if made:
            return _Found(wish.name, f"created, with {wish.partitions} partitions")
        state = (await manager.find([wish.name]))[wish.name]
    problems = differences(wish, state)
    unread = "" if state.configs is not None else "; its configuration cannot be read from these brokers"
    return _Found(
        wish.name, f"{'differs' if problems else 'as wanted'}, {state.partitions} partitions{unread}", state, problems
    )

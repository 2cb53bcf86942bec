"""What was asked of the database, and how its planner means to answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from beanie import init_beanie
from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from models.registry import STORED_MODELS

Database = AsyncDatabase[dict[str, Any]]
_OF_A_QUERY = ("find", "filter", "sort", "limit", "hint", "min", "max", "aggregate", "pipeline", "cursor")


@dataclass(frozen=True)
class Plan:
    """The stages of a winning plan, the indexes it uses, and what it read to return so many records."""

    stages: frozenset[str]
    indexes: frozenset[str]
    keys: int
    documents: int
    returned: int


_LOOKED_AT_ALL_THE_TIME = {"leases", "revocations", "sellers"}
"""By the application of other tests, which lives in this process too, and by whoever keeps leases."""


class Asked(CommandListener):
    """Keeps the queries that the repositories send."""

    def __init__(self) -> None:
        self._queries: list[dict[str, Any]] = []

    def started(self, event: CommandStartedEvent) -> None:
        """Note one query."""
        if event.command_name in ("find", "aggregate") and event.command[event.command_name] not in _LOOKED_AT_ALL_THE_TIME:
            self._queries.append({key: value for key, value in event.command.items() if key in _OF_A_QUERY})

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Expect nothing."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Expect nothing."""

    def forget(self) -> None:
        """Start over."""
        self._queries.clear()

    async def plan(self, database: Database) -> Plan:
        """Explain the one query that was sent since `forget`."""
        (plan,) = await self.plans(database)
        return plan

    async def plans(self, database: Database) -> list[Plan]:
        """Explain every query that was sent since `forget`."""
        return [await self._explained(database, query) for query in self._queries]

    async def _explained(self, database: Database, query: dict[str, Any]) -> Plan:
        # The bounds of an index end with moments that Python has no name for.
        options = CodecOptions[dict[str, Any]](datetime_conversion=DatetimeConversion.DATETIME_AUTO)
        found = await database.command("explain", query, verbosity="executionStats", codec_options=options)
        # An aggregation that is not pushed down whole explains its first stage as a cursor.
        explained = found if "queryPlanner" in found else found["stages"][0]["$cursor"]
        nodes = list(_nodes(explained["queryPlanner"]["winningPlan"]))
        executed = explained["executionStats"]
        return Plan(
            stages=frozenset(node["stage"] for node in nodes),
            indexes=frozenset(node["indexName"] for node in nodes if "indexName" in node),
            keys=executed["totalKeysExamined"],
            documents=executed["totalDocsExamined"],
            returned=executed["nReturned"],
        )


def _nodes(plan: object) -> Iterator[dict[str, Any]]:
    if isinstance(plan, dict):
        # A plan for the newer engine has its readable form inside; its own form lists slots and registers.
        if "queryPlan" in plan:
            yield from _nodes(plan["queryPlan"])
            return
        if "stage" in plan:
            yield plan
        for inner in plan.values():
            yield from _nodes(inner)
    elif isinstance(plan, list):
        for inner in plan:
            yield from _nodes(inner)


async def tell_beanie(database: Database) -> None:
    """Have Beanie read and write there from now on; it knows one database per process."""
    await init_beanie(database=database, document_models=list(STORED_MODELS), skip_indexes=True)

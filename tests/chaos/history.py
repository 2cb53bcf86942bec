"""What was asked and answered under faults, and whether what is stored and published is what that promises."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from pymongo.asynchronous.database import AsyncDatabase

from infra.kafka import Received, consume

DONE = "done"
TYPED = frozenset({"UNAVAILABLE", "TIMEOUT", "OVERLOADED"})
"""What a caller is told when it is nobody's fault; all of it may be tried again."""

Database = AsyncDatabase[dict[str, Any]]


@dataclass(slots=True)
class Attempt:
    """One call that changes something. *mark* is a name that no other call gives.

    `outcome` is `DONE`, the code of an error, or ``lost`` when there was no answer; `version` what a done one made.
    """

    kind: str
    seller: str
    mark: str
    began: float
    ended: float = 0.0
    outcome: str = "lost"
    customer_id: str = ""
    version: int = 0


@dataclass(slots=True)
class History:
    """Everything that was attempted, and every answer that was wrong in itself."""

    attempts: list[Attempt] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def done(self) -> list[Attempt]:
        """What was acknowledged."""
        return [one for one in self.attempts if one.outcome == DONE]

    @property
    def failed(self) -> list[Attempt]:
        """What was not."""
        return [one for one in self.attempts if one.outcome != DONE]

    def outcomes(self, *, since: float = 0.0) -> Counter[str]:
        """Return how often there was which outcome."""
        return Counter(one.outcome for one in self.attempts if one.ended >= since)

    def untyped(self, *allowed: str) -> Counter[str]:
        """Return the outcomes that no caller should ever see, but for those that are *allowed* here."""
        return Counter(one.outcome for one in self.failed if one.outcome not in TYPED | set(allowed))

    def seconds_of_errors(self, since: float) -> float:
        """Return how long after *since* the last error came."""
        return max((one.ended - since for one in self.failed if one.ended >= since), default=0.0)

    async def check(self, database: Database) -> list[str]:
        """Return what the database holds against this history: something lost, doubled, invented, or somebody else's."""
        sellers = sorted({one.seller for one in self.attempts})
        customers = await database["customers"].find({"seller_id": {"$in": sellers}}).to_list()
        events = await database["customer_events"].find({"seller_id": {"$in": sellers}}).to_list()
        of_customer: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for event in sorted(events, key=lambda one: one["version"]):
            of_customer[event["customer_id"]].append(event)
        return [*self.wrong, *self._lost(events), *self._doubled(events), *_halves(customers, of_customer)]

    def _lost(self, events: Sequence[dict[str, Any]]) -> Iterable[str]:
        stored = {(event["seller_id"], event["customer_id"], event["version"]): _mark(event) for event in events}
        for one in self.done:
            found = stored.get((one.seller, one.customer_id, one.version))
            if found != one.mark:
                yield f"lost: {one.kind} {one.mark} was acknowledged as version {one.version}, where there is {found}"

    def _doubled(self, events: Sequence[dict[str, Any]]) -> Iterable[str]:
        known = {one.mark: one.seller for one in self.attempts}
        for mark, times in Counter(_mark(event) for event in events).items():
            if times > 1:
                yield f"doubled: {mark} happened {times} times"
        for event in events:
            if known.get(_mark(event)) != event["seller_id"]:
                yield f"invented: {_mark(event)} of {event['seller_id']}"


def _halves(customers: Sequence[dict[str, Any]], events: dict[str, list[dict[str, Any]]]) -> Iterable[str]:
    """Yield where a customer and its events tell different stories."""
    for customer in customers:
        mine = events.get(customer["_id"], [])
        if [event["version"] for event in mine] != list(range(1, customer["version"] + 1)):
            yield f"half: {customer['_id']} has version {customer['version']} and {len(mine)} events"
        elif _mark(mine[-1]) != customer.get("last_name"):
            yield f"half: {customer['_id']} is {customer.get('last_name')}, and its last event says {_mark(mine[-1])}"
    for id_ in events.keys() - {customer["_id"] for customer in customers}:
        yield f"half: events of {id_}, which is not there"


def _mark(event: dict[str, Any]) -> str:
    return str(event["data"].get("lastName"))


async def published(
    brokers: Sequence[str], topics: Sequence[str], awaited: Collection[str], *, within: float
) -> list[Received]:
    """Return all records of *topics* in their order, once each of the *awaited* events was seen."""
    missing, records = set(awaited), list[Received]()
    async with asyncio.timeout(within), consume(brokers, topics, from_beginning=True) as reading:
        while missing:
            record = await anext(reading)
            records.append(record)
            missing.discard(_id(record))
    return records


def check_published(records: Sequence[Received], events: Sequence[dict[str, Any]]) -> list[str]:
    """Return what is wrong with what Kafka has of *events*, which are all there are, as they are stored."""
    bytes_of: defaultdict[str, set[bytes]] = defaultdict(set)
    versions: defaultdict[tuple[str, bytes], list[int]] = defaultdict(list)
    for record in records:
        if _id(record) not in bytes_of:
            versions[record.topic, record.key or b""].append(orjson.loads(record.value or b"{}")["version"])
        bytes_of[_id(record)].add(record.value or b"")
    stored = {event["_id"] for event in events}
    return [
        *(f"never published: {one}" for one in stored - bytes_of.keys()),
        *(f"published and not stored: {one}" for one in bytes_of.keys() - stored),
        *(f"repeated with other bytes: {one}" for one, bodies in bytes_of.items() if len(bodies) > 1),
        *(f"out of order: {key!r} {found}" for (_, key), found in versions.items() if found != sorted(found)),
    ]


def _id(record: Received) -> str:
    return next(value.decode() for name, value in record.headers if name == "ce_id")

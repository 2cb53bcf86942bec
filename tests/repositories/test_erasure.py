"""Erasing looks past deletion, which the indexes of everything else do not: here is that it scans nothing all the same."""

from datetime import UTC, timedelta
from typing import Any

import pytest_asyncio
from beanie import init_beanie
from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from core.tenancy import EverySeller, Reach, Tenant
from models.erasure import Erasure
from models.registry import STORED_MODELS
from repositories.erasure import ErasureNotes
from repositories.unit_of_work import Repositories
from tests.repositories.plans import Database
from tests.repositories.records import START, crowd, store
from tests.servers import Servers

SELLER, SIZE = "erasing", 60


class Conditions(CommandListener):
    """Keeps where everything that is asked or destroyed was looked for: collection and conditions."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, dict[str, Any]]] = []

    def started(self, event: CommandStartedEvent) -> None:
        """Note what one command looks for."""
        command, name = event.command, event.command_name
        parts = {"find": ("", "filter"), "delete": ("deletes", "q"), "update": ("updates", "q"), "findAndModify": ("", "query")}
        if name in parts:
            inside, field = parts[name]
            self.kept += [(command[name], one[field]) for one in (command[inside] if inside else [command])]

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Expect nothing."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Expect nothing."""


LISTENER = Conditions()


@pytest_asyncio.fixture(name="heard")
async def _heard(indexed: Database, servers: Servers) -> Any:
    """The same database by a client that keeps what is asked."""
    client = AsyncMongoClient[dict[str, Any]](servers.mongodb_uri, tz_aware=True, tzinfo=UTC, event_listeners=[LISTENER])
    async with client:
        database = client.get_database(indexed.name, codec_options=CodecOptions(tz_aware=True, tzinfo=UTC))
        await init_beanie(database=database, document_models=list(STORED_MODELS), skip_indexes=True)
        yield database


def stages(plan: object) -> set[str]:
    """Return the names of all stages of a plan."""
    if isinstance(plan, dict):
        own = {plan["stage"]} if "stage" in plan else set()
        return own.union(*(stages(inner) for inner in plan.values()))
    return set().union(*(stages(inner) for inner in plan)) if isinstance(plan, list) else set()


async def test_nothing_is_scanned(heard: Database) -> None:
    """
    Nor is it by a service, whose tenant names no seller.
    """
    people = crowd(SELLER, SIZE)
    await store(Repositories(Tenant(SELLER)), people)
    LISTENER.kept.clear()
    tenants: list[Reach] = [Tenant(SELLER), EverySeller("test", audited=False)]
    for person, tenant in zip(people, tenants, strict=False):
        remains = Repositories(tenant).remains
        customer = person.customer
        assert customer == await remains.customer(customer.id)
        assert [] == await remains.merged_into(customer)
        assert 1 == len(await remains.documents(customer))
        assert [] == await remains.sessions(customer)
        assert 1 == len(await remains.existing_documents([person.documents[0].id]))
        await remains.destroy_belongings(customer, ["account"], ["trace"])
        tombstone = await remains.bury(customer, START + timedelta(days=1))
        assert tombstone is not None
        assert (2, None, [], "") == (tombstone.version, tombstone.email, tombstone.search_words, tombstone.full_name)
    notes = ErasureNotes()
    assert await notes.claim(START, timedelta(minutes=1)) is None

    scanned = []
    for place, conditions in LISTENER.kept:
        explained = await heard.command("explain", {"find": place, "filter": conditions}, verbosity="queryPlanner")
        found = stages(explained["queryPlanner"]["winningPlan"])
        if "COLLSCAN" in found or not found & {"IXSCAN", "IDHACK", "EXPRESS_IXSCAN", "EXPRESS_CLUSTERED_IXSCAN", "EOF"}:
            scanned.append((place, conditions, found))

    assert 30 < len(LISTENER.kept)
    assert [] == scanned


async def test_the_note_that_is_due_longest_comes_first_and_is_nobody_elses_for_a_while(
    mine: Repositories, seller: str
) -> None:
    minute = timedelta(minutes=1)
    # Before everything that other tests leave.
    early = START - timedelta(days=9_000)
    for number in (2, 1):
        due = early + number * minute
        await mine.remains.note(Erasure(id=f"{seller}-{number}", seller_id=seller, prefixes=[], due_at=due, until=due))
    notes = ErasureNotes()

    assert await notes.claim(early, minute) is None
    found = [await notes.claim(early + 3 * minute, minute) for _ in range(3)]

    assert [f"{seller}-1", f"{seller}-2", None] == [one and one.id for one in found]
    again = await notes.claim(early + 5 * minute, minute)
    assert again is not None
    await notes.forget(again)
    left = await notes.claim(early + 5 * minute, minute)
    assert left is not None
    await notes.put_off(left, early + 9 * minute)
    assert await notes.claim(early + 8 * minute, minute) is None
    assert left.id == (await notes.claim(early + 9 * minute, minute) or again).id
    await notes.forget(left)

"""Histories that somebody with the database has been at: each kind of tampering is found, and said where it is."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from pymongo.asynchronous.database import AsyncDatabase

from app.container import Container
from core.ids import IdKind, new_id
from services.audit_verification import MEANING, AuditVerification, Flaw
from tests.api import Api, fresh
from tests.graphql.operations import BERLIN, CREATE_ADDRESS, UPDATE, create, payload
from tests.graphql.test_erase import erased
from tests.graphql.test_merge import MERGE

Database = AsyncDatabase[dict[str, Any]]
Found = list[tuple[int | None, Flaw]]


@pytest_asyncio.fixture(name="ada")
async def _ada(execute: Api) -> str:
    """A customer with five versions."""
    customer = await create(execute, firstName="Ada")
    for name in ("Bea", "Cleo", "Dora"):
        await payload(execute, UPDATE, {"id": customer["id"], "patch": {"firstName": name}})
    await payload(execute, CREATE_ADDRESS, {"customer": customer["id"], "input": BERLIN})
    id_: str = customer["id"]
    return id_


@pytest.fixture(name="database")
def _database(container: Container) -> Database:
    database: Database = container.mongo.database
    return database


async def found(container: Container, id_: str) -> Found:
    """Return what is wrong with the history of a customer."""
    broken = await AuditVerification(container.rules.records.chain).customer(id_)
    assert broken is not None
    assert {id_} >= {one.customer_id for one in broken}
    return [(one.number, one.flaw) for one in broken]


async def test_a_history_that_nobody_touched_holds(execute: Api, container: Container, ada: str) -> None:
    other = await create(execute)
    await payload(execute, MERGE, {"into": ada, "from": other["id"]})

    assert [[], []] == [await found(container, one) for one in (ada, other["id"])]


async def test_a_chain_holds_after_its_values_were_erased(
    execute: Api, container: Container, database: Database, ada: str
) -> None:
    await erased(execute, ada)

    assert [] == await found(container, ada)
    records = await database["customer_events"].find({"customer_id": ada}).sort("version", 1).to_list()
    assert [False] * 5 == [bool({"changes", "origin", "salt"} & one.keys()) for one in records[:-1]]
    assert [True] * 6 == [{"digest", "hash"} <= one.keys() for one in records]


async def alter_actor(database: Database, id_: str) -> None:
    await database["customer_events"].update_one({"customer_id": id_, "version": 3}, {"$set": {"actor": "operator:eve"}})


async def alter_value(database: Database, id_: str) -> None:
    await database["customer_events"].update_one(
        {"customer_id": id_, "version": 3}, {"$set": {"changes.after.first_name": "Eve"}}
    )


async def alter_origin(database: Database, id_: str) -> None:
    await database["customer_events"].update_one(
        {"customer_id": id_, "version": 3}, {"$set": {"origin.ip_address": "192.0.2.1"}}
    )


async def destroy_values(database: Database, id_: str) -> None:
    await database["customer_events"].update_one(
        {"customer_id": id_, "version": 3}, {"$unset": {"changes": "", "origin": "", "salt": ""}}
    )


async def strip_seal(database: Database, id_: str) -> None:
    await database["customer_events"].update_one(
        {"customer_id": id_, "version": 3}, {"$unset": {"hash": "", "digest": "", "salt": ""}}
    )


async def remove(database: Database, id_: str) -> None:
    await database["customer_events"].delete_one({"customer_id": id_, "version": 3})


async def remove_first(database: Database, id_: str) -> None:
    await database["customer_events"].delete_one({"customer_id": id_, "version": 1})


async def reorder(database: Database, id_: str) -> None:
    events = database["customer_events"]
    for old, new in ((2, 102), (3, 2), (102, 3)):
        await events.update_one({"customer_id": id_, "version": old}, {"$set": {"version": new}})


async def insert(database: Database, id_: str) -> None:
    last = await database["customer_events"].find_one({"customer_id": id_, "version": 5}) or {}
    await database["customer_events"].insert_one({**last, "_id": new_id(IdKind.EVENT), "version": 6})
    await database["customers"].update_one({"_id": id_}, {"$set": {"version": 6}})


async def insert_without_seal(database: Database, id_: str) -> None:
    last = await database["customer_events"].find_one({"customer_id": id_, "version": 5}) or {}
    kept = {name: value for name, value in last.items() if name not in {"salt", "digest", "hash"}}
    await database["customer_events"].insert_one({**kept, "_id": new_id(IdKind.EVENT), "version": 6})
    await database["customers"].update_one({"_id": id_}, {"$set": {"version": 6}})


async def cut_off(database: Database, id_: str) -> None:
    """Remove the last record, and let the customer have the version before: what is left fits together."""
    await database["customer_events"].delete_one({"customer_id": id_, "version": 5})
    await database["customers"].update_one({"_id": id_}, {"$set": {"version": 4}})


async def cut_off_and_end_anew(database: Database, id_: str) -> None:
    """And put the hash of the last record that is left where the head of the chain is."""
    await cut_off(database, id_)
    last = await database["customer_events"].find_one({"customer_id": id_, "version": 4}) or {}
    await database["customers"].update_one({"_id": id_}, {"$set": {"chain": last["hash"]}})


async def remove_all(database: Database, id_: str) -> None:
    await database["customer_events"].delete_many({"customer_id": id_})
    await database["customers"].update_one({"_id": id_}, {"$set": {"version": 0}})


async def forget_head(database: Database, id_: str) -> None:
    await database["customers"].update_one({"_id": id_}, {"$unset": {"chain": ""}})


async def remove_customer(database: Database, id_: str) -> None:
    await database["customers"].delete_one({"_id": id_})


TAMPERED: list[tuple[Callable[[Database, str], Awaitable[None]], Found]] = [
    (alter_actor, [(3, Flaw.ALTERED)]),
    (alter_value, [(3, Flaw.CONTENTS_ALTERED)]),
    (alter_origin, [(3, Flaw.CONTENTS_ALTERED)]),
    (destroy_values, [(3, Flaw.CONTENTS_MISSING)]),
    (strip_seal, [(4, Flaw.ALTERED)]),
    (remove, [(3, Flaw.MISSING), (4, Flaw.ALTERED)]),
    (remove_first, [(1, Flaw.MISSING), (2, Flaw.ALTERED)]),
    (reorder, [(4, Flaw.ALTERED), (3, Flaw.ALTERED), (2, Flaw.ALTERED)]),
    (insert, [(6, Flaw.ALTERED)]),
    (insert_without_seal, [(6, Flaw.NOT_SEALED)]),
    (cut_off, [(4, Flaw.WRONG_END)]),
    (cut_off_and_end_anew, [(4, Flaw.WRONG_END)]),
    (remove_all, [(None, Flaw.WRONG_END)]),
    (forget_head, [(5, Flaw.WRONG_END)]),
    (remove_customer, [(None, Flaw.NO_CUSTOMER)]),
]


@pytest.mark.parametrize(("tamper", "expected"), TAMPERED, ids=[tamper.__name__ for tamper, _ in TAMPERED])
async def test_tampering_is_found(
    container: Container,
    database: Database,
    seller: str,
    ada: str,
    tamper: Callable[[Database, str], Awaitable[None]],
    expected: Found,
) -> None:
    await tamper(database, ada)

    assert sorted(expected, key=str) == sorted(await found(container, ada), key=str)
    verification = AuditVerification(container.rules.records.chain)
    of_seller = [(one.number, one.flaw) async for one in verification.every(seller)]
    assert sorted(expected, key=str) == sorted(of_seller, key=str)


async def test_one_that_is_broken_hides_no_other_and_breaks_none(
    execute: Api, container: Container, database: Database, seller: str, ada: str
) -> None:
    others = [(await create(execute))["id"] for _ in range(3)]
    await alter_actor(database, ada)
    await remove_customer(database, others[1])

    verification = AuditVerification(container.rules.records.chain)
    broken = [(one.customer_id, one.flaw) async for one in verification.every(seller)]

    assert [(ada, Flaw.ALTERED), (others[1], Flaw.NO_CUSTOMER)] == broken
    assert (3, 7, 0) == (verification.verified.customers, verification.verified.records, verification.verified.before)


async def test_a_chain_begins_behind_what_earlier_versions_wrote(
    execute: Api, container: Container, database: Database, ada: str
) -> None:
    """
    Nothing is proved of those; and a process of an earlier version may write between two of this one.
    """
    await database["customer_events"].update_many(
        {"customer_id": ada}, {"$unset": dict.fromkeys(("salt", "digest", "hash", "changes", "origin"), "")}
    )
    await database["customers"].update_one({"_id": ada}, {"$unset": {"chain": ""}})
    await payload(execute, UPDATE, {"id": ada, "patch": {"firstName": "Eve"}})
    verification = AuditVerification(container.rules.records.chain)

    assert [] == await verification.customer(ada)
    assert (6, 5) == (verification.verified.records, verification.verified.before)

    await remove(database, ada)
    assert [(3, Flaw.MISSING)] == await found(container, ada)


async def test_another_master_key_fits_nothing(container: Container, ada: str, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = container.rules.records.chain
    monkeypatch.setattr(chain, "_links", bytes(32))

    assert {Flaw.ALTERED} == {flaw for _, flaw in await found(container, ada)}


async def test_customers_that_change_meanwhile_are_no_flaw(
    execute: Api, container: Container, seller: str, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Histories are read a moment after what they are held against.
    """
    verification = AuditVerification(container.rules.records.chain)
    before = verification._records.records

    def late(*args: Any) -> Any:
        async def records() -> Any:
            await payload(execute, UPDATE, {"id": ada, "patch": {"firstName": fresh("name")}})
            async for stored in before(*args):
                yield stored

        monkeypatch.setattr(verification._records, "records", before)
        return records()

    monkeypatch.setattr(verification._records, "records", late)

    assert [] == [one async for one in verification.every(seller)]


async def test_changes_of_one_customer_at_once_are_one_chain(execute: Api, container: Container, ada: str) -> None:
    await asyncio.gather(
        *(payload(execute, UPDATE, {"id": ada, "patch": {"lastName": f"l{number}"}}) for number in range(8)),
        *(payload(execute, CREATE_ADDRESS, {"customer": ada, "input": BERLIN}) for _ in range(4)),
    )

    assert [] == await found(container, ada)


async def test_there_is_nothing_to_prove_of_nobody(container: Container) -> None:
    assert await AuditVerification(container.rules.records.chain).customer(new_id(IdKind.CUSTOMER)) is None


def test_every_flaw_is_told_in_words() -> None:
    assert set(Flaw) == MEANING.keys()

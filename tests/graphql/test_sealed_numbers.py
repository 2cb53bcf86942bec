"""Numbers of documents: in no dump of the database, and open to those with the scope for it, wherever they came from."""

import base64
import uuid
from collections.abc import Iterator
from typing import Any

import bson
import pytest

from app.container import Container
from auth.principal import OPERATOR_SCOPES, Scope
from core.sealing import SealBroken
from core.tenancy import Tenant
from models.document import Document
from repositories.unit_of_work import Repositories
from services.customer_keys import opened_numbers
from tests.api import Api, Tokens, codes
from tests.graphql.imports import finished, start
from tests.graphql.lists import BY
from tests.graphql.operations import CREATE_DOCUMENT, create, payload
from tests.graphql.test_erase import erased
from tests.graphql.test_merge import MERGE

PASSPORTS = [f"Q{n}{uuid.uuid4().hex[:10]}".upper() for n in range(5)]
"""Numbers that stand nowhere else in the database of the tests."""
NUMBERS = "query($id: ID!) { customer(id: $id) { documents { number } } }"


def disguises(number: str) -> Iterator[bytes]:
    """Yield what a number would look like in a dump, if it were only encoded and not encrypted."""
    plain = number.encode()
    yield from (plain, plain.lower(), plain[::-1], plain.hex().encode(), base64.b64encode(plain).rstrip(b"="))
    yield from (number.encode("utf-16-le"), number.encode("utf-16-be"), plain[:-2], plain[2:])


async def dump(container: Container) -> bytes:
    """Return every record of every collection, as it is stored."""
    records = []
    database = container.mongo.database
    for name in await database.list_collection_names():
        records += [bson.encode(one) async for one in database[name].find({})]
    return b"".join(records)


@pytest.fixture(name="auditor")
def _auditor(tokens: Tokens, seller: str) -> str:
    """Somebody who may see numbers in full."""
    return tokens.operator(seller, OPERATOR_SCOPES | {Scope.DOCUMENTS_READ_FULL})


async def numbers(execute: Api, id_: str, as_: str) -> list[str]:
    customer = (await execute.data(NUMBERS, {"id": id_}, as_=as_))["customer"]
    return [document["number"] for document in customer["documents"]]


@pytest.mark.usefixtures("import_worker")
async def test_a_dump_shows_no_number_and_those_with_the_scope_see_each(
    execute: Api, container: Container, auditor: str
) -> None:
    """
    Created with a customer, filed later, imported for a new and for a known customer, and taken over from a merged one.
    """
    ada = await create(execute, externalId="ada", documents=[{"type": "PASSPORT", "number": PASSPORTS[0]}])
    filed = {"type": "PASSPORT", "number": PASSPORTS[1]}
    assert [] == codes(await payload(execute, CREATE_DOCUMENT, {"customer": ada["id"], "input": filed}))
    bob = await create(execute, externalId="bob", documents=[{"type": "PASSPORT", "number": PASSPORTS[2]}])
    rows = f"external_id,document_type,document_number\nada,passport,{PASSPORTS[3]}\nnew,passport,{PASSPORTS[4]}\n"
    done = await finished(execute, await start(execute, rows.encode(), mode="UPSERT"))
    assert (1, 1, 0) == (done["createdRows"], done["updatedRows"], done["failedRows"])
    assert [] == codes(await payload(execute, MERGE, {"into": ada["id"], "from": bob["id"]}))
    new = (await execute.data(BY, {"key": {"externalId": "new"}}))["customerBy"]["id"]

    raw = await dump(container)

    assert [] == [number for number in PASSPORTS for disguise in disguises(number) if disguise in raw]
    of_ada = [PASSPORTS[0], PASSPORTS[1], PASSPORTS[2], PASSPORTS[3]]
    assert of_ada == sorted(await numbers(execute, ada["id"], auditor))
    assert [PASSPORTS[4]] == await numbers(execute, new, auditor)
    for number in of_ada:
        assert ada["id"] == (await execute.data(BY, {"key": {"documentNumber": number}}))["customerBy"]["id"]
    keys = container.mongo.database["customer_keys"]
    assert 3 == await keys.count_documents({"_id": {"$in": [ada["id"], bob["id"], new]}})


async def test_who_has_no_number_has_no_key(execute: Api, container: Container) -> None:
    customer = await create(execute, documents=[{"type": "PASSPORT"}])

    assert 0 == await container.mongo.database["customer_keys"].count_documents({"_id": customer["id"]})


async def test_what_an_heir_took_over_opens_after_the_other_one_was_erased(execute: Api, auditor: str) -> None:
    into = await create(execute)
    gone = await create(execute, documents=[{"type": "PASSPORT", "number": PASSPORTS[0]}])
    await payload(execute, MERGE, {"into": into["id"], "from": gone["id"]})

    await erased(execute, gone["id"])

    assert [PASSPORTS[0]] == await numbers(execute, into["id"], auditor)


async def test_an_erasure_destroys_the_key_so_that_a_copy_of_the_number_stays_closed(
    execute: Api, container: Container, auditor: str
) -> None:
    """
    As if a backup of the documents had been played in again, and not of the keys.
    """
    customer = await create(execute, documents=[{"type": "PASSPORT", "number": PASSPORTS[0]}])
    database = container.mongo.database
    backup: Any = await database["documents"].find_one({"customer_id": customer["id"]})

    await erased(execute, customer["id"])
    await database["documents"].insert_one(backup)

    assert 0 == await database["customer_keys"].count_documents({"_id": customer["id"]})
    answer = await execute("query($id: ID!) { document(id: $id) { id number } }", {"id": backup["_id"]}, as_=auditor)
    assert {"id": backup["_id"], "number": None} == answer["data"]["document"]
    assert ["NOT_FOUND"] == [error["extensions"]["code"] for error in answer["errors"]]
    work = Repositories(Tenant(backup["seller_id"]))
    (number,) = await opened_numbers(work, container.rules.records, [Document.model_validate(backup)])
    assert isinstance(number, SealBroken)
    await database["documents"].delete_one({"_id": backup["_id"]})


async def test_of_a_hundred_documents_the_keys_are_one_query(
    execute: Api, container: Container, auditor: str, commands: Any
) -> None:
    for number in PASSPORTS[:3]:
        await create(execute, documents=[{"type": "PASSPORT", "number": number}])
    commands.forget()

    answer = await execute.data("{ documents(first: 100) { nodes { number } } }", as_=auditor)

    assert sorted(PASSPORTS[:3]) == sorted(one["number"] for one in answer["documents"]["nodes"])
    assert ["documents", "customers", "customer_keys"] == commands.of_requests("find", "aggregate")

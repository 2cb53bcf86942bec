"""The search for what is left of somebody: it finds what there is, in every form, and nothing after an erasure."""

import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from app.container import Container
from infra.kafka import Record, open_producer
from infra.kafka_log import KafkaLog
from services.leftovers import Leftover, LeftoverSearch, Needles
from services.personal_values import PersonalValues
from tests.api import Api, Json, fresh
from tests.graphql.operations import BERLIN, create
from tests.graphql.test_erase import erased, filed
from tests.servers import Servers


class Empty:
    """An event log without events."""

    async def every(self) -> AsyncIterator[tuple[str, str, bytes]]:
        events: list[tuple[str, str, bytes]] = []
        for event in events:
            yield event


async def search(container: Container, seller: str, values: list[str], log: Any) -> list[Leftover]:
    needles = Needles(values, [seller], container.rules.sealer, container.rules.records)
    async with aclosing(LeftoverSearch(needles, container.store, log).run()) as found:
        return [one async for one in found]


async def test_everything_that_names_a_person_is_found_before_and_nothing_after(
    execute: Api, container: Container, servers: Servers, seller: str
) -> None:
    """
    In the database with its blind indexes, in a file, and in an event of a topic that tells everything.
    """
    word, topic = fresh("canary").replace("-", ""), fresh("topic")
    phone, number = f"+49151{uuid.uuid4().int % 10**8:08d}", f"{word}9".upper()[:20]
    draft: Json = {
        "email": f"{word}@example.com",
        "phone": phone,
        "firstName": "Zoë",
        "lastName": f"Ö{word}",
        "addresses": [{**BERLIN, "line1": f"{word} Straße 1"}],
        "documents": [{"type": "PASSPORT", "number": number}],
    }
    customer = await create(execute, **draft)
    document, _, _ = await filed(execute, customer["id"])
    key = f"documents/{seller}/{customer['id']}/{document}/notes"
    async with container.store.write(key, content_type="text/plain") as file:
        await file.write(b"x" * 100_000 + f"seen: Zo\u00eb \u00d6{word}".encode())
    people = PersonalValues(container.rules.records)
    stored = await people.customer(customer["id"])
    assert stored is not None
    values = await people.telling(stored)

    assert {f"{word}@example.com", phone, f"Zoë Ö{word}", f"{word} Straße 1", number} == set(values)
    found = await search(container, seller, values, Empty())
    places = {one.where for one in found}
    assert {"customers", "addresses", "documents", "bucket"} <= places
    of_number = {one.where for one in found if values[one.value] == number}
    assert {"customers", "documents"} == of_number
    assert key in {one.what for one in found}

    await erased(execute, customer["id"])

    async with open_producer(servers.kafka_brokers.split(","), client_id="test") as producer:
        assert [None] == await producer.publish([Record(topic, b"cus_1", b'{"id":"cus_1"}', [("event", b"x")])])
    log = KafkaLog(servers.kafka_brokers.split(","), [topic, fresh("nowhere")])
    assert [] == await search(container, seller, values, log)

    async with open_producer(servers.kafka_brokers.split(","), client_id="test") as producer:
        told = f'{{"email":"{word}@EXAMPLE.com","lastName":"\\u00d6{word}"}}'.encode()
        assert [None] == await producer.publish([Record(topic, b"cus_2", told, [("event", b"x")])])
    assert {(topic, values.index(f"{word}@example.com"))} == {
        (one.where, one.value) for one in await search(container, seller, values, log)
    }


@pytest.mark.parametrize(
    ("value", "raw"),
    [
        ("ada@example.com", b"...ADA@example.COM..."),
        ("M\u00fcller & Co", b'{"name": "M\\u00fcller & Co"}'),
        ("M\u00fcller & Co", b"documents/M%C3%BCller%20%26%20Co.pdf"),
        ("+442079460018", b"00442079460018"),
        ("Stra\u00dfe 1", "Stra\u00dfe 1".encode("utf-16-le")),
    ],
    ids=["case", "JSON", "path", "phone", "UTF-16"],
)
def test_a_value_is_recognised_in_every_form(container: Container, value: str, raw: bytes) -> None:
    needles = Needles(["nothing of it", value], [], container.rules.sealer, container.rules.records)

    assert {1} == needles.found_in(raw)


def test_values_that_stand_everywhere_are_not_looked_for(container: Container) -> None:
    needles = Needles(["vip", "Ada", ""], [], container.rules.sealer, container.rules.records)

    assert 0 == len(needles)
    assert set() == needles.found_in(b"Ada is a vip")

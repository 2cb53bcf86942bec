"""Queries that are answered in one message, and those that are not."""

import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import AutoReconnect

from app.container import Container
from models.customer import Customer
from models.row import row_class
from repositories import find

NUMBERS = list(range(7))

Collection = AsyncCollection[dict[str, Any]]
ROW = row_class(Customer)


@pytest.fixture(name="numbers")
async def _numbers(container: Container) -> AsyncIterator[Collection]:
    collection = container.mongo.database[f"numbers-{secrets.token_hex(4)}"]
    await collection.insert_many([{"_id": number, "odd": number % 2 == 1, "more": "x"} for number in NUMBERS])
    yield collection
    await collection.drop()


async def test_conditions_fields_order_and_limit_hold(numbers: Collection) -> None:
    found = await find.found(numbers, {"odd": True}, ROW, {"odd": True}, [("_id", -1)], limit=2)

    assert [{"_id": 5, "odd": True}, {"_id": 3, "odd": True}] == found
    assert {ROW} == set(map(type, found))


async def test_what_does_not_fit_into_one_message_comes_all_the_same(
    numbers: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find, "_ONE_MESSAGE", 2)

    found = await find.found(numbers, {}, ROW, {"_id": True}, [("_id", 1)])

    assert [{"_id": number} for number in NUMBERS] == found
    assert {ROW} == set(map(type, found))


async def test_a_server_that_has_just_changed_is_asked_again(numbers: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    async def lost(*_: object, **__: object) -> None:
        raise AutoReconnect("not primary")

    monkeypatch.setattr(AsyncDatabase, "command", lost)

    found = await find.found(numbers, {"odd": False}, ROW, {"_id": True}, [("_id", 1)])

    assert [{"_id": 0}, {"_id": 2}, {"_id": 4}, {"_id": 6}] == found

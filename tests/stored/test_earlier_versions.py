"""What earlier versions stored is read, changed and published by this one, and this one stores nothing that they choke on."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from bson import json_util
from bson.codec_options import CodecOptions

from app.asgi import create_app
from app.container import Container
from app.keys import token_issuer
from core.clock import SystemClock
from infra.mongo import create_indexes, missing_indexes
from models.registry import STORED_MODELS
from repositories.customer_event import MongoOutbox
from tests.api import BASE, Api, Tokens, fresh
from tests.databases import drop
from tests.graphql.operations import CREATE, DELETE, HISTORY, READ, UPDATE, payload
from tests.servers import Servers
from tests.stored.capture import SELLER, settings_of

VERSIONS = sorted(Path(__file__).parent.glob("*.json"))
BY_REFERENCE = "query($key: CustomerKey!) { customerBy(key: $key) { id } }"


@pytest_asyncio.fixture(name="execute", params=VERSIONS, ids=lambda path: path.stem)
async def _execute(request: pytest.FixtureRequest, servers: Servers, tmp_path: Path) -> AsyncIterator[Api]:
    """The API of this version on the data of an earlier one, whose indexes were brought up to date."""
    settings = settings_of(servers.mongodb_uri, fresh("stored"), tmp_path / "keys.json")
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        container: Container = app.state.container
        found = json_util.loads(request.param.read_text(encoding="utf-8"), json_options=json_util.CANONICAL_JSON_OPTIONS)
        for name, records in found.items():
            await container.mongo.database.get_collection(name, CodecOptions(tz_aware=True)).insert_many(records)
        await create_indexes()
        token = Tokens(token_issuer(settings, SystemClock())).operator(SELLER)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE, timeout=60) as http:
            yield Api(http, token)
        await drop(container.mongo.database.client, settings.mongodb.database)


async def test_customers_of_earlier_versions_are_read_changed_and_deleted(execute: Api) -> None:
    id_ = (await execute.data(BY_REFERENCE, {"key": {"documentNumber": "531985007"}}))["customerBy"]["id"]

    person = (await execute.data(READ, {"id": id_}))["customer"]
    history = (await execute.data(HISTORY, {"id": id_}))["customer"]["history"]["nodes"]
    imports = await execute.data("{ bulkImports { nodes { fileName status } } customers { totalCount } }")
    changed = await payload(execute, UPDATE, {"id": id_, "patch": {"company": "Analytical"}, "version": person["version"]})
    deleted = await payload(execute, DELETE, {"id": id_})

    assert ("ada@example.com", "+4930901820", "Ada King", "1985-12-10") == tuple(
        person[key] for key in ("email", "phone", "fullName", "dateOfBirth")
    )
    assert [{"key": "size", "value": "m"}] == person["attributes"]
    assert [("SHIPPING", True), ("BILLING", True)] == [(one["kind"], one["isDefault"]) for one in person["addresses"]]
    assert [("PASSPORT", "••••5007")] == [(one["type"], one["number"]) for one in person["documents"]]
    assert ["UPDATED", "CREATED"] == [one["type"] for one in history]
    assert [{"fileName": "c.csv", "status": "AWAITING_UPLOAD"}] == imports["bulkImports"]["nodes"]
    assert 1 == imports["customers"]["totalCount"]
    assert ("Analytical", person["version"] + 1) == (changed["customer"]["company"], changed["customer"]["version"])
    assert {"deletedId": id_, "userErrors": []} == deleted


async def test_a_call_that_an_earlier_version_answered_is_answered_the_same(execute: Api) -> None:
    id_ = (await execute.data(BY_REFERENCE, {"key": {"externalId": "k-1"}}))["customerBy"]["id"]

    other = await payload(execute, CREATE, {"input": {"externalId": "k-9"}, "key": "first"})

    assert ["IDEMPOTENCY_KEY_REUSED"] == [error["code"] for error in other["userErrors"]]
    assert id_ == (await execute.data(BY_REFERENCE, {"key": {"externalId": "k-1"}}))["customerBy"]["id"]


async def test_events_that_an_earlier_version_did_not_publish_are_published(execute: Api) -> None:
    assert [] == await missing_indexes()
    outbox = MongoOutbox(SystemClock(), holder=fresh("relay"))

    waiting = await outbox.pending(100)
    await outbox.mark_published([event.id for event in waiting])

    assert [1, 1, 2, 2] == sorted(event.version for event in waiting)
    assert [] == list(await outbox.pending(100))


@pytest.mark.parametrize("model", STORED_MODELS, ids=lambda model: model.__name__)
def test_no_model_chokes_on_what_a_later_version_adds(model: type) -> None:
    """
    While a deployment rolls out, the version before reads what the new one stores.
    """
    assert model.model_config.get("extra", "ignore") == "ignore"  # type: ignore[attr-defined]  # they are Pydantic's


def test_there_are_versions() -> None:
    assert VERSIONS

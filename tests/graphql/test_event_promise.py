"""What consumers are promised is what the service makes: JSON Schemas, held against every event of every test."""

from tests.api import Api
from tests.graphql.operations import DELETE, UPDATE, create, payload
from tests.graphql.test_erase import ERASE


async def test_all_four_events_are_held_against_their_schemas(execute: Api, made_events: list[str]) -> None:
    before = len(made_events)

    customer = await create(execute)
    await payload(execute, UPDATE, {"id": customer["id"], "patch": {"tags": ["vip"]}})
    await payload(execute, DELETE, {"id": customer["id"]})
    await payload(execute, ERASE, {"id": customer["id"]})

    assert ["customer.created", "customer.updated", "customer.deleted", "customer.erased"] == made_events[before:]

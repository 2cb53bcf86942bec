"""Erasures that can be taken back, and the receipt of those that happened."""

from typing import Any

import pytest

from app.container import Container, build_erasure, housekeeping
from models.erasure_receipt import ErasureReceipt
from services.erasure import ErasureService
from services.erasure_receipts import is_genuine
from tests.api import Api, Json, Tokens, codes, fresh
from tests.clocks import MovableClock
from tests.graphql.operations import DELETE, ERRORS, create, payload, read
from tests.graphql.test_erase import erased, filed, keep_house, types
from tests.graphql.test_merge import MERGE

LATER = f"mutation($id: ID!, $days: Int!) {{ eraseCustomer(id: $id, graceDays: $days) {{ deletedId {ERRORS} }} }}"
CANCEL = f"mutation($id: ID!) {{ cancelErasure(id: $id) {{ customer {{ id erasureDueAt version }} {ERRORS} }} }}"
DUE = "query($id: ID!) { customer(id: $id) { erasureDueAt version history { edges { node { type changed actor } } } } }"
RECEIPT = """query($id: ID!) { erasureReceipt(customerId: $id) { customerId sellerId actor erasedAt keyDestroyed files
  filesGoneAt signature swept { collection records } } }"""


async def due(execute: Api, id_: str) -> Json:
    customer: Json = (await execute.data(DUE, {"id": id_}))["customer"]
    return customer


async def sweep(container: Container, **ahead: float) -> bool:
    """Do what a worker does about erasures whose time has come, some time from now."""
    clock = MovableClock()
    clock.advance(**ahead)
    service = build_erasure(container, container.sign_in_limits)
    service = ErasureService(container.units, service._records, service._files, service._limits, service._sealer, clock)
    return await service.sweep()


async def test_an_erasure_with_a_grace_changes_nothing_until_it_is_over(execute: Api, container: Container) -> None:
    customer = await create(execute)

    planned = await payload(execute, LATER, {"id": customer["id"], "days": 7})
    await sweep(container, days=6.9)
    waiting = await due(execute, customer["id"])
    await sweep(container, days=7.1)

    assert {"deletedId": customer["id"], "userErrors": []} == planned
    assert waiting["erasureDueAt"] is not None
    assert ("UPDATED", ["erasureDueAt"], "operator:ada") == tuple(waiting["history"]["edges"][0]["node"].values())
    assert await read_or_none(execute, customer["id"]) is None
    assert ["CREATED", "UPDATED", "ERASED"] == await types(container, customer["id"])
    receipt = (await execute.data(RECEIPT, {"id": customer["id"]}))["erasureReceipt"]
    assert "operator:ada" == receipt["actor"]


async def read_or_none(execute: Api, id_: str) -> Any:
    return (await execute.data("query($id: ID!) { customer(id: $id) { id } }", {"id": id_}))["customer"]


async def test_it_can_be_taken_back_while_it_has_not_happened(execute: Api, container: Container) -> None:
    customer = await create(execute)
    await payload(execute, LATER, {"id": customer["id"], "days": 7})

    taken_back = await payload(execute, CANCEL, {"id": customer["id"]})
    once_more = await payload(execute, CANCEL, {"id": customer["id"]})
    await sweep(container, days=8)

    assert taken_back == once_more
    assert (None, 3, []) == (taken_back["customer"]["erasureDueAt"], taken_back["customer"]["version"], codes(taken_back))
    assert customer["email"] == (await read(execute, customer["id"]))["email"]
    assert ["CREATED", "UPDATED", "UPDATED"] == await types(container, customer["id"])


async def test_afterwards_it_cannot_be_taken_back(execute: Api, container: Container) -> None:
    customer = await create(execute)
    await payload(execute, LATER, {"id": customer["id"], "days": 1})
    await sweep(container, days=2)

    refused = await payload(execute, CANCEL, {"id": customer["id"]})

    assert [("NOT_FOUND", ["id"])] == codes(refused)


async def test_asked_for_twice_the_first_date_counts_and_without_a_grace_it_happens_at_once(execute: Api) -> None:
    customer = await create(execute)
    await payload(execute, LATER, {"id": customer["id"], "days": 1})
    first = await due(execute, customer["id"])

    await payload(execute, LATER, {"id": customer["id"], "days": 30})
    assert first == await due(execute, customer["id"])
    await erased(execute, customer["id"])

    assert await read_or_none(execute, customer["id"]) is None


@pytest.mark.parametrize("days", [-1, 91])
async def test_a_grace_of_no_sense_is_refused(execute: Api, days: int) -> None:
    customer = await create(execute)

    refused = await payload(execute, LATER, {"id": customer["id"], "days": days})

    assert [("INVALID", ["graceDays"])] == codes(refused)
    assert (None, 1) == tuple((await due(execute, customer["id"])).values())[:2]


async def test_who_was_deleted_has_no_grace(execute: Api) -> None:
    customer = await create(execute)
    await payload(execute, DELETE, {"id": customer["id"]})

    assert [("STATE", ["graceDays"])] == codes(await payload(execute, LATER, {"id": customer["id"], "days": 7}))
    await erased(execute, customer["id"])


async def test_who_was_deleted_meanwhile_is_erased_all_the_same(execute: Api, container: Container) -> None:
    customer = await create(execute)
    await payload(execute, LATER, {"id": customer["id"], "days": 7})
    await payload(execute, DELETE, {"id": customer["id"]})

    await sweep(container, days=8)

    assert "ERASED" == (await types(container, customer["id"]))[-1]


async def test_who_is_to_be_erased_is_merged_with_nobody(execute: Api) -> None:
    """
    Its data would live on under the other one's id, or the other one's would go with it.
    """
    planned, other = await create(execute), await create(execute)
    await payload(execute, LATER, {"id": planned["id"], "days": 7})

    assert [("STATE", ["from"])] == codes(await payload(execute, MERGE, {"into": other["id"], "from": planned["id"]}))
    assert [("STATE", ["into"])] == codes(await payload(execute, MERGE, {"into": planned["id"], "from": other["id"]}))
    assert 1 == (await read(execute, other["id"]))["version"]


async def test_every_worker_does_this(container: Container) -> None:
    assert "ErasureService.sweep" in {getattr(chore, "__qualname__", "") for chore, _ in housekeeping(container)._chores}


# ------------------------------------------------------------------------------- receipts


async def test_the_receipt_says_what_was_destroyed_and_nothing_of_the_person(
    execute: Api, container: Container, seller: str
) -> None:
    word = fresh("canary").replace("-", "")
    customer = await create(execute, email=f"{word}@example.com", documents=[{"type": "PASSPORT", "number": "C01X00T47"}])
    await filed(execute, customer["id"], f"{word}.pdf")

    await erased(execute, customer["id"])
    early = (await execute.data(RECEIPT, {"id": customer["id"]}))["erasureReceipt"]
    await keep_house(container, minutes=20)
    receipt = (await execute.data(RECEIPT, {"id": customer["id"]}))["erasureReceipt"]

    assert (customer["id"], seller, "operator:ada", True) == (
        receipt["customerId"], receipt["sellerId"], receipt["actor"], receipt["keyDestroyed"]
    )  # fmt: skip
    swept = {one["collection"]: one["records"] for one in receipt["swept"]}
    assert {"customers": 1, "addresses": 0, "documents": 2, "customer_keys": 1, "sessions": 0}.items() <= swept.items()
    assert 3 <= swept["customer_events"]
    assert (1, None) == (early["files"], early["filesGoneAt"])
    assert (1, True) == (receipt["files"], receipt["filesGoneAt"] is not None)
    assert word not in str(receipt)


async def test_a_receipt_that_somebody_changed_is_not_genuine(execute: Api, container: Container) -> None:
    customer = await create(execute)
    await erased(execute, customer["id"])
    receipts = container.mongo.database["erasure_receipts"]
    stored = ErasureReceipt.model_validate(await receipts.find_one({"_id": customer["id"]}))

    assert is_genuine(stored, container.rules.sealer)
    for change in ({"actor": "operator:eve"}, {"key_destroyed": True}, {"files": 7}, {"swept": stored.swept[1:]}):
        assert not is_genuine(stored.model_copy(update=change), container.rules.sealer)


async def test_a_receipt_is_its_sellers_only(execute: Api, tokens: Tokens) -> None:
    customer = await create(execute)
    await erased(execute, customer["id"])
    other = tokens.operator(fresh("seller"))

    assert (await execute.data(RECEIPT, {"id": customer["id"]}, as_=other))["erasureReceipt"] is None
    assert (await execute.data(RECEIPT, {"id": (await create(execute))["id"]}))["erasureReceipt"] is None

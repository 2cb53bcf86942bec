"""Consents: a ledger that only grows, and what holds by it."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from app.container import Container
from auth.principal import Scope
from core.clock import rfc3339
from core.ids import IdKind, new_id
from core.vocabulary import ConsentChannel, ConsentSource, ConsentState
from models.consent import Consent
from services import consent
from services.rules.consent import holding
from tests.api import Api, Json, Tokens, codes, fresh
from tests.graphql.operations import ERRORS, create, events, payload
from tests.graphql.test_erase import erased
from tests.graphql.test_merge import MERGE

ENTRY = "id channel purpose state source reference textVersion givenAt createdAt recordedBy ipAddress requestId"
GRANT, WITHDRAW = (
    f"""mutation($id: ID!, $input: ConsentInput!) {{
      {name}(customerId: $id, input: $input) {{ added consent {{ {ENTRY} }} {ERRORS} }} }}"""
    for name in ("recordConsent", "withdrawConsent")
)
READ = f"""query($id: ID!, $purpose: String, $channel: ConsentChannel) {{ customer(id: $id) {{ version
  consents(purpose: $purpose, channel: $channel) {{ {ENTRY} }}
  consentHistory(purpose: $purpose, channel: $channel) {{ {ENTRY} }} }} }}"""
UNMERGE = f"mutation($id: ID!) {{ unmergeCustomers(id: $id) {{ {ERRORS} }} }}"
MARKETING: Json = {"channel": "EMAIL", "purpose": "MARKETING", "textVersion": "2026-01"}
MARCH, APRIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)


async def say(execute: Api, mutation: str, id_: str, as_: str = "", **more: Any) -> Json:
    """Record what a customer says about e-mails of the seller's; return the payload."""
    return await payload(execute, mutation, {"id": id_, "input": {**MARKETING, **more}}, as_=as_)


async def ledger(execute: Api, id_: str, **chosen: str) -> tuple[list[Json], list[Json]]:
    """Return what holds, and the ledger, the latest entry first."""
    found = (await execute.data(READ, {"id": id_, **chosen}))["customer"]
    return found["consents"], found["consentHistory"]


async def test_what_was_said_is_kept_with_its_proof_and_the_last_word_holds(execute: Api) -> None:
    customer = await create(execute)

    granted = await say(execute, GRANT, customer["id"], source="FORM", reference="newsletter form")
    withdrawn = await say(execute, WITHDRAW, customer["id"])

    holds, history = await ledger(execute, customer["id"])
    assert ([], True, [], True) == tuple(one[key] for one in (granted, withdrawn) for key in ("userErrors", "added"))
    assert ["WITHDRAWN"] == [one["state"] for one in holds]
    assert [withdrawn["consent"], granted["consent"]] == history
    assert ("GRANTED", "FORM", "newsletter form", "2026-01", "operator:ada", None) == tuple(
        granted["consent"][key] for key in ("state", "source", "reference", "textVersion", "recordedBy", "ipAddress")
    )
    assert granted["consent"]["requestId"]
    told = [(one["type"], one["changed"]) for one in (await events(execute, customer["id"]))[1:]]
    assert [("UPDATED", ["consents"]), ("UPDATED", ["consents"])] == told


async def test_each_purpose_and_channel_is_a_matter_of_its_own(execute: Api) -> None:
    customer = await create(execute)
    await say(execute, GRANT, customer["id"])
    await say(execute, WITHDRAW, customer["id"], channel="SMS")
    await say(execute, GRANT, customer["id"], purpose=" loyalty_2026 ")

    holds, _ = await ledger(execute, customer["id"])
    by_purpose, history = await ledger(execute, customer["id"], purpose="loyalty_2026")
    by_channel, _ = await ledger(execute, customer["id"], channel="SMS")

    assert [("LOYALTY_2026", "EMAIL", "GRANTED"), ("MARKETING", "EMAIL", "GRANTED"), ("MARKETING", "SMS", "WITHDRAWN")] == [
        (one["purpose"], one["channel"], one["state"]) for one in holds
    ]
    assert [holds[0]] == by_purpose == history
    assert [holds[2]] == by_channel


async def test_saying_the_same_again_adds_nothing(execute: Api) -> None:
    customer = await create(execute)
    earlier = {"givenAt": rfc3339(MARCH), "source": "IMPORT"}
    first = await say(execute, GRANT, customer["id"], **earlier)
    second = await say(execute, GRANT, customer["id"], textVersion="2026-02")
    version = (await execute.data(READ, {"id": customer["id"]}))["customer"]["version"]

    again = [
        await say(execute, GRANT, customer["id"], textVersion="2026-02"),
        await say(execute, GRANT, customer["id"], **earlier),
    ]

    assert [(second["consent"], False), (first["consent"], False)] == [(one["consent"], one["added"]) for one in again]
    assert version == (await execute.data(READ, {"id": customer["id"]}))["customer"]["version"]
    assert 2 == len((await ledger(execute, customer["id"]))[1])


async def test_what_was_said_earlier_does_not_hold_over_what_was_said_since(execute: Api) -> None:
    customer = await create(execute)
    await say(execute, WITHDRAW, customer["id"], givenAt=rfc3339(APRIL))
    await say(execute, GRANT, customer["id"], givenAt=rfc3339(MARCH))

    holds, history = await ledger(execute, customer["id"])

    assert ["WITHDRAWN"] == [one["state"] for one in holds]
    assert ["WITHDRAWN", "GRANTED"] == [one["state"] for one in history]


async def test_a_customer_speaks_for_itself_and_for_now(execute: Api, tokens: Tokens, seller: str) -> None:
    customer, other = await create(execute), await create(execute)
    me = tokens.customer(customer["id"], seller)

    granted = await say(execute, GRANT, customer["id"], me)
    refused = [
        await say(execute, GRANT, customer["id"], me, source="FORM"),
        await say(execute, GRANT, customer["id"], me, givenAt=rfc3339(MARCH)),
        await say(execute, GRANT, other["id"], me),
        await say(execute, GRANT, customer["id"], source="CUSTOMER"),
    ]

    assert ("CUSTOMER", f"customer:{customer['id']}", "127.0.0.1") == tuple(
        granted["consent"][key] for key in ("source", "recordedBy", "ipAddress")
    )
    assert [
        [("INVALID", ["input", "source"])],
        [("FORBIDDEN", ["input", "givenAt"])],
        [("NOT_FOUND", ["customerId"])],
        [("INVALID", ["input", "source"])],
    ] == [codes(one) for one in refused]
    assert [granted["consent"]] == (await ledger(execute, customer["id"]))[1]
    assert [] == (await ledger(execute, other["id"]))[1]


async def test_all_that_is_wrong_is_told_at_once_and_nothing_is_recorded(execute: Api) -> None:
    customer = await create(execute)
    future = rfc3339(datetime.now(UTC) + timedelta(days=1))

    refused = await say(execute, GRANT, customer["id"], purpose="no key", textVersion=" ", reference="x" * 201, givenAt=future)

    assert [
        ("INVALID", ["input", "purpose"]),
        ("TOO_LONG", ["input", "reference"]),
        ("REQUIRED", ["input", "textVersion"]),
        ("INVALID", ["input", "givenAt"]),
    ] == codes(refused)
    assert ([], []) == await ledger(execute, customer["id"])
    assert 1 == len(await events(execute, customer["id"]))


async def test_a_ledger_has_an_end(execute: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consent, "MAX_ENTRIES", 1)
    customer = await create(execute)
    await say(execute, GRANT, customer["id"])

    assert [("TOO_MANY", ["customerId"])] == codes(await say(execute, WITHDRAW, customer["id"]))
    assert 1 == len((await ledger(execute, customer["id"]))[1])


async def test_grants_and_withdrawals_at_once_go_one_after_the_other(execute: Api) -> None:
    """
    Everybody sees the same last word, and it is the one that was recorded last.
    """
    customer = await create(execute)

    said = await asyncio.gather(*(say(execute, mutation, customer["id"]) for mutation in (GRANT, WITHDRAW) * 4))

    holds, history = await ledger(execute, customer["id"])
    added = sorted((one["consent"] for one in said if one["added"]), key=lambda one: (one["givenAt"], one["id"]))
    assert added == history[::-1]
    assert [history[0]] == holds
    assert len(history) == len({one["givenAt"] for one in history})
    assert all(one["state"] != after["state"] for one, after in pairwise(history))


def test_of_the_same_moment_the_later_id_holds() -> None:
    def entry(id_: str, state: ConsentState) -> Consent:
        made: Consent = Consent.model_construct(
            id=id_, channel=ConsentChannel.EMAIL, purpose="MARKETING", state=state, source=ConsentSource.API, given_at=MARCH
        )
        return made

    one, other = entry("con_1", ConsentState.GRANTED), entry("con_2", ConsentState.WITHDRAWN)

    assert [other] == holding([one, other]) == holding([other, one])


async def test_merging_joins_the_ledgers_so_that_the_latest_of_both_holds_until_it_is_undone(execute: Api) -> None:
    into, gone = await create(execute), await create(execute)
    await say(execute, GRANT, into["id"], givenAt=rfc3339(MARCH))
    await say(execute, WITHDRAW, gone["id"], givenAt=rfc3339(APRIL))

    await payload(execute, MERGE, {"into": into["id"], "from": gone["id"]})

    holds, history = await ledger(execute, into["id"])
    assert (["WITHDRAWN"], ["WITHDRAWN", "GRANTED"]) == tuple([one["state"] for one in some] for some in (holds, history))
    assert "consents" in (await events(execute, into["id"]))[-1]["changed"]

    undone = await payload(execute, UNMERGE, {"id": gone["id"]})

    assert [] == undone["userErrors"]
    left, back = [(await ledger(execute, id_))[1] for id_ in (into["id"], gone["id"])]
    assert (["GRANTED"], ["WITHDRAWN"]) == ([one["state"] for one in left], [one["state"] for one in back])


async def test_an_erasure_destroys_the_ledger(execute: Api, container: Container) -> None:
    customer = await create(execute)
    await say(execute, GRANT, customer["id"], reference=fresh("canary"))

    await erased(execute, customer["id"])

    assert 0 == await container.mongo.database["consents"].count_documents({"customer_id": customer["id"]})
    assert [("NOT_FOUND", ["customerId"])] == codes(await say(execute, GRANT, customer["id"]))


async def test_whoever_sees_customers_masked_sees_no_consents(execute: Api, tokens: Tokens, seller: str) -> None:
    customer = await create(execute)
    await say(execute, GRANT, customer["id"])
    masked = tokens.operator(seller, {Scope.CUSTOMERS_READ_MASKED})

    answer = await execute(READ, {"id": customer["id"]}, as_=masked)

    assert {"FORBIDDEN"} == {error["extensions"]["code"] for error in answer["errors"]}
    assert "2026-01" not in str(answer)


async def test_another_sellers_customer_is_not_found(execute: Api, tokens: Tokens) -> None:
    theirs = await create(execute, as_=tokens.operator(fresh("seller")))

    answers = [await say(execute, GRANT, id_) for id_ in (theirs["id"], new_id(IdKind.CUSTOMER), "x")]

    assert [[("NOT_FOUND", ["customerId"])]] * 3 == [codes(one) for one in answers]

"""Customers over GraphQL: written, read, listed, and kept apart."""

import asyncio

import pytest

from core.ids import IdKind, new_id
from tests.api import Api, Json, Tokens, codes, fresh, some_email
from tests.graphql.lists import BY, ids
from tests.graphql.operations import (
    BERLIN,
    CREATE,
    DELETE,
    LONDON,
    UPDATE,
    UPSERT,
    announced,
    create,
    payload,
    read,
)

# ---------------------------------------------------------------------------- creating


async def test_customer_comes_with_its_addresses_and_documents_in_one_call(execute: Api, seller: str) -> None:
    email = some_email()

    made = await payload(
        execute,
        CREATE,
        {
            "input": {
                "externalId": "A-17",
                "email": f"  {email.upper()} ",
                "phone": "030 901820",
                "firstName": "Ada",
                "lastName": "Lovelace",
                "dateOfBirth": "1990-12-10",
                "locale": "en_GB",
                "tags": ["vip", "vip", "early"],
                "attributes": [{"key": "tier", "value": "gold"}],
                "addresses": [BERLIN, LONDON],
                "documents": [{"type": "PASSPORT", "number": "531985007", "issuingCountry": "GB", "file": announced()}],
            }
        },
    )

    customer = made["customer"]
    assert [] == made["userErrors"]
    assert await read(execute, customer["id"]) | {"documents": None} == customer | {"documents": None}
    assert {
        "sellerId": seller,
        "externalId": "A-17",
        "kind": "INDIVIDUAL",
        "status": "ACTIVE",
        "email": email,
        "emailVerified": False,
        "phone": "+4930901820",
        "phoneVerified": False,
        "fullName": "Ada Lovelace",
        "dateOfBirth": "1990-12-10",
        "locale": "en-GB",
        "tags": ["vip", "early"],
        "attributes": [{"key": "tier", "value": "gold"}],
        "version": 1,
    }.items() <= customer.items()
    assert [("SHIPPING", True, "Berlin"), ("BILLING", True, "London")] == [
        (one["kind"], one["isDefault"], one["city"]) for one in customer["addresses"]
    ]
    (document,) = customer["documents"]
    assert {"status": "AWAITING_UPLOAD", "number": "••••5007", "category": "IDENTITY", "file": None}.items() <= document.items()
    (invitation,) = made["documentUploads"]
    assert document["id"] == invitation["documentId"]
    assert "PUT" == invitation["upload"]["method"]


async def test_all_problems_come_back_at_once_with_their_paths_and_nothing_is_stored(execute: Api) -> None:
    made = await payload(
        execute,
        CREATE,
        {
            "input": {
                "externalId": "half",
                "email": "ada@",
                "phone": "12",
                "firstName": "",
                "dateOfBirth": "2990-01-01",
                "tags": ["ok", "x" * 65],
                "addresses": [BERLIN, {**LONDON, "postalCode": "10119"}],
                "documents": [{"type": "PASSPORT", "issuingCountry": "Germany", "expiresOn": "2001-01-01"}],
            }
        },
    )

    assert made["customer"] is None
    assert {
        ("INVALID_EMAIL", "email"),
        ("INVALID_PHONE", "phone"),
        ("REQUIRED", "firstName"),
        ("INVALID", "dateOfBirth"),
        ("TOO_LONG", "tags.1"),
        ("INVALID_ADDRESS", "addresses.1.postalCode"),
        ("INVALID", "documents.0.issuingCountry"),
        ("DOCUMENT_EXPIRED", "documents.0.expiresOn"),
    } == {(code, ".".join(path or [])) for code, path in codes(made)}
    assert [] == await ids(execute)


async def test_customer_needs_something_to_be_known_by(execute: Api) -> None:
    made = await payload(execute, CREATE, {"input": {"firstName": "Ada"}})

    assert [("REQUIRED", None)] == codes(made)


async def test_what_somebody_else_holds_is_taken_all_of_it_at_once(execute: Api) -> None:
    held = {"email": some_email(), "phone": "+4930901820", "externalId": "A-1"}
    passport = {"type": "PASSPORT", "number": "531985007", "issuingCountry": "GB"}
    await create(execute, **held, documents=[passport])

    made = await payload(execute, CREATE, {"input": {**held, "documents": [{"type": "UTILITY_BILL"}, passport]}})

    assert {("TAKEN", "email"), ("TAKEN", "phone"), ("TAKEN", "externalId"), ("TAKEN", "documents.1.number")} == {
        (code, ".".join(path or [])) for code, path in codes(made)
    }


async def test_two_sellers_may_have_the_same_customer(execute: Api, tokens: Tokens) -> None:
    email = some_email()

    one = await create(execute, email=email)
    other = await create(execute, as_=tokens.operator(fresh("seller")), email=email)

    assert one["id"] != other["id"]


async def test_of_a_hundred_at_once_with_one_email_exactly_one_is_made(execute: Api) -> None:
    email = some_email()

    made = await asyncio.gather(*(payload(execute, CREATE, {"input": {"email": email}}) for _ in range(100)))

    assert 1 == len([one for one in made if one["customer"]])
    assert {("TAKEN", ("email",))} == {(error["code"], tuple(error["field"])) for one in made for error in one["userErrors"]}
    assert 1 == len(await ids(execute))


async def test_fifty_repetitions_under_one_idempotency_key_make_one_customer(execute: Api) -> None:
    asked = {"input": {"email": some_email(), "addresses": [BERLIN]}, "key": "order 17"}

    made = await asyncio.gather(*(payload(execute, CREATE, asked) for _ in range(50)))

    assert [] == [one["userErrors"] for one in made if one["userErrors"]]
    assert 1 == len({one["customer"]["id"] for one in made})
    assert 1 == len(await ids(execute))


async def test_repetition_gets_upload_targets_again(execute: Api) -> None:
    asked = {"input": {"email": some_email(), "documents": [{"type": "PASSPORT", "file": announced()}]}, "key": "k"}

    first, second = [await payload(execute, CREATE, asked) for _ in range(2)]

    assert first["documentUploads"][0]["documentId"] == second["documentUploads"][0]["documentId"]


async def test_idempotency_key_cannot_serve_another_request(execute: Api) -> None:
    await payload(execute, CREATE, {"input": {"email": some_email()}, "key": "k"})

    made = await payload(execute, CREATE, {"input": {"email": some_email()}, "key": "k"})

    assert [("IDEMPOTENCY_KEY_REUSED", ["idempotencyKey"])] == codes(made)


async def test_idempotency_keys_of_two_sellers_do_not_meet(execute: Api, tokens: Tokens) -> None:
    one = await payload(execute, CREATE, {"input": {"email": some_email()}, "key": "k"})
    other = await payload(execute, CREATE, {"input": {"email": some_email()}, "key": "k"}, as_=tokens.operator(fresh("seller")))

    assert one["customer"]["id"] != other["customer"]["id"]


@pytest.mark.parametrize("key", ["", "x" * 256])
async def test_idempotency_key_has_1_to_255_characters(execute: Api, key: str) -> None:
    made = await payload(execute, CREATE, {"input": {"email": some_email()}, "key": key})

    assert [("INVALID", ["idempotencyKey"])] == codes(made)


async def test_a_refusal_is_not_kept_under_its_idempotency_key(execute: Api) -> None:
    await payload(execute, CREATE, {"input": {"email": "ada@"}, "key": "k"})

    made = await payload(execute, CREATE, {"input": {"email": some_email()}, "key": "k"})

    assert [] == made["userErrors"]


# ---------------------------------------------------------------------------- changing


async def test_absent_field_stays_and_null_clears(execute: Api) -> None:
    customer = await create(execute, firstName="Ada", lastName="Lovelace", company="Engines", tags=["vip"], locale="en")

    changed = (
        await payload(execute, UPDATE, {"id": customer["id"], "patch": {"lastName": None, "tags": None, "company": "Looms"}})
    )["customer"]

    assert {
        "firstName": "Ada",
        "lastName": None,
        "fullName": "Ada",
        "company": "Looms",
        "tags": [],
        "locale": "en",
        "email": customer["email"],
        "version": 2,
    }.items() <= changed.items()
    assert changed == {key: (await read(execute, customer["id"]))[key] for key in changed}


async def test_change_that_changes_nothing_leaves_no_trace(execute: Api) -> None:
    customer = await create(execute, firstName="Ada", attributes=[{"key": "a", "value": "b"}])

    patch = {"firstName": " Ada", "email": customer["email"].upper(), "attributes": [{"key": "a", "value": "b"}]}
    changed = await payload(execute, UPDATE, {"id": customer["id"], "patch": patch})

    assert 1 == changed["customer"]["version"]
    assert customer["updatedAt"] == changed["customer"]["updatedAt"]


async def test_empty_patch_is_no_change(execute: Api) -> None:
    customer = await create(execute)

    assert 1 == (await payload(execute, UPDATE, {"id": customer["id"], "patch": {}}))["customer"]["version"]


async def test_the_last_identifier_cannot_be_cleared(execute: Api) -> None:
    customer = await create(execute)

    assert [("REQUIRED", None)] == codes(await payload(execute, UPDATE, {"id": customer["id"], "patch": {"email": None}}))


@pytest.mark.parametrize("field", ["kind", "status"])
async def test_kind_and_status_cannot_be_cleared(execute: Api, field: str) -> None:
    customer = await create(execute)

    assert [("REQUIRED", [field])] == codes(await payload(execute, UPDATE, {"id": customer["id"], "patch": {field: None}}))


async def test_stale_version_conflicts_and_tells_the_present_one(execute: Api) -> None:
    customer = await create(execute)
    await payload(execute, UPDATE, {"id": customer["id"], "patch": {"firstName": "Ada"}, "version": 1})

    late = await payload(execute, UPDATE, {"id": customer["id"], "patch": {"firstName": "Eve"}, "version": 1})

    assert [("CONFLICT", ["expectedVersion"], 2)] == [
        (error["code"], error["field"], error["currentVersion"]) for error in late["userErrors"]
    ]
    assert "Ada" == (await read(execute, customer["id"]))["firstName"]


async def test_of_twenty_changes_of_one_version_exactly_one_wins(execute: Api) -> None:
    customer = await create(execute)

    outcomes = await asyncio.gather(
        *(payload(execute, UPDATE, {"id": customer["id"], "patch": {"firstName": f"Ada {n}"}, "version": 1}) for n in range(20))
    )

    assert 1 == len([one for one in outcomes if one["customer"]])
    assert {"CONFLICT"} == {error["code"] for one in outcomes for error in one["userErrors"]}


async def test_twenty_changes_at_once_without_a_version_all_happen(execute: Api) -> None:
    customer = await create(execute)

    outcomes = await asyncio.gather(
        *(payload(execute, UPDATE, {"id": customer["id"], "patch": {"firstName": f"Ada {n}"}}) for n in range(20))
    )

    assert [] == [error for one in outcomes for error in one["userErrors"]]
    assert 21 == (await read(execute, customer["id"]))["version"]


async def test_change_to_what_another_holds_is_refused(execute: Api) -> None:
    one, other = await create(execute, externalId="A-1"), await create(execute)

    changed = await payload(
        execute, UPDATE, {"id": other["id"], "patch": {"email": one["email"], "externalId": "A-1", "firstName": "Eve"}}
    )

    assert {("TAKEN", "email"), ("TAKEN", "externalId")} == {(code, ".".join(path or [])) for code, path in codes(changed)}
    assert (await read(execute, other["id"]))["firstName"] is None


async def test_upsert_creates_and_then_changes(execute: Api) -> None:
    asked: Json = {"key": {"externalId": "A-1"}, "input": {"firstName": "Ada", "tags": ["vip"]}}

    first = await payload(execute, UPSERT, asked)
    second = await payload(execute, UPSERT, {**asked, "input": {"lastName": "Lovelace", "email": some_email()}})

    assert [True, False] == [first["created"], second["created"]]
    assert first["customer"]["id"] == second["customer"]["id"]
    assert ("Ada Lovelace", ["vip"], 2) == tuple(second["customer"][key] for key in ("fullName", "tags", "version"))


async def test_fifty_upserts_at_once_make_one_customer(execute: Api) -> None:
    asked = {"key": {"externalId": "A-1"}, "input": {"firstName": "Ada"}}

    made = await asyncio.gather(*(payload(execute, UPSERT, asked) for _ in range(50)))

    assert [] == [error for one in made for error in one["userErrors"]]
    assert 1 == len({one["customer"]["id"] for one in made})
    assert 1 == sum(one["created"] for one in made)


async def test_upsert_finds_by_every_identifier_in_any_spelling(execute: Api) -> None:
    customer = await create(
        execute,
        email="Ada@Example.com",
        phone="+1 202 456 1111",
        externalId="A-1",
        documents=[{"type": "PASSPORT", "number": "531985007", "issuingCountry": "GB"}],
    )
    keys = [
        {"id": customer["id"]},
        {"email": " ADA@example.COM"},
        {"phone": "(202) 456-1111"},
        {"externalId": "A-1"},
        {"documentNumber": "531 985 007"},
    ]

    for key in keys:
        assert customer["id"] == (await execute.data(BY, {"key": key}))["customerBy"]["id"]
        assert not (await payload(execute, UPSERT, {"key": key, "input": {}}))["created"]


async def test_upsert_by_an_unknown_id_creates_nothing(execute: Api) -> None:
    made = await payload(execute, UPSERT, {"key": {"id": new_id(IdKind.CUSTOMER)}, "input": {"email": some_email()}})

    assert [("NOT_FOUND", ["key", "id"])] == codes(made)


async def test_deleted_customer_is_gone_and_its_identifiers_are_free(execute: Api) -> None:
    held: Json = {
        "email": some_email(),
        "phone": "+4930901820",
        "externalId": "A-1",
        "documents": [{"type": "PASSPORT", "number": "531985007", "issuingCountry": "GB"}],
        "addresses": [BERLIN],
    }
    customer = await create(execute, **held)

    gone = await payload(execute, DELETE, {"id": customer["id"]})
    again = await payload(execute, DELETE, {"id": customer["id"]})
    reborn = await create(execute, **held)

    assert customer["id"] == gone["deletedId"]
    assert [("NOT_FOUND", ["id"])] == codes(again)
    assert customer["id"] != reborn["id"]
    assert [reborn["id"]] == await ids(execute)
    parts = [customer["id"], customer["addresses"][0]["id"], customer["documents"][0]["id"]]
    nodes = (await execute.data("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": parts}))["nodes"]
    assert [None, None, None] == nodes


async def test_upsert_refuses_a_key_that_its_input_contradicts(execute: Api) -> None:
    """
    Else the first call would create somebody whom the second one does not find.
    """
    answer = await execute.data(
        "mutation($key: CustomerKey!, $input: CustomerInput!) {"
        " upsertCustomer(key: $key, input: $input) { customer { id } created userErrors { code field } } }",
        {"key": {"email": some_email()}, "input": {"email": some_email()}},
    )

    refused = {"customer": None, "created": False, "userErrors": [{"code": "INVALID", "field": ["key", "email"]}]}
    assert refused == answer["upsertCustomer"]

"""Who may see and change what: a customer itself, an operator its seller, a service whom it names."""

from auth.principal import Scope
from tests.api import Api, Tokens, codes, fresh, some_email
from tests.graphql.lists import BY, LIST
from tests.graphql.operations import (
    BERLIN,
    CREATE,
    DELETE,
    READ,
    UPDATE,
    UPSERT,
    create,
    payload,
    read,
)


async def test_customer_sees_and_changes_only_itself(execute: Api, tokens: Tokens, seller: str) -> None:
    me = await create(execute, addresses=[BERLIN], documents=[{"type": "PASSPORT"}])
    other = await create(execute, addresses=[BERLIN], documents=[{"type": "PASSPORT"}])
    mine = tokens.customer(me["id"], seller)
    theirs = [other["id"], other["addresses"][0]["id"], other["documents"][0]["id"]]

    seen = await execute.data(
        """query($ids: [ID!]!) { me { id } viewer { customer { id } } customers { totalCount nodes { id } }
          addresses { nodes { id } } documents { nodes { id } } nodes(ids: $ids) { id } }""",
        {"ids": theirs},
        as_=mine,
    )

    assert {
        "me": {"id": me["id"]},
        "viewer": {"customer": {"id": me["id"]}},
        "customers": {"totalCount": 1, "nodes": [{"id": me["id"]}]},
        "addresses": {"nodes": [{"id": me["addresses"][0]["id"]}]},
        "documents": {"nodes": [{"id": me["documents"][0]["id"]}]},
        "nodes": [None, None, None],
    } == seen
    assert (await execute.data(BY, {"key": {"email": other["email"]}}, as_=mine))["customerBy"] is None
    assert [("NOT_FOUND", ["id"])] == codes(
        await payload(execute, UPDATE, {"id": other["id"], "patch": {"firstName": "Eve"}}, as_=mine)
    )
    changed = await payload(execute, UPDATE, {"id": me["id"], "patch": {"firstName": "Ada"}}, as_=mine)
    assert "Ada" == changed["customer"]["firstName"]


async def test_customer_cannot_do_what_only_the_seller_may(execute: Api, tokens: Tokens, seller: str) -> None:
    me = await create(execute)
    mine = tokens.customer(me["id"], seller)
    patch = {
        "status": "SUSPENDED",
        "kind": "BUSINESS",
        "tags": ["vip"],
        "attributes": [],
        "externalId": "A-1",
        "firstName": "A",
    }

    changed = await payload(execute, UPDATE, {"id": me["id"], "patch": patch}, as_=mine)

    assert {(("FORBIDDEN", field)) for field in ("status", "kind", "tags", "attributes", "externalId")} == {
        (code, ".".join(path or [])) for code, path in codes(changed)
    }
    assert "FORBIDDEN" == await execute.code(CREATE, {"input": {"email": some_email()}}, as_=mine)
    assert "FORBIDDEN" == await execute.code(UPSERT, {"key": {"id": me["id"]}, "input": {}}, as_=mine)
    assert "FORBIDDEN" == await execute.code(DELETE, {"id": me["id"]}, as_=mine)
    assert "FORBIDDEN" == await execute.code("{ bulkImports { nodes { id } } }", as_=mine)
    assert 1 == (await read(execute, me["id"]))["version"]


async def test_nobody_without_a_token_gets_anything(execute: Api) -> None:
    customer = await create(execute)

    assert "UNAUTHENTICATED" == await execute.code(READ, {"id": customer["id"]}, as_=None)


async def test_scope_that_is_missing_is_named(execute: Api, tokens: Tokens, seller: str) -> None:
    answer = await execute("{ customers { nodes { id } } }", as_=tokens.operator(seller, [Scope.DOCUMENTS_READ]))

    assert "FORBIDDEN" == answer["errors"][0]["extensions"]["code"]
    assert "customers:read" in answer["errors"][0]["message"]


async def test_operator_cannot_name_another_seller_and_a_service_has_to_name_one(
    execute: Api, tokens: Tokens, seller: str
) -> None:
    customer = await create(execute)

    assert "FORBIDDEN" == await execute.code(LIST, {"seller": fresh("seller")})
    assert "BAD_USER_INPUT" == await execute.code(LIST, as_=tokens.service())
    found = await execute.data(LIST, {"seller": seller}, as_=tokens.service())
    assert [{"id": customer["id"]}] == found["customers"]["nodes"]
    assert customer["id"] == (await execute.data(READ, {"id": customer["id"]}, as_=tokens.service()))["customer"]["id"]

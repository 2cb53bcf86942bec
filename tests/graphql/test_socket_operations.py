"""What runs over a socket: queries and subscriptions. Mutations are for POST."""

from typing import Any

import pytest

from tests.api import Api, Tokens
from tests.graphql.operations import create, read
from tests.graphql.socket import Socket, open_socket

RENAME = 'updateCustomer(id: $id, patch: {firstName: "Eve"}) { customer { id } }'
MUTATIONS: dict[str, tuple[str, str | None]] = {
    "plain": (f"mutation($id: ID!) {{ {RENAME} }}", None),
    "named": (f"mutation M($id: ID!) {{ {RENAME} }}", "M"),
    "fragment": (f"mutation($id: ID!) {{ ...F }} fragment F on Mutation {{ {RENAME} }}", None),
    "behind a query": (f"query Q {{ viewer {{ kind }} }} mutation M($id: ID!) {{ {RENAME} }}", "M"),
    "in front of a query": (f"mutation M($id: ID!) {{ {RENAME} }} query Q {{ viewer {{ kind }} }}", None),
    "called like the query": (f"query Q {{ viewer {{ kind }} }} mutation Q($id: ID!) {{ {RENAME} }}", "Q"),
    "of a login": ('mutation { login(challengeId: "x", code: "1") { userErrors { code } } }', None),
}


@pytest.fixture(name="operator")
def _operator(tokens: Tokens, seller: str) -> str:
    return tokens.operator(seller)


async def ask(socket: Socket, query: str, name: str | None, variables: dict[str, Any]) -> dict[str, Any]:
    payload = {"query": query, "variables": variables, "operationName": name}
    await socket.send({"type": "subscribe", "id": "1", "payload": payload})
    return await socket.receive()


@pytest.mark.parametrize(("document", "name"), MUTATIONS.values(), ids=MUTATIONS)
async def test_mutations_are_refused_and_change_nothing(
    execute: Api, served: str, operator: str, document: str, name: str | None
) -> None:
    customer = await create(execute)

    async with open_socket(served) as socket:
        await socket.init(operator)
        answer = await ask(socket, document, name, {"id": customer["id"]})
        await socket.subscribe("{ viewer { kind } }", id_="2")
        assert "next" == (await socket.receive())["type"]

    assert "error" == answer["type"]
    assert {"BAD_USER_INPUT"} == {error["extensions"]["code"] for error in answer["payload"]}
    assert customer == await read(execute, customer["id"])


async def test_a_refused_mutation_is_told_where_to_go(served: str, operator: str) -> None:
    async with open_socket(served) as socket:
        await socket.init(operator)
        answer = await ask(socket, "mutation { logout { revokedSessionIds } }", None, {})

    assert ["Mutations do not run here. Send them by POST to the same address."] == [
        error["message"] for error in answer["payload"]
    ]


async def test_a_query_beside_a_mutation_may_run(execute: Api, served: str, operator: str) -> None:
    document, _ = MUTATIONS["behind a query"]

    async with open_socket(served) as socket:
        await socket.init(operator)
        answer = await ask(socket, document, "Q", {})

    assert {"viewer": {"kind": "OPERATOR"}} == answer["payload"]["data"]


@pytest.mark.parametrize("name", ["Other", ""])
async def test_an_operation_that_is_not_there_is_the_callers_mistake(served: str, operator: str, name: str) -> None:
    async with open_socket(served) as socket:
        await socket.init(operator)
        answer = await ask(socket, "query Q { viewer { kind } }", name, {})

    assert ("error", ["BAD_USER_INPUT"]) == (answer["type"], [one["extensions"]["code"] for one in answer["payload"]])

"""The clients of npm that front ends use, against the running server: graphql-ws, graphql-sse, Apollo Client and urql."""

from collections.abc import Awaitable, Callable, Sequence

import pytest

from tests.api import Json, Tokens, fresh, some_email
from tests.conformance.node import script
from tests.graphql.imports import csv

ROWS = 40
ORDER = ["AWAITING_UPLOAD", "QUEUED", "RUNNING", "COMPLETED"]

ON_SOCKETS = {
    "no JSON": 4400,
    "no message": 4400,
    "unknown type": 4400,
    "before init": 4401,
    "init twice": 4429,
    "same id twice": 4409,
}
"""What the protocol closes a connection with, frame by frame."""

LIVE = pytest.mark.parametrize("client", ["graphql_ws", "graphql_sse"])
CACHING = pytest.mark.parametrize("client", ["apollo", "urql"])

Play = Callable[[str, str], Awaitable[list[Json]]]


@pytest.fixture(name="play")
def _play(served: str, tokens: Tokens, seller: str) -> Play:
    """Plays a scenario of a script as an operator of the test's seller; returns what it told."""

    async def play(client: str, scenario: str) -> list[Json]:
        given = {
            "url": served,
            "token": tokens.operator(seller),
            "csv": csv(ROWS).decode(),
            "other": csv(ROWS).decode().replace("\nE-", "\nF-"),
            "email": some_email(),
            "alias": fresh("mine").replace("-", "_"),
        }
        return await script(client, scenario=scenario, **given)

    return play


def assert_followed_to_the_end(seen: Sequence[Json]) -> None:
    """Expect the present state first, then changes, then the final state."""
    assert "AWAITING_UPLOAD" == seen[0]["status"]
    assert {"status": "COMPLETED", "progress": 1.0, "processedRows": ROWS}.items() <= seen[-1].items()
    assert sorted(seen, key=lambda one: ORDER.index(one["status"])) == seen
    assert sorted(one["progress"] for one in seen) == [one["progress"] for one in seen]


@LIVE
async def test_live_client_runs_a_query(play: Play, seller: str, client: str) -> None:
    (line,) = await play(client, "query")

    assert [{"viewer": {"kind": "OPERATOR", "sellerId": seller}}] == [result["data"] for result in line["results"]]


async def test_graphql_sse_posts_and_asks_for_a_stream(play: Play) -> None:
    (line,) = await play("graphql_sse", "query")

    assert [{"method": "POST", "accept": "text/event-stream"}] == line["requests"]


@LIVE
async def test_live_client_follows_an_import_to_its_end(play: Play, import_worker: None, client: str) -> None:
    (line,) = await play(client, "follow")

    assert {line["id"]} == {one["id"] for one in line["seen"]}
    assert_followed_to_the_end(line["seen"])


@LIVE
async def test_live_client_stops_early_and_asks_on(play: Play, seller: str, client: str) -> None:
    (line,) = await play(client, "early")

    assert "AWAITING_UPLOAD" == line["first"]
    assert seller == line["after"]["viewer"]["sellerId"]
    assert 1 == line.get("sockets", 1)


@LIVE
async def test_live_client_hears_of_changes_of_a_customer(play: Play, client: str) -> None:
    (line,) = await play(client, "events")

    event = line["result"]["data"]["customerEvents"]
    assert "UPDATED" == event["type"]
    assert "firstName" in event["changed"]


async def test_graphql_ws_runs_operations_side_by_side_on_one_socket(play: Play, import_worker: None) -> None:
    (line,) = await play("graphql_ws", "parallel")

    assert 1 == line["sockets"]
    assert [(one["asked"], "COMPLETED") for one in line["last"]] == [
        (one["told"]["id"], one["told"]["status"]) for one in line["last"]
    ]


async def test_graphql_ws_connects_again_and_goes_on_from_the_present_state(play: Play, import_worker: None) -> None:
    (line,) = await play("graphql_ws", "reconnect")

    assert 2 == line["sockets"]
    assert [("AWAITING_UPLOAD", 1), ("AWAITING_UPLOAD", 2)] == [(one["status"], one["socket"]) for one in line["seen"][:2]]
    assert_followed_to_the_end(line["seen"])


async def test_graphql_ws_is_told_that_nobody_is_let_in_without_a_token_that_holds(play: Play) -> None:
    with_a_bad_token, without_a_token = await play("graphql_ws", "refused")

    assert (4403, 4403) == (with_a_bad_token["code"], without_a_token["code"])
    assert with_a_bad_token["reason"]
    assert "connection_init" in without_a_token["reason"]


async def test_graphql_ws_is_told_what_is_wrong_with_an_operation_and_goes_on(play: Play, seller: str) -> None:
    (line,) = await play("graphql_ws", "errors")

    assert {
        "invalid": ["BAD_USER_INPUT"],
        "malformed": ["BAD_USER_INPUT"],
        "mutation": ["BAD_USER_INPUT"],
        "missing": ["NOT_FOUND"],
    } == line["told"]
    assert seller == line["after"]["viewer"]["sellerId"]


async def test_socket_is_closed_with_the_protocol_s_code_for_each_malformed_frame(play: Play) -> None:
    assert ON_SOCKETS == {line["name"]: line["code"] for line in await play("graphql_ws", "frames")}


async def test_graphql_sse_is_told_what_is_wrong(play: Play) -> None:
    (line,) = await play("graphql_sse", "errors")

    told = line["told"]
    assert {
        "invalid": ["BAD_USER_INPUT"],
        "malformed": ["BAD_USER_INPUT"],
        "mutation": ["BAD_USER_INPUT"],
        "missing": ["NOT_FOUND"],
        "bad token": ["UNAUTHENTICATED"],
        "nobody": ["UNAUTHENTICATED"],
    } == {name: one["codes"] for name, one in told.items()}
    assert 401 == told["bad token"]["status"]
    assert [None] * len(told) == [one.get("data") for one in told.values()]


@CACHING
async def test_caching_client_persists_a_query_and_finds_it_again(play: Play, seller: str, client: str) -> None:
    (line,) = await play(client, "persisted")

    # Asked by hash alone, told that nobody has sent the document yet, sent both; from then on the hash is enough.
    assert [(False, True), (True, True)] == [(one["query"], one["hash"]) for one in line["missed"]]
    assert [(False, True)] == [(one["query"], one["hash"]) for one in line["found"]]
    # Each in the client's own way, without a setting.
    assert {"apollo": "POST", "urql": "GET"}[client] == line["found"][0]["method"]
    assert (seller, seller) == (line["first"]["sellerId"], line["second"]["sellerId"])


@CACHING
async def test_caching_client_changes_something_and_reads_it_back(play: Play, client: str) -> None:
    (line,) = await play(client, "mutation")

    assert ("Ada", []) == (line["made"]["customer"]["fullName"], line["made"]["userErrors"])
    assert [("TAKEN", ["email"])] == [(error["code"], error["field"]) for error in line["again"]["userErrors"]]
    assert [line["made"]["customer"]["id"]] == [node["id"] for node in line["nodes"]]


@CACHING
async def test_caching_client_sees_the_code_of_an_error(play: Play, client: str) -> None:
    (line,) = await play(client, "error")

    assert line["graphql"], line
    assert ["BAD_USER_INPUT"] == [error["extensions"]["code"] for error in line["errors"]]
    assert all(error["message"] and error["extensions"]["requestId"] for error in line["errors"])


@CACHING
async def test_caching_client_follows_an_import_to_its_end(play: Play, import_worker: None, client: str) -> None:
    lines = await play(client, "subscription")

    # Apollo Client by graphql-ws; urql by graphql-ws, and then by graphql-sse.
    assert {"apollo": 1, "urql": 2}[client] == len(lines)
    for line in lines:
        assert_followed_to_the_end(line["seen"])

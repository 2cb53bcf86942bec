"""The client of Pusher Channels against a server that checks signatures and can be told to misbehave."""

import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
import pytest_asyncio

from core.push import NotPushed, PushMessage
from infra.pusher import PusherChannels, UnusablePusher, open_pusher
from tests.pusher_server import APP_ID, KEY, SECRET, PusherServer, pusher_server

NEWS = PushMessage("private-seller-demo", "customer.created", '{"customerId":"cus_1","näme":"ü"}')


@pytest_asyncio.fixture(name="server")
async def _server() -> AsyncIterator[PusherServer]:
    async with pusher_server() as server:
        yield server


def opened(server: PusherServer, **changes: Any) -> AbstractAsyncContextManager[PusherChannels]:
    given: dict[str, Any] = {
        "app_id": APP_ID,
        "key": KEY,
        "secret": SECRET,
        "cluster": "us2",
        "endpoint": server.url,
        "within": 1.0,
    }
    return open_pusher(**(given | changes))


async def test_messages_are_taken_by_a_server_that_checks_their_signature(server: PusherServer) -> None:
    async with opened(server) as channels:
        await channels.trigger([NEWS])
        await channels.trigger([NEWS] * 10)

    assert [1, 10] == [len(batch) for batch in server.batches]
    assert {
        "channel": "private-seller-demo",
        "name": "customer.created",
        "data": {"customerId": "cus_1", "näme": "ü"},
    } == server.taken[0]
    assert 1 == len(server.sockets), "a connection is kept from call to call"


@pytest.mark.parametrize(
    ("changes", "advice"),
    [({"secret": "another"}, "Check pusher.key and pusher.secret"), ({"key": "another"}, "Check pusher.key and pusher.secret")],
    ids=["secret", "key"],
)
async def test_wrong_credentials_are_final_and_say_what_to_look_at(
    server: PusherServer, changes: dict[str, str], advice: str
) -> None:
    async with opened(server, **changes) as channels:
        with pytest.raises(NotPushed, match=advice) as refused:
            await channels.trigger([NEWS])

    assert refused.value.final
    assert [] == server.batches


@pytest.mark.parametrize(
    ("status", "retry_after", "final", "wait"),
    [
        (429, "7", False, 7.0),
        (429, None, False, None),
        (429, "Wed, 21 Oct 2026 07:28:00 GMT", False, None),
        (503, "100000", False, 60.0),
        (500, "-1", False, None),
        (502, "nan", False, None),
        (400, None, True, None),
        (403, None, True, None),
        (413, None, True, None),
        (302, None, True, None),
    ],
)
async def test_each_refusal_is_final_or_to_be_tried_again(
    server: PusherServer, status: int, retry_after: str | None, final: bool, wait: float | None
) -> None:
    server.status, server.retry_after = status, retry_after
    async with opened(server) as channels:
        with pytest.raises(NotPushed, match=f"Pusher answered {status}") as refused:
            await channels.trigger([NEWS])

    assert (final, wait) == (refused.value.final, refused.value.retry_after)
    assert 1 == server.calls


async def test_a_server_that_is_slow_is_given_up_in_time(server: PusherServer) -> None:
    server.delay = 30
    async with opened(server, within=0.2) as channels:
        with pytest.raises(NotPushed, match="did not answer") as refused:
            await channels.trigger([NEWS])

    assert not refused.value.final


async def test_a_server_that_is_not_there_is_tried_again() -> None:
    async with opened(PusherServer(url="http://127.0.0.1:1")) as channels:
        with pytest.raises(NotPushed, match="did not answer") as refused:
            await channels.trigger([NEWS])

    assert not refused.value.final


@pytest.mark.parametrize(
    "message", [NEWS._replace(channel="no channel!"), NEWS._replace(data="x" * 11_000), NEWS._replace(event="e" * 201)],
    ids=["channel", "size", "name"],
)  # fmt: skip
async def test_what_pusher_would_refuse_is_not_sent(server: PusherServer, message: PushMessage) -> None:
    async with opened(server) as channels:
        with pytest.raises(NotPushed) as refused:
            await channels.trigger([message])

    assert refused.value.final
    assert 0 == server.calls


async def test_a_page_is_let_in_by_the_signature_that_pusher_documents(server: PusherServer) -> None:
    """
    https://pusher.com/docs/channels/library_auth_reference/auth-signatures.
    """
    expected = hmac.new(SECRET.encode(), b"1234.5678:private-seller-demo", hashlib.sha256).hexdigest()
    async with opened(server) as channels:
        assert {"auth": f"{KEY}:{expected}"} == channels.sign("private-seller-demo", "1234.5678")


@pytest.mark.parametrize("changes", [{"app_id": "my app"}, {"app_id": ""}])
async def test_an_app_id_that_is_none_is_refused_before_anything_is_sent(server: PusherServer, changes: dict[str, str]) -> None:
    with pytest.raises(UnusablePusher, match="app id is a number"):
        async with opened(server, **changes):
            raise AssertionError


async def test_without_an_endpoint_it_is_pusher_itself_in_the_cluster_by_tls() -> None:
    async with opened(PusherServer(), endpoint=None, cluster="eu") as channels:
        client = channels._client._pusher_client
        assert ("https", "api-eu.pusher.com", 443) == (client.scheme, client.host, client.port)

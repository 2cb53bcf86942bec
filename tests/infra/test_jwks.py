"""The keys of other issuers, from a real server that rotates them, hangs, talks nonsense and falls over."""

import asyncio
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
import pytest_asyncio
from joserfc.jwk import ECKey
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

import infra.remote_json
from core.errors import Unavailable
from infra.jwks import (
    ASK_AGAIN_SECONDS,
    FIRST_AGAIN_SECONDS,
    FRESH_SECONDS,
    KEPT_SECONDS,
    RemoteKeys,
    open_key_sets,
)
from infra.remote_json import LONGEST_DOCUMENT, Unreadable, fetch_json, open_client
from tests.identity_provider import IdentityProvider, open_identity_provider, published

NEW = ECKey.generate_key("P-256", auto_kid=True)


class Time:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest_asyncio.fixture(name="provider")
async def _provider() -> AsyncIterator[IdentityProvider]:
    async with open_identity_provider() as provider:
        yield provider


@pytest.fixture(name="time")
def _time() -> Time:
    return Time()


@pytest_asyncio.fixture(name="keys")
async def _keys(provider: IdentityProvider, time: Time) -> AsyncIterator[RemoteKeys]:
    async with open_client() as client:
        keys = RemoteKeys(f"{provider.url}/jwks", client, monotonic=time)
        yield keys
        await keys.close()


async def kids(keys: RemoteKeys, kid: str | None = None) -> list[str | None]:
    return [key.kid for key in await keys.find(kid)]


async def settled(keys: RemoteKeys) -> None:
    """Wait for what goes on in the background."""
    if keys._fetching is not None:
        await keys._fetching


async def test_keys_are_fetched_once_and_kept(provider: IdentityProvider, keys: RemoteKeys, time: Time) -> None:
    assert [provider.key.kid] == await kids(keys, provider.key.kid)
    time.now += FRESH_SECONDS - 1
    assert [provider.key.kid] == await kids(keys, provider.key.kid)
    assert 1 == provider.jwks_calls


async def test_fifty_callers_share_one_fetch(provider: IdentityProvider, keys: RemoteKeys) -> None:
    found = await asyncio.gather(*(kids(keys, provider.key.kid) for _ in range(50)))

    assert [[provider.key.kid]] * 50 == found
    assert 1 == provider.jwks_calls


async def test_a_caller_who_hangs_up_takes_the_fetch_from_nobody(provider: IdentityProvider, keys: RemoteKeys) -> None:
    first = asyncio.create_task(keys.find(None))
    second = asyncio.create_task(kids(keys))
    await asyncio.sleep(0)
    first.cancel()

    assert [provider.key.kid] == await second
    assert 1 == provider.jwks_calls


async def test_a_key_that_is_not_known_yet_is_worth_a_fetch(provider: IdentityProvider, keys: RemoteKeys, time: Time) -> None:
    await keys.find(None)
    provider.key = NEW
    time.now += ASK_AGAIN_SECONDS

    assert [NEW.kid] == await kids(keys, NEW.kid)
    assert 2 == provider.jwks_calls


async def test_made_up_keys_cause_one_fetch_in_half_a_minute(provider: IdentityProvider, keys: RemoteKeys, time: Time) -> None:
    """
    Anybody can write a kid into a token.
    """
    await keys.find(None)
    time.now += ASK_AGAIN_SECONDS
    for number in range(100):
        await keys.find(f"made up {number}")
        time.now += 0.29

    assert 2 == provider.jwks_calls


async def test_old_keys_serve_while_newer_ones_are_fetched(provider: IdentityProvider, keys: RemoteKeys, time: Time) -> None:
    old = provider.key
    await keys.find(None)
    provider.key = NEW
    time.now += FRESH_SECONDS

    assert [old.kid] == await kids(keys, old.kid)
    await settled(keys)
    assert [NEW.kid] == await kids(keys, NEW.kid)
    assert 2 == provider.jwks_calls


BROKEN: dict[str, Callable[[], Response]] = {
    "status 500, with keys": lambda: JSONResponse(published(NEW), 500),
    "garbage": lambda: PlainTextResponse("<html>"),
    "deep garbage": lambda: PlainTextResponse("[" * 100_000),
    "no key set": lambda: JSONResponse(["keys"]),
    "no keys": lambda: JSONResponse({"keys": []}),
    "a redirect": lambda: RedirectResponse("/jwks?again"),
    "compressed": lambda: Response(b"", headers={"content-encoding": "gzip"}),
    "more than 1 MB": lambda: JSONResponse({**published(NEW), "padding": "x" * LONGEST_DOCUMENT}),
    "nothing": lambda: Response(b""),
}
EVERY_BREAK = pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)


@EVERY_BREAK
async def test_old_keys_are_kept_when_newer_ones_cannot_be_read(
    provider: IdentityProvider, keys: RemoteKeys, time: Time, broken: Callable[[], Response]
) -> None:
    await keys.find(None)
    provider.jwks = broken
    time.now += FRESH_SECONDS

    assert [provider.key.kid] == await kids(keys, provider.key.kid)
    await settled(keys)
    assert [provider.key.kid] == await kids(keys, "another")
    assert 2 == provider.jwks_calls


@EVERY_BREAK
async def test_without_any_keys_nobody_is_told_that_the_token_is_bad(
    provider: IdentityProvider, keys: RemoteKeys, time: Time, broken: Callable[[], Response]
) -> None:
    provider.jwks = broken
    for _ in range(3):
        with pytest.raises(Unavailable):
            await keys.find(None)
    assert 1 == provider.jwks_calls

    provider.jwks = lambda: JSONResponse(published(provider.key))
    time.now += FIRST_AGAIN_SECONDS

    assert [provider.key.kid] == await kids(keys)


async def test_a_server_that_does_not_listen_is_unavailable(time: Time) -> None:
    async with open_client() as client:
        with pytest.raises(Unavailable):
            await RemoteKeys("http://127.0.0.1:1/jwks", client, monotonic=time).find(None)


async def test_a_server_that_hangs_stops_nobody_who_has_keys(provider: IdentityProvider, keys: RemoteKeys, time: Time) -> None:
    await keys.find(None)
    provider.jwks = provider.hang
    time.now += FRESH_SECONDS

    assert [provider.key.kid] == await kids(keys, provider.key.kid)
    assert keys._fetching is not None


async def test_a_server_that_drips_is_given_up(
    provider: IdentityProvider, keys: RemoteKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A byte now and then never runs into a timeout for one read.
    """
    monkeypatch.setattr(infra.remote_json, "_WHOLE_SECONDS", 0.2)
    provider.jwks = provider.drip

    async with asyncio.timeout(10):
        with pytest.raises(Unavailable):
            await keys.find(None)


def test_connecting_takes_two_seconds_at_most_and_reading_five() -> None:
    assert httpx.Timeout(5, connect=2) == open_client().timeout


async def test_keys_are_not_kept_for_ever(provider: IdentityProvider, keys: RemoteKeys, time: Time) -> None:
    """
    Whoever has stolen a key, and can keep us from the issuer, must not be believed for good.
    """
    await keys.find(None)
    provider.jwks = BROKEN["status 500, with keys"]
    time.now += KEPT_SECONDS

    with pytest.raises(Unavailable):
        await keys.find(provider.key.kid)


async def test_an_issuer_that_comes_back_is_believed_again(provider: IdentityProvider, keys: RemoteKeys, time: Time) -> None:
    await keys.find(None)
    provider.jwks = BROKEN["garbage"]
    time.now += FRESH_SECONDS
    await keys.find(None)
    await settled(keys)
    provider.jwks = lambda: JSONResponse(published(NEW))
    time.now += ASK_AGAIN_SECONDS

    assert [NEW.kid] == await kids(keys, NEW.kid)


async def test_nothing_is_fetched_before_somebody_asks(provider: IdentityProvider) -> None:
    async with open_key_sets([f"{provider.url}/jwks", "http://127.0.0.1:1"]) as opened:
        assert 0 == provider.jwks_calls
        assert [provider.key.kid] == await kids(opened[f"{provider.url}/jwks"])


async def test_closing_gives_up_what_is_under_way(provider: IdentityProvider) -> None:
    provider.jwks = provider.hang
    async with open_key_sets([f"{provider.url}/jwks"]) as opened:
        asking = asyncio.create_task(opened[f"{provider.url}/jwks"].find(None))
        while provider.jwks_calls == 0:  # noqa: ASYNC110  the server says nothing
            await asyncio.sleep(0.01)

    with pytest.raises(asyncio.CancelledError):
        await asking


@pytest.mark.parametrize("url", ["http://", "http://[", "ftp://127.0.0.1/"])
async def test_an_address_that_is_none_is_unreadable(url: str) -> None:
    async with open_client() as client:
        with pytest.raises(Unreadable):
            await fetch_json(client, url)

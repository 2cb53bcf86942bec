"""The public keys of other issuers: fetched from their JWKS addresses, kept, and followed when they rotate."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

import httpx
import structlog

from auth.keys import UnusableKeys
from auth.trusted_issuer import PublicKey, public_keys
from core.errors import Unavailable
from infra.remote_json import Unreadable, fetch_json, open_client

_log = structlog.get_logger("jwks")

FRESH_SECONDS = 600.0
"""After this long the keys are fetched again, while the ones from before go on serving."""

ASK_AGAIN_SECONDS = 30.0
"""What has failed, or did not know a ``kid``, is not fetched again sooner: anybody can write a ``kid`` into a token."""

FIRST_AGAIN_SECONDS = 5.0
"""The same, as long as there are no keys at all and every caller is turned away."""

KEPT_SECONDS = 24 * 60 * 60.0
"""Keys of an issuer that does not answer serve for this long: a key that was withdrawn must not be good for ever."""


class RemoteKeys:
    """The keys at one address. However many ask at once, there is one fetch. Made by `open_key_sets`.

    An issuer that cannot be reached and whose keys are not known is `Unavailable`, which callers see as a 503 and may try
    again, rather than being told that their token is bad: it may be perfectly good, and a client that is told otherwise
    signs its user out. *monotonic* counts seconds.
    """

    def __init__(self, url: str, client: httpx.AsyncClient, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._client = client
        self._monotonic = monotonic
        self._keys: Sequence[PublicKey] = ()
        self._fetched_at = self._tried_at = float("-inf")
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, kid: str | None) -> Sequence[PublicKey]:
        """Return all keys as they are known; one that is not known yet, by its *kid*, is worth a fetch.

        Raises:
            Unavailable: no keys are known, or for too long nothing newer than those that are.
        """
        if self._age() >= KEPT_SECONDS:
            await self._fetch(not_within=FIRST_AGAIN_SECONDS)
            if self._age() >= KEPT_SECONDS:
                raise Unavailable("The keys of this token's issuer cannot be read at present. Try again later.")
        elif kid is not None and all(kid != key.kid for key in self._keys):
            await self._fetch(not_within=ASK_AGAIN_SECONDS)
        elif self._age() >= FRESH_SECONDS:
            self._begin(not_within=ASK_AGAIN_SECONDS)
        return self._keys

    async def close(self) -> None:
        """Give up a fetch that is under way."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait([self._fetching])

    def _age(self) -> float:
        return self._monotonic() - self._fetched_at

    async def _fetch(self, *, not_within: float) -> None:
        self._begin(not_within=not_within)
        if self._fetching is not None:
            # Shielded: a caller who hangs up must not take the fetch from the others.
            await asyncio.shield(self._fetching)

    def _begin(self, *, not_within: float) -> None:
        if self._fetching is None and self._monotonic() - self._tried_at >= not_within:
            self._fetching = asyncio.create_task(self._renew(), name=f"jwks {self._url}")

    async def _renew(self) -> None:
        self._tried_at = self._monotonic()
        try:
            self._keys = public_keys(await fetch_json(self._client, self._url))
        except (Unreadable, UnusableKeys) as error:
            _log.warning("the keys of an issuer cannot be read", url=self._url, reason=str(error), known=len(self._keys))
        else:
            self._fetched_at = self._monotonic()
        finally:
            self._fetching = None


@asynccontextmanager
async def open_key_sets(urls: Iterable[str]) -> AsyncIterator[Mapping[str, RemoteKeys]]:
    """Hand out the keys at each address. Nothing is fetched before somebody asks, so that others' outages stop no start."""
    async with open_client() as client:
        opened = {url: RemoteKeys(url, client) for url in urls}
        try:
            yield opened
        finally:
            for keys in opened.values():
                await keys.close()

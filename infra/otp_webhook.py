"""One-time codes handed to a program of the operator's, which sends them. Implements `services.ports.CodeDelivery`."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import httpx
import orjson

from core.clock import Clock, rfc3339
from core.delivery import CodeMessage, NotSent

_PASSES = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY, HTTPStatus.LOCKED, HTTPStatus.TOO_MANY_REQUESTS}
)
"""Refusals of the client that a later attempt may not meet."""


@asynccontextmanager
async def open_webhook(url: str, secret: str, clock: Clock, *, within: float) -> AsyncIterator["WebhookDelivery"]:
    """Open the way to *url*. Nothing is sent before it is used. *within* is in seconds, for a whole call."""
    async with httpx.AsyncClient(timeout=within, headers={"User-Agent": "customer-service"}) as client:
        yield WebhookDelivery(client, url, secret, clock, within=within)


class WebhookDelivery:
    """POSTs ``{id, sellerId, channel, destination, code, expiresAt}`` and takes any 2xx for "it is on its way".

    ``Idempotency-Key`` is the same for every attempt with one code: the program must not send it twice, and therefore an
    answer that is missing is no reason to give up. ``X-Signature: t=<seconds>,v1=<hex>`` is the HMAC-SHA256, with the shared
    secret, of the time, a full stop and the body.
    """

    def __init__(self, client: httpx.AsyncClient, url: str, secret: str, clock: Clock, *, within: float) -> None:
        self._client = client
        self._url = url
        self._secret = secret.encode()
        self._clock = clock
        self._within = within

    async def deliver(self, message: CodeMessage) -> None:
        """Hand over one code, and return once the program has accepted it.

        Raises:
            NotSent: it could not be reached, refused, or did not answer in time.
        """
        body = orjson.dumps(
            {
                "id": message.id,
                "sellerId": message.seller_id,
                "channel": message.channel.value,
                "destination": message.destination,
                "code": message.code,
                "expiresAt": rfc3339(message.expires_at),
            }
        )
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": message.id,
            "X-Signature": signature(self._secret, int(self._clock.now().timestamp()), body),
        }
        try:
            # httpx limits each read; a program that answers byte by byte would hold the courier for ever.
            async with asyncio.timeout(self._within):
                answer = await self._post(body, headers)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
            raise NotSent(f"The webhook did not answer: {type(error).__name__}.") from None
        if not answer.is_success:
            final = answer.is_client_error and answer.status_code not in _PASSES
            raise NotSent(f"The webhook answered {answer.status_code}.", final=final)

    async def _post(self, body: bytes, headers: dict[str, str]) -> httpx.Response:
        # The body of the answer says nothing we need, and could be of any length: it is not read.
        async with self._client.stream("POST", self._url, content=body, headers=headers) as response:
            return response


def signature(secret: bytes, at: int, body: bytes) -> str:
    """Return the header that proves that *body* is ours; *at* is in seconds since 1970, so that old calls can be refused."""
    digest = hmac.new(secret, b"%d.%s" % (at, body), hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"

"""The clients: one for `asyncio`, one without, the same in everything else."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from customer_service_client import calls
from customer_service_client.calls import Ask, Operation
from customer_service_client.keys import Key
from customer_service_client.sending import Headers, Sending
from customer_service_client.shapes import Address, Customer, Page
from customer_service_client.tokens import ClientCredentials

T = TypeVar("T")

TIMEOUT = 10.0
"""Seconds for one attempt, unless you say otherwise."""


class AsyncCustomerService:
    """Customer Service at *url*, for *credentials* or with an access token of your own. Close it, or use it in ``async with``.

    *transport* replaces the network, for tests of yours.
    """

    def __init__(
        self,
        url: str,
        credentials: ClientCredentials | str,
        *,
        timeout: float = TIMEOUT,
        headers: Headers | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=timeout, transport=transport)
        self._sending = Sending(credentials, headers)
        self._fetching = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def look_up(self, seller_id: str, keys: Sequence[Key]) -> list[Customer | None]:
        """Return the customer of each key, in their order; None where the seller has none. As many keys as you like."""
        return await self._run(calls.look_up(seller_id, keys))

    async def default_addresses(self, customer_ids: Sequence[str], kind: str = "SHIPPING") -> dict[str, Address | None]:
        """Return where customers are reached, by their ids; None without an address, or a customer. As many as you like."""
        return await self._run(calls.default_addresses(customer_ids, kind))

    async def get(self, seller_id: str, customer_id: str) -> Customer:
        """Return one customer.

        Raises:
            NotFound: there is none.
        """
        return await self._run(calls.get(seller_id, customer_id))

    async def page(
        self, seller_id: str, filters: Mapping[str, str] | None = None, *, after: str | None = None, size: int = calls.MAX_PAGE
    ) -> Page:
        """Return one page of customers; *filters* are the query parameters of the REST interface: ``{"tag": "vip"}``."""
        return await self._run(calls.page(seller_id, filters or {}, after, size))

    async def all(self, seller_id: str, filters: Mapping[str, str] | None = None) -> AsyncIterator[Customer]:
        """Yield every customer that meets *filters*, page after page."""
        after: str | None = None
        while True:
            page = await self.page(seller_id, filters, after=after)
            for customer in page.customers:
                yield customer
            if (after := page.next) is None:
                return

    async def create(self, seller_id: str, values: Mapping[str, Any], *, idempotency_key: str | None = None) -> Customer:
        """Create a customer from the members of REST's `CustomerInput`. With your own *idempotency_key* once, however often."""
        return await self._run(calls.create(seller_id, values, idempotency_key))

    async def upsert(self, seller_id: str, key: Key, values: Mapping[str, Any]) -> Customer:
        """Change the customer with this key, or create it; members that are absent stay as they are."""
        return await self._run(calls.upsert(seller_id, key, values))

    async def update(self, customer: Customer, values: Mapping[str, Any]) -> Customer:
        """Change a customer as it was read; None clears a member.

        Raises:
            Conflict: somebody else was faster.
        """
        return await self._run(calls.update(customer, values))

    async def delete(self, seller_id: str, customer_id: str) -> None:
        """Delete a customer."""
        await self._run(calls.delete(seller_id, customer_id))

    async def _run(self, operation: Operation[T]) -> T:
        said: Any = None
        while True:
            try:
                ask = operation.send(said)
            except StopIteration as done:
                result: T = done.value
                return result
            said = await self._ask(ask)

    async def _ask(self, ask: Ask) -> Any:
        attempt = 0
        while True:
            attempt += 1
            token = await self._token()
            outcome: httpx.Response | httpx.TransportError
            try:
                outcome = await self._http.request(**self._sending.request(ask, token))
            except httpx.TransportError as error:
                outcome = error
            pause = self._sending.pause(ask, attempt, outcome, token)
            if pause is None:
                return self._sending.result(outcome)
            await asyncio.sleep(pause)

    async def _token(self) -> str:
        async with self._fetching:
            if (token := self._sending.token) is not None:
                return token
            try:
                answer = await self._http.post(**self._sending.token_request())
            except httpx.TransportError as error:
                self._sending.result(error)
                raise
            return self._sending.keep_token(answer)


class CustomerService:
    """The same without `asyncio`. Threads may share one."""

    def __init__(
        self,
        url: str,
        credentials: ClientCredentials | str,
        *,
        timeout: float = TIMEOUT,
        headers: Headers | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = httpx.Client(base_url=url, timeout=timeout, transport=transport)
        self._sending = Sending(credentials, headers)
        self._fetching = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def look_up(self, seller_id: str, keys: Sequence[Key]) -> list[Customer | None]:
        """Return the customer of each key, in their order; None where the seller has none. As many keys as you like."""
        return self._run(calls.look_up(seller_id, keys))

    def default_addresses(self, customer_ids: Sequence[str], kind: str = "SHIPPING") -> dict[str, Address | None]:
        """Return where customers are reached, by their ids; None without an address, or a customer. As many as you like."""
        return self._run(calls.default_addresses(customer_ids, kind))

    def get(self, seller_id: str, customer_id: str) -> Customer:
        """Return one customer.

        Raises:
            NotFound: there is none.
        """
        return self._run(calls.get(seller_id, customer_id))

    def page(
        self, seller_id: str, filters: Mapping[str, str] | None = None, *, after: str | None = None, size: int = calls.MAX_PAGE
    ) -> Page:
        """Return one page of customers; see `AsyncCustomerService.page`."""
        return self._run(calls.page(seller_id, filters or {}, after, size))

    def all(self, seller_id: str, filters: Mapping[str, str] | None = None) -> Iterator[Customer]:
        """Yield every customer that meets *filters*, page after page."""
        after: str | None = None
        while True:
            page = self.page(seller_id, filters, after=after)
            yield from page.customers
            if (after := page.next) is None:
                return

    def create(self, seller_id: str, values: Mapping[str, Any], *, idempotency_key: str | None = None) -> Customer:
        """Create a customer; see `AsyncCustomerService.create`."""
        return self._run(calls.create(seller_id, values, idempotency_key))

    def upsert(self, seller_id: str, key: Key, values: Mapping[str, Any]) -> Customer:
        """Change the customer with this key, or create it; members that are absent stay as they are."""
        return self._run(calls.upsert(seller_id, key, values))

    def update(self, customer: Customer, values: Mapping[str, Any]) -> Customer:
        """Change a customer as it was read; None clears a member.

        Raises:
            Conflict: somebody else was faster.
        """
        return self._run(calls.update(customer, values))

    def delete(self, seller_id: str, customer_id: str) -> None:
        """Delete a customer."""
        self._run(calls.delete(seller_id, customer_id))

    def _run(self, operation: Operation[T]) -> T:
        said: Any = None
        while True:
            try:
                ask = operation.send(said)
            except StopIteration as done:
                result: T = done.value
                return result
            said = self._ask(ask)

    def _ask(self, ask: Ask) -> Any:
        attempt = 0
        while True:
            attempt += 1
            token = self._token()
            outcome: httpx.Response | httpx.TransportError
            try:
                outcome = self._http.request(**self._sending.request(ask, token))
            except httpx.TransportError as error:
                outcome = error
            pause = self._sending.pause(ask, attempt, outcome, token)
            if pause is None:
                return self._sending.result(outcome)
            time.sleep(pause)

    def _token(self) -> str:
        with self._fetching:
            if (token := self._sending.token) is not None:
                return token
            try:
                answer = self._http.post(**self._sending.token_request())
            except httpx.TransportError as error:
                self._sending.result(error)
                raise
            return self._sending.keep_token(answer)

"""What every process knows of what sellers have said: in its memory, because every rule of every call is asked there.

    tenant service ──fetch──▶ sellers in MongoDB ──look──▶ memory of each process
    upsert of a service ────▶          (own)

The tenant service is asked for a seller when there is a call for it, and again once its answer is `FRESH_SECONDS` old, while
the old one goes on serving. What it once told outlives it, and this process: it is stored.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from prometheus_client import Counter

from core.clock import Clock
from core.ending import end
from core.errors import Unavailable
from core.seller import NOTHING_SAID, SellerRules
from models.seller import Seller, StoredRules
from repositories.seller import SellerRecords
from services.repeating import beside, repeat
from services.rules.country import country_codes

_log = structlog.get_logger("sellers")

LOOK_SECONDS = 2.0
"""How often a process looks for what others have learnt: a change holds everywhere within this, and a query."""

FRESH_SECONDS = 60.0
ASK_AGAIN_SECONDS = 5.0
"""How soon the tenant service is asked again about a seller it did not tell of."""

_OVERLAP = timedelta(seconds=15)
_LOOKUPS = Counter("tenant_lookups", "Questions to the tenant service, by outcome: told, unknown, unavailable.", ["outcome"])


class TenantSource(Protocol):
    """Knows what sellers have said; `infra.tenant_service.TenantService` does."""

    async def rules_of(self, seller_id: str) -> SellerRules | None:
        """Return what a seller has said; None for a seller that is not known there.

        Raises:
            Unavailable: it does not answer, or not in a way that can be understood.
        """


class SellerBook:
    """Knows sellers. Made by `open_seller_book`; without a *source*, it knows what they have said to us."""

    def __init__(self, clock: Clock, source: TenantSource | None) -> None:
        self._clock = clock
        self._source = source
        self._records = SellerRecords(clock)
        self._known: dict[str, SellerRules] = {}
        self._own: dict[str, SellerRules] = {}
        self._told_at: dict[str, datetime] = {}
        self._not_before: dict[str, datetime] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._looked_at: datetime | None = None

    def known(self, seller_id: str) -> SellerRules:
        """Return what is known of a seller."""
        return self._known.get(seller_id, NOTHING_SAID)

    def own(self, seller_id: str) -> SellerRules:
        """Return what a seller has said to us."""
        return self._own.get(seller_id, NOTHING_SAID)

    async def learn(self, seller_id: str) -> None:
        """See to it that a seller is known as well as it can be: waits for the tenant service only if it never told of it."""
        if self._source is None:
            return
        now = self._clock.now()
        told_at = self._told_at.get(seller_id)
        if told_at is not None and now - told_at < timedelta(seconds=FRESH_SECONDS):
            return
        if seller_id not in self._asking:
            if now < self._not_before.get(seller_id, now):
                return
            self._asking[seller_id] = asyncio.create_task(self._ask(self._source, seller_id), name="tenant service")
        if told_at is None:
            # Shielded: a caller who hangs up must not take the answer from the others.
            await asyncio.shield(self._asking[seller_id])

    async def say(self, seller_id: str, rules: SellerRules) -> SellerRules:
        """Store what a seller says to us, and return what holds for it then."""
        self._note(await self._records.say(seller_id, rules))
        return self.known(seller_id)

    async def look(self) -> None:
        """Learn what others have learnt.

        Raises:
            Unavailable: the database does not answer; what was known is still known.
        """
        now = self._clock.now()
        for record in await self._records.since(None if self._looked_at is None else self._looked_at - _OVERLAP):
            self._note(record)
        self._looked_at = now

    async def follow(self) -> None:
        """Look again and again, until cancelled."""
        await repeat(self.look, every=LOOK_SECONDS, complaint="sellers cannot be read")

    async def close(self) -> None:
        """Give up what is asked at present."""
        await end(list(self._asking.values()))

    async def _ask(self, source: TenantSource, seller_id: str) -> None:
        try:
            rules = _usable(await source.rules_of(seller_id))
            _LOOKUPS.labels("unknown" if rules is None else "told").inc()
            self._note(await self._records.tell(seller_id, rules or NOTHING_SAID))
        except Unavailable as error:
            self._not_before[seller_id] = self._clock.now() + timedelta(seconds=ASK_AGAIN_SECONDS)
            _LOOKUPS.labels("unavailable").inc()
            _log.warning(
                "a seller is served by what was known", about=seller_id, told=seller_id in self._told_at, reason=str(error)
            )
        except Exception as error:  # noqa: BLE001 - a fault of ours must not stop the seller's business either
            self._not_before[seller_id] = self._clock.now() + timedelta(seconds=ASK_AGAIN_SECONDS)
            _log.error("a seller is served by what was known", about=seller_id, error=type(error).__name__, exc_info=error)
        finally:
            del self._asking[seller_id]

    def _note(self, record: Seller) -> None:
        own, told = _rules(record.own), _rules(record.told)
        self._own[record.id] = own
        self._known[record.id] = told.over(own)
        if record.told_at is not None:
            self._told_at[record.id] = record.told_at
            self._not_before.pop(record.id, None)


def _usable(rules: SellerRules | None) -> SellerRules | None:
    if rules is not None and rules.default_country not in {None, *country_codes()}:
        raise Unavailable("The tenant service names a country that does not exist.")
    return rules


def _rules(stored: StoredRules | None) -> SellerRules:
    return NOTHING_SAID if stored is None else SellerRules(**stored.model_dump())


@asynccontextmanager
async def open_seller_book(clock: Clock, source: TenantSource | None) -> AsyncIterator[SellerBook]:
    """Know sellers until the context ends; what was stored before is known when it begins.

    Raises:
        Unavailable: the database does not answer.
    """
    book = SellerBook(clock, source)
    await book.look()
    try:
        async with beside(book.follow(), name="sellers"):
            yield book
    finally:
        await book.close()

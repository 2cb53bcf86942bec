"""The histories of customers: what happened to them, and who read numbers and files of their documents, in one list."""

import asyncio
import re
from collections.abc import Collection
from typing import Any

from core.history import Access
from core.paging import Page, PageRequest, Position
from core.tenancy import Reach
from events.history import Entry
from repositories.customer_access import CustomerAccessRepository
from repositories.customer_event import CustomerEventRepository

HistoryPage = tuple[str, str, PageRequest, bool]
"""A page of one customer's history: the seller's id, the customer's, which part of it, and whether there were accesses."""

AT_ONCE = 10
"""Pages of one operation that may be read at once: an operation shares the connections with all others."""

_ACCESS = re.compile(r"access ([0-9]{1,9})")


class HistoryRepository:
    """Histories of one tenant's customers."""

    def __init__(self, tenant: Reach) -> None:
        self._events = CustomerEventRepository(tenant)
        self._accesses = CustomerAccessRepository(tenant)

    async def pages(self, asked: Collection[HistoryPage]) -> dict[HistoryPage, Page[Entry]]:
        """Return pages of customers' histories, newest first; each by queries of its own, `AT_ONCE` of them at a time."""
        pages: dict[HistoryPage, Page[Entry]] = {}
        waiting = list(asked)
        for start in range(0, len(waiting), AT_ONCE):
            some = waiting[start : start + AT_ONCE]
            pages.update(zip(some, await asyncio.gather(*(self._page(*one) for one in some)), strict=True))
        return pages

    async def _page(self, seller_id: str, customer_id: str, request: PageRequest, accessed: bool) -> Page[Entry]:  # noqa: FBT001 - a value
        older, read_earlier = _behind(request.after)
        most = request.size + 1
        events = self._events.before(seller_id, customer_id, older, most)
        found: list[Entry]
        if accessed:
            told, read = await asyncio.gather(events, self._accesses.before(seller_id, customer_id, read_earlier, most))
            found = sorted([*told, *read], key=_place, reverse=True)
        else:
            found = [*await events]
        return Page(found[: request.size], has_next=len(found) > request.size, has_previous=request.after is not None)


def _place(entry: Entry) -> tuple[int, int]:
    # What was read of a version was read after the change that made it.
    return entry.version, entry.number if isinstance(entry, Access) else 0


def _behind(after: Position | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the conditions on events and on accesses that come behind a place."""
    if after is None:
        return {}, {}
    if access := _ACCESS.fullmatch(after.id):
        return {"version": {"$lte": after.value}}, {"version": {"$lte": after.value}, "number": {"$lt": int(access[1])}}
    return {"version": {"$lt": after.value}}, {"version": {"$lt": after.value}}

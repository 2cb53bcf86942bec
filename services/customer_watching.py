"""What somebody sees who watches customers: each change once, in order, and never a gap that is not told."""

from collections.abc import AsyncGenerator
from dataclasses import replace

from auth.principal import Principal
from core.errors import NotFound, Unavailable
from core.tenancy import Tenant
from core.vocabulary import CustomerEventType
from events.customer import CustomerEvent
from repositories.unit_of_work import Repositories
from services.live import Live, Waiting

LiveEvents = Live[CustomerEvent]

MISSED = (
    "Changes may have been missed: you were more than 1,000 customers behind, or changes could not be followed for a while. "
    "Read customers again (sort UPDATED_AT_DESC) and subscribe again."
)

_FINAL = frozenset({CustomerEventType.DELETED, CustomerEventType.ERASED})
_AT_ONCE = 100


def joined(earlier: CustomerEvent, later: CustomerEvent) -> CustomerEvent:
    """Return the later of two events of a customer, with what the earlier one changed besides."""
    return replace(later, changed=tuple(dict.fromkeys((*earlier.changed, *later.changed))))


JOINED: Waiting[CustomerEvent] = Waiting(key=lambda event: event.customer_id, join=joined)
"""One event waits of each customer."""


class CustomerWatching:
    """Lets a verified caller follow customers."""

    def __init__(self, live: LiveEvents) -> None:
        self._live = live

    def watch(self, viewer: Principal, seller_id: str | None, customer_id: str | None) -> AsyncGenerator[CustomerEvent]:
        """Yield what happens to the customers of a seller, or to one of them; a customer follows itself.

        Raises:
            Forbidden: without the scope, or for another seller than the caller's own.
            BadInput: for a service that names no seller.
            NotFound: there is no such customer, and never was.
            Unavailable: changes cannot be followed, or some were missed.
        """
        viewer.require_sight()
        tenant = viewer.reach_of(seller_id)
        one = viewer.customer_id if customer_id is None else customer_id
        return _watch_seller(self._live, tenant) if one is None else _watch_one(self._live, tenant, one)


async def _watch_one(live: LiveEvents, tenant: Tenant, customer_id: str) -> AsyncGenerator[CustomerEvent]:
    """Yield the last thing that happened to a customer, then every later one, until it is gone."""
    events, seller_id = Repositories(tenant).events, tenant.seller_id
    with live.watching(lambda event: event.customer_id == customer_id, seller_id=seller_id, key=customer_id) as mailbox:
        await live.ready()
        # Read after the registration: what happens from here on is delivered.
        shown = await events.latest(seller_id, customer_id)
        if shown is None:
            raise NotFound("There is no customer with this id.")
        yield shown
        while shown.type not in _FINAL:
            news, missed = await mailbox.take()
            if missed:
                news = await events.since(seller_id, customer_id, shown.version, _AT_ONCE)
                if len(news) == _AT_ONCE:
                    mailbox.miss()
            for event in news:
                if event.version > shown.version:
                    shown = event
                    yield event


async def _watch_seller(live: LiveEvents, tenant: Tenant) -> AsyncGenerator[CustomerEvent]:
    """Yield what happens to any customer of a seller, until it can no longer be told without a gap."""
    with live.watching(lambda event: tenant.spans(event.seller_id), seller_id=tenant.seller_id) as mailbox:
        await live.ready()
        while (event := await mailbox.next()) is not None:
            yield event
    raise Unavailable(MISSED)

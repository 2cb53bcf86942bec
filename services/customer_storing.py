"""New customers of one seller that come in the same moment are stored in one transaction.

    create ─┐                       ┌─ transaction, under way
    create ─┼─ the seller's queue ──┤
    create ─┘                       └─ transaction, under way

What a transaction costs are its round trips, of which it needs four whatever it holds. Nobody shares anything else: when one
write of a transaction is refused, all of it is undone, and each of its customers is stored by itself. There is no timer while
there is nothing to wait for: who finds nobody to join goes alone at the end of the turn of the event loop.
"""

import asyncio
import contextvars
from collections import deque
from collections.abc import Callable, Sequence

from core.errors import Unavailable
from core.tenancy import Tenant
from core.trace import TRACEPARENT
from repositories.unit_of_work import Repositories, Undone, UnitOfWork
from services.new_customers import NewCustomer

MOST = 50
"""Customers in one transaction."""

MAX_UNDER_WAY = 2
"""Transactions of one seller at a time, while others wait to join the next one."""

LONGEST_WAIT = 0.25
"""Seconds after which whoever waits goes all the same: those under way may be waiting for a lock, or for a server."""


class CustomerStoring:
    """Stores new customers, those of one moment together."""

    def __init__(self, units: UnitOfWork) -> None:
        self._units = units
        self._queues: dict[Tenant, _Queue] = {}

    async def store(self, tenant: Tenant, made: NewCustomer) -> None:
        """Store a new customer of *tenant* with everything that belongs to it, and its event: all or nothing.

        Not again when it is refused: nothing of it depends on what is stored already. A caller that gives up before its
        transaction has begun stores nothing; after that nobody can say, as with any transaction.

        Raises:
            KeyTaken: a unique index refused it; nothing was written.
            Unavailable: the database did not answer in time.
        """
        queue = self._queues.get(tenant)
        if queue is None:
            queue = self._queues[tenant] = _Queue(self._units, tenant, lambda: self._queues.pop(tenant, None))
        if not await queue.join(made):
            await self._units.run(tenant, lambda work: store_all(work, [made]))


async def store_all(work: Repositories, made: Sequence[NewCustomer]) -> None:
    """Store new customers within a unit of work.

    Raises:
        NoTenant: one of them is another seller's.
    """
    await work.customers.insert_stored([one.customer for one in made])
    await work.addresses.insert_stored([address for one in made for address in one.addresses])
    await work.documents.insert_stored([document for one in made for document in one.documents])
    await work.keys.insert_stored([key for one in made for key in one.keys])
    await work.events.insert_stored([one.event for one in made])


class _Queue:
    """The customers of one seller that wait for a transaction; *empty* is called when nobody waits and none is under way."""

    def __init__(self, units: UnitOfWork, tenant: Tenant, empty: Callable[[], object]) -> None:
        self._units = units
        self._tenant = tenant
        self._empty = empty
        self._waiting: deque[_Waiting] = deque()
        self._under_way: set[asyncio.Task[None]] = set()
        self._alarm: asyncio.Handle | None = None

    def join(self, made: NewCustomer) -> "_Waiting":
        """Return what becomes true once *made* is stored, and false when it has to be stored by itself."""
        waiting = _Waiting(made)
        self._waiting.append(waiting)
        self._set_alarm()
        return waiting

    def _set_alarm(self) -> None:
        if self._alarm is not None or not self._waiting:
            return
        loop = asyncio.get_running_loop()
        # In nobody's context: a transaction is no part of the request that happened to be the first, of its deadline neither.
        if len(self._under_way) < MAX_UNDER_WAY:
            self._alarm = loop.call_soon(self._start, context=contextvars.Context())
        else:
            self._alarm = loop.call_later(LONGEST_WAIT, self._start, context=contextvars.Context())

    def _start(self) -> None:
        self._alarm = None
        some: list[_Waiting] = []
        while self._waiting and len(some) < MOST:
            waiting = self._waiting.popleft()
            if not waiting.cancelled():
                some.append(waiting)
        if some:
            context = contextvars.Context()
            if some[0].trace is not None:
                # Of the one that waits longest: a transaction can be seen in one trace only.
                context.run(TRACEPARENT.set, some[0].trace)
            task = asyncio.get_running_loop().create_task(self._run(some), name="customers together", context=context)
            self._under_way.add(task)
            task.add_done_callback(self._ended)
        self._set_alarm()
        self._perhaps_empty()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._set_alarm()
        self._perhaps_empty()

    def _perhaps_empty(self) -> None:
        if not self._waiting and not self._under_way:
            self._empty()

    async def _run(self, some: Sequence["_Waiting"]) -> None:
        made = [one.made for one in some]
        stored = True
        error: Exception | None = None
        try:
            # What is refused to one alone is nobody else's affair, and a conflict is tried again.
            transaction = self._units.run if len(some) == 1 else self._units.run_once
            await transaction(self._tenant, lambda work: store_all(work, made))
        except Undone:
            stored = False
        except asyncio.CancelledError:
            # This task ends here either way; whoever still waits would wait for ever.
            error = Unavailable("The service is stopping. Try again.")
        except Exception as failure:  # noqa: BLE001  whatever it is, it is for those who wait
            error = failure
        for one in some:
            one.settle(stored, error)


class _Waiting(asyncio.Future[bool]):
    """A customer that waits, and what its caller waits for."""

    def __init__(self, made: NewCustomer) -> None:
        super().__init__(loop=asyncio.get_running_loop())
        self.made = made
        self.trace = TRACEPARENT.get()

    def settle(self, stored: bool, error: Exception | None) -> None:  # noqa: FBT001 - a value
        if self.done():
            return
        if error is None:
            self.set_result(stored)
        else:
            self.set_exception(error)

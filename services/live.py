"""Records as they change: one change stream per process and kind of record, fanned out to whoever watches."""

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Generic, Protocol, TypeVar, cast

import structlog

from core.ending import end
from core.errors import Unavailable
from repositories.change_stream import Place, PlaceLost

_log = structlog.get_logger(__name__)

MOST_WAITING = 1000
"""Records a watcher may be behind with. Beyond that they are dropped, and it is told that it has missed some."""

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0
_OPENING_SECONDS = 5.0


class _OfSeller(Protocol):
    @property
    def seller_id(self) -> str: ...


_About = tuple[str | None, str | None]
"""Whose changes somebody is offered, and of what: a seller and a key, None for all."""

T = TypeVar("T", bound=_OfSeller)
R_co = TypeVar("R_co", bound=_OfSeller, covariant=True)


class Changes(Protocol[R_co]):
    """Where changes come from; `repositories.change_stream.ChangeStream` is one."""

    def follow(self, after: Place | None = None) -> AsyncIterator[tuple[Place, R_co | None]]:
        """Yield a place without a record once changes are being followed, then each record that changes."""


@dataclass(frozen=True, slots=True)
class Waiting(Generic[T]):
    """How records wait for a slow watcher: one of each *key*, a newer one joined with the older one by *join*."""

    key: Callable[[T], str]
    join: Callable[[T, T], T]


class Mailbox(Generic[T]):
    """What one watcher has not seen yet, never more than `MOST_WAITING` records."""

    def __init__(self, wants: Callable[[T], bool], waiting: Waiting[T]) -> None:
        self._wants = wants
        self._how = waiting
        self._waiting: OrderedDict[str, T] = OrderedDict()
        self._missed = False
        self._news = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, record: T) -> None:
        """Deliver a change, joined with what waits already of the same thing."""
        if not self._wants(record):
            return
        key = self._how.key(record)
        earlier = self._waiting.get(key)
        self._waiting[key] = record if earlier is None else self._how.join(earlier, record)
        if len(self._waiting) > MOST_WAITING:
            self._waiting.clear()
            self._missed = True
        self._news.set()

    def miss(self) -> None:
        """Tell the watcher that changes have passed unseen."""
        self._missed = True
        self._news.set()

    async def take(self) -> tuple[Sequence[T], bool]:
        """Wait for news. Returns what changed, and whether something was missed: then the watcher has to look for itself."""
        await self._news.wait()
        news, missed = list(self._waiting.values()), self._missed
        self._waiting.clear()
        self._missed = False
        self._news.clear()
        return news, missed

    async def next(self) -> T | None:
        """Wait for news. Returns what has waited longest, or None, from then on, when something was missed."""
        await self._news.wait()
        if self._missed:
            return None
        _, record = self._waiting.popitem(last=False)
        if not self._waiting:
            self._news.clear()
        return record


class Live(Generic[T]):
    """Hands out changes. Made by `open_live`."""

    def __init__(self, changes: Changes[T], waiting: Waiting[T]) -> None:
        self._changes = changes
        self._waiting = waiting
        self._mailboxes: defaultdict[_About, set[Mailbox[T]]] = defaultdict(set)
        self._following: _Following | None = None
        self._endings: set[asyncio.Task[None]] = set()

    @property
    def watchers(self) -> int:
        """How many are watching now."""
        return sum(map(len, self._mailboxes.values()))

    @property
    def following(self) -> bool:
        """Whether a stream is open, or was and still has to be closed."""
        return self._following is not None or bool(self._endings)

    @contextmanager
    def watching(
        self, wants: Callable[[T], bool], *, seller_id: str | None = None, key: str | None = None
    ) -> Iterator[Mailbox[T]]:
        """Deliver the changes that *wants* accepts, for as long as the context is open.

        With a *seller_id* only that seller's are offered, and with a *key* only those of what has it: so that a busy seller
        costs the others' watchers nothing, and what many watch those who watch something else.
        """
        if self._following is None:
            # With the first watcher, until the last one has gone: a process that nobody watches keeps no stream open.
            opened = asyncio.Event()
            self._following = _Following(opened, asyncio.create_task(self._follow(opened), name="live"))
        mailbox = Mailbox(wants, self._waiting)
        about = (seller_id, key)
        self._mailboxes[about].add(mailbox)
        try:
            yield mailbox
        finally:
            self._mailboxes[about].discard(mailbox)
            if not self._mailboxes[about]:
                del self._mailboxes[about]
            if not self._mailboxes:
                self._end()

    async def ready(self) -> None:
        """Wait until changes are being followed. What is read after that, and delivered, leaves no gap.

        Raises:
            Unavailable: the database does not let us follow.
        """
        try:
            async with asyncio.timeout(_OPENING_SECONDS):
                if self._following is not None:
                    await self._following.opened.wait()
        except TimeoutError:
            raise Unavailable("Changes cannot be followed at the moment. Try again.") from None

    async def close(self) -> None:
        """Stop following, and wait until the stream is closed."""
        self._end()
        if self._endings:
            await asyncio.wait(self._endings)

    def _end(self) -> None:
        if self._following is not None:
            ending = asyncio.create_task(end([self._following.task]), name="live's end")
            self._endings.add(ending)
            ending.add_done_callback(self._endings.discard)
            self._following = None

    async def _follow(self, opened: asyncio.Event) -> None:
        place: Place | None = None
        missing: set[Mailbox[T]] = set()
        followed = False
        pause = _FIRST_PAUSE
        while True:
            try:
                async with aclosing(cast("AsyncGenerator[tuple[Place, T | None]]", self._changes.follow(place))) as changes:
                    async for behind, record in changes:
                        if self._following is None or self._following.opened is not opened:
                            # Its end was lost on it, and another one delivers by now.
                            return
                        place = behind
                        if not opened.is_set():
                            opened.set()
                            followed = True
                            # Not earlier: what they look at now is followed from here on.
                            _tell(missing)
                            continue
                        pause = _FIRST_PAUSE
                        if record is not None:
                            self._deliver(record)
                            # A batch comes from memory, without a pause in which somebody could read.
                            await asyncio.sleep(0)
            except PlaceLost as error:
                _log.warning("live.interrupted", reason=str(error), missed=True)
                place = None
            except Unavailable as error:
                _log.warning("live.interrupted", reason=str(error), missed=False)
            except Exception as error:  # noqa: BLE001 - watchers wait for this task; it must not end before them
                _log.error("live.broken", error=type(error).__name__, exc_info=error)
                # What could not be read is left behind, and not read again for ever.
                place = None
            opened.clear()
            if place is None and followed:
                missing.update(mailbox for mailboxes in self._mailboxes.values() for mailbox in mailboxes)
                followed = False
            await asyncio.sleep(pause)
            pause = min(_LONGEST_PAUSE, 2 * pause)

    def _deliver(self, record: T) -> None:
        for about in product((record.seller_id, None), (self._waiting.key(record), None)):
            for mailbox in list(self._mailboxes.get(about, ())):
                mailbox.put(record)


@dataclass(frozen=True, slots=True)
class _Following:
    opened: asyncio.Event
    task: asyncio.Task[None]


def _tell(missing: set[Mailbox[T]]) -> None:
    for mailbox in missing:
        mailbox.miss()
    missing.clear()


@asynccontextmanager
async def open_live(changes: Changes[T], waiting: Waiting[T]) -> AsyncIterator[Live[T]]:
    """Follow changes whenever somebody watches, until the context ends."""
    live = Live(changes, waiting)
    try:
        yield live
    finally:
        await live.close()

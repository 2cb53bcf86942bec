"""Imports as they change: one change stream per process, fanned out to whoever watches."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import Protocol, cast

import structlog

from core.errors import Unavailable
from models.bulk_import import BulkImport

_log = structlog.get_logger(__name__)

MAILBOX_IMPORTS = 1000
"""How many imports a watcher may be behind with; beyond that, it looks for itself."""

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0
_OPENING_SECONDS = 5.0


class ImportChangeStream(Protocol):
    """Where changes come from; `repositories.bulk_import.ImportChanges` is one."""

    def follow(self) -> AsyncIterator[BulkImport | None]:
        """Yield None once changes are being followed, then every import that changes."""


class Mailbox:
    """What one watcher has not seen yet: the latest state of each import, never more than `MAILBOX_IMPORTS`."""

    def __init__(self, wants: Callable[[BulkImport], bool]) -> None:
        self._wants = wants
        self._waiting: OrderedDict[str, BulkImport] = OrderedDict()
        self._look = False
        self._news = asyncio.Event()

    def put(self, record: BulkImport) -> None:
        """Deliver a change, in place of an older one of the same import."""
        if not self._wants(record):
            return
        self._waiting[record.id] = record
        if len(self._waiting) > MAILBOX_IMPORTS:
            self._waiting.clear()
            self._look = True
        self._news.set()

    def look(self) -> None:
        """Tell the watcher that changes may have passed unseen."""
        self._look = True
        self._news.set()

    async def take(self) -> tuple[Sequence[BulkImport], bool]:
        """Wait for news. Returns what changed, and whether the watcher has to look for itself."""
        await self._news.wait()
        news, look = list(self._waiting.values()), self._look
        self._waiting.clear()
        self._look = False
        self._news.clear()
        return news, look


class LiveImports:
    """Hands out changes of imports. Made by `open_live`."""

    def __init__(self, changes: ImportChangeStream) -> None:
        self._changes = changes
        self._mailboxes: set[Mailbox] = set()
        self._open = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def watchers(self) -> int:
        """How many are watching now."""
        return len(self._mailboxes)

    @contextmanager
    def watching(self, wants: Callable[[BulkImport], bool]) -> Iterator[Mailbox]:
        """Deliver the changes that *wants* accepts, for as long as the context is open."""
        if self._task is None:
            # With the first watcher: a process that nobody watches keeps no stream open.
            self._task = asyncio.create_task(self._follow(), name="live-imports")
        mailbox = Mailbox(wants)
        self._mailboxes.add(mailbox)
        try:
            yield mailbox
        finally:
            self._mailboxes.discard(mailbox)

    async def ready(self) -> None:
        """Wait until changes are being followed. What is read after that, and delivered, leaves no gap.

        Raises:
            Unavailable: the database does not let us follow.
        """
        try:
            async with asyncio.timeout(_OPENING_SECONDS):
                await self._open.wait()
        except TimeoutError:
            raise Unavailable("Changes cannot be followed at the moment. Try again.") from None

    async def close(self) -> None:
        """Stop following."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    async def _follow(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                async with aclosing(cast("AsyncGenerator[BulkImport | None]", self._changes.follow())) as changes:
                    async for record in changes:
                        pause = _FIRST_PAUSE
                        if record is None:
                            self._opened()
                            continue
                        for mailbox in list(self._mailboxes):
                            mailbox.put(record)
            except Unavailable as error:
                _log.warning("live.interrupted", reason=str(error))
            except Exception as error:  # noqa: BLE001 - watchers wait for this task; it must not end before them
                _log.error("live.broken", error=type(error).__name__, exc_info=error)
            self._open.clear()
            await asyncio.sleep(pause)
            pause = min(_LONGEST_PAUSE, 2 * pause)

    def _opened(self) -> None:
        self._open.set()
        for mailbox in self._mailboxes:
            mailbox.look()


@asynccontextmanager
async def open_live(changes: ImportChangeStream) -> AsyncIterator[LiveImports]:
    """Follow changes, from the first watcher on until the context ends."""
    live = LiveImports(changes)
    try:
        yield live
    finally:
        await live.close()

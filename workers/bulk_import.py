"""Imports off the queue: takes messages, keeps what it works on leased, and sweeps up what others left."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any, Protocol, TypeVar

import structlog

from core.errors import BadInput, ErrorCode, Refused, Unavailable
from core.ids import IdKind, is_id
from infra.sqs import Message
from models.bulk_import import ImportSegment
from services.import_references import ImportReferences
from services.import_runs import ImportRuns, Poisoned, UnknownImport
from services.import_states import ImportLimits
from workers.file_message import names_file, start_import
from workers.loop import pause, run_until

_log = structlog.get_logger(__name__)

T = TypeVar("T")

SWEEP_SECONDS = 1.0
_MOST_MESSAGES = 10
"""What SQS hands out at once."""


class MessageQueue(Protocol):
    """The other end of the queue; `infra.sqs.SqsWorkQueue` is one."""

    async def receive(self, max_messages: int, wait_seconds: int) -> Sequence[Message]:
        """Wait for messages and take some."""

    async def extend(self, message: Message, seconds: int) -> bool:
        """Keep a message hidden for *seconds* from now."""

    async def release(self, message: Message) -> None:
        """Give a message back."""

    async def delete(self, message: Message) -> None:
        """Finish a message."""

    async def dead_letter(self, message: Message, reason: str) -> None:
        """Put a message aside for a person."""


class BadMessage(Exception):
    """A message that no repetition would make any better."""


class ImportWorker:
    """Works on up to `limits.max_workers` messages at once.

    A message is deleted when what it asks for is in the database: done, ended, or in somebody's hands and therefore in the
    sweep's care. *visibility_timeout* and *wait_seconds* are those of the queue, *max_receive_count* what it allows.
    """

    def __init__(
        self,
        queue: MessageQueue,
        runs: ImportRuns,
        references: ImportReferences,
        limits: ImportLimits,
        *,
        visibility_timeout: int = 30,
        wait_seconds: int = 20,
        max_receive_count: int = 5,
    ) -> None:
        self._queue = queue
        self._runs = runs
        self._references = references
        self._limits = limits
        self._visibility_timeout = visibility_timeout
        self._wait_seconds = wait_seconds
        self._max_receive_count = max_receive_count
        self._tasks: set[asyncio.Task[None]] = set()
        self._freed = asyncio.Event()
        self._stop = asyncio.Event()
        self.dead_letters = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Work until *stop*; then finish the batches in hand and give the rest back."""
        self._stop = stop
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(run_until(stop, self._receive, idle=0))
                group.create_task(run_until(stop, self._runs.sweep, idle=SWEEP_SECONDS))
        finally:
            if self._tasks:
                await asyncio.wait(self._tasks)

    async def _receive(self) -> bool:
        """Take as many messages as there are hands free."""
        free = self._limits.max_workers - len(self._tasks)
        if free <= 0:
            self._freed.clear()
            await self._unless_stopped(self._freed.wait())
            return True
        for message in await self._unless_stopped(self._queue.receive(min(free, _MOST_MESSAGES), self._wait_seconds)) or ():
            task = asyncio.create_task(self._handle(message))
            self._tasks.add(task)
            task.add_done_callback(self._done)
        return True

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._freed.set()

    async def _unless_stopped(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Wait for *work*, or drop it when the worker has to stop."""
        working, stopping = asyncio.create_task(work), asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            return working.result() if working.done() else None
        finally:
            for task in (working, stopping):
                task.cancel()
            await asyncio.wait({working, stopping})

    async def _handle(self, message: Message) -> None:
        """Do what a message asks for, then delete it. One that failed comes back by itself."""
        over = asyncio.Event()
        heartbeat = asyncio.create_task(self._keep_hidden(message, over))
        try:
            await self._do(message)
            await self._queue.delete(message)
        except (BadMessage, UnknownImport, Poisoned) as error:
            await self._put_aside(message, str(error))
        except Unavailable as error:
            _log.warning("import.message_put_off", message_id=message.id, reason=str(error))
        except Exception as error:  # noqa: BLE001 - the other messages must not suffer
            _log.error("import.message_failed", message_id=message.id, error=type(error).__name__, exc_info=error)
            if message.receive_count >= self._max_receive_count:
                await self._give_up(message)
        finally:
            over.set()
            await heartbeat

    async def _do(self, message: Message) -> None:
        if message.body is not None and names_file(message.body):
            try:
                await start_import(self._references, message.id, message.body)
            except (BadInput, Refused) as error:
                raise BadMessage(str(error)) from error
            return
        kind, import_id, number = _asked(message)
        match kind:
            case "plan":
                await self._runs.plan(import_id)
            case "finish":
                await self._runs.finish(import_id)
            case _:
                segment = await self._runs.take(import_id, number)
                if segment is not None:
                    await self._work(segment)

    async def _work(self, segment: ImportSegment) -> None:
        over = asyncio.Event()
        heartbeat = asyncio.create_task(self._keep_leased(segment, over))
        try:
            await self._runs.work_through(segment, stopping=self._stop.is_set)
        finally:
            over.set()
            await heartbeat

    async def _keep_leased(self, segment: ImportSegment, over: asyncio.Event) -> None:
        """Extend a lease at a third of its time. Losing it needs no telling: the next batch finds that it may not write."""
        while not over.is_set():
            await pause(over, self._limits.lease_seconds / 3)
            with suppress(Unavailable):
                if not over.is_set() and not await self._runs.extend(segment):
                    return

    async def _keep_hidden(self, message: Message, over: asyncio.Event) -> None:
        while not over.is_set():
            await pause(over, self._visibility_timeout / 3)
            with suppress(Unavailable):
                if not over.is_set() and not await self._queue.extend(message, self._visibility_timeout):
                    return

    async def _put_aside(self, message: Message, reason: str) -> None:
        self.dead_letters += 1
        _log.error("import.message_dead", message_id=message.id, reason=reason, dead_letters=self.dead_letters)
        try:
            await self._queue.dead_letter(message, reason)
        except Unavailable as error:
            _log.warning("import.message_put_off", message_id=message.id, reason=str(error))

    async def _give_up(self, message: Message) -> None:
        """Fail the import of a message that failed as often as the queue allows."""
        try:
            if not names_file(message.body):
                _, import_id, _ = _asked(message)
                await self._runs.fail(
                    import_id, ErrorCode.INTERNAL, "The import could not go on because of an error on our side."
                )
        except Unavailable as error:
            _log.warning("import.message_put_off", message_id=message.id, reason=str(error))
            return
        await self._put_aside(message, f"It failed {message.receive_count} times.")


def _asked(message: Message) -> tuple[str, str, int]:
    """Return what a message asks for: kind of work, import, number of the segment.

    Raises:
        BadMessage: saying what is wrong with it.
    """
    if message.body is None:
        raise BadMessage("The message is no JSON object.")
    kind, import_id, number = (message.body.get(name) for name in ("type", "importId", "number"))
    if kind not in {"plan", "segment", "finish"}:
        raise BadMessage("The message has a type that nobody here knows.")
    if not isinstance(import_id, str) or not is_id(IdKind.BULK_IMPORT, import_id):
        raise BadMessage("The message names no import in importId.")
    if kind != "segment":
        return str(kind), import_id, 0
    if not isinstance(number, int) or isinstance(number, bool):
        raise BadMessage("The message names no segment in number.")
    return "segment", import_id, number

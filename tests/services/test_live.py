"""One stream of changes for everybody who watches: opened with the first, closed with the last, and no gap untold."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from core.errors import Unavailable
from repositories.change_stream import Place, PlaceLost
from services import live as live_module
from services.live import MOST_WAITING, Live, Mailbox, Waiting, open_live


@dataclass(frozen=True)
class Record:
    """Something that changes."""

    id: str
    version: int = 1
    seller_id: str = "mine"
    changed: tuple[str, ...] = ()


def join(earlier: Record, later: Record) -> Record:
    return Record(later.id, later.version, later.seller_id, earlier.changed + later.changed)


WAITING: Waiting[Record] = Waiting(key=lambda record: record.id, join=join)


@dataclass
class Script:
    """A stream that does what a test tells it: records to yield, or an error to break with."""

    steps: asyncio.Queue[Record | Exception] = field(default_factory=asyncio.Queue)
    places: list[Place | None] = field(default_factory=list)
    refusals: list[Exception] = field(default_factory=list)
    running: int = 0
    number: int = 0

    async def follow(self, after: Place | None = None) -> AsyncIterator[tuple[Place, Record | None]]:
        self.places.append(after)
        if self.refusals:
            raise self.refusals.pop(0)
        self.running += 1
        try:
            yield {"at": self.number}, None
            while True:
                step = await self.steps.get()
                if isinstance(step, Exception):
                    raise step
                self.number += 1
                yield {"at": self.number}, step
        finally:
            self.running -= 1


class DeafScript(Script):
    """A stream on which the first cancellation is lost."""

    def __init__(self) -> None:
        super().__init__()
        self.cancelled, self.go_on, self.told = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def follow(self, after: Place | None = None) -> AsyncIterator[tuple[Place, Record | None]]:
        yield {"at": 0}, None
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        self.cancelled.set()
        await self.go_on.wait()
        self.told.set()
        yield {"at": 1}, Record("a")


@pytest.fixture(name="script")
def _script() -> Script:
    return Script()


@pytest.fixture(name="live")
async def _live(script: Script, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Live[Record]]:
    monkeypatch.setattr(live_module, "_FIRST_PAUSE", 0.001)
    async with open_live(script, WAITING) as live:
        yield live


def anything(_: Record) -> bool:
    return True


async def become(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0.001)


async def soon(awaitable: Any) -> Any:
    return await asyncio.wait_for(awaitable, 5)


async def test_the_stream_is_open_while_somebody_watches(script: Script, live: Live[Record]) -> None:
    assert (0, False) == (script.running, live.following)
    with live.watching(anything):
        with live.watching(anything):
            await live.ready()
            assert (1, 2) == (script.running, live.watchers)
        assert (1, 1) == (script.running, live.watchers)

    await become(lambda: not live.following)
    assert (0, 0) == (script.running, live.watchers)
    with live.watching(anything) as mailbox:
        await live.ready()
        script.steps.put_nowait(Record("a"))
        assert Record("a") == await soon(mailbox.next())
    assert [None, None] == script.places, "What happened while nobody watched is nobody's news."


async def test_a_stream_that_does_not_notice_its_end_delivers_no_more(live: Live[Record], script: Script) -> None:
    """
    The driver loses a cancellation now and then. Until the next one, two streams tell the same.
    """
    deaf = DeafScript()
    live._changes = deaf
    with live.watching(anything):
        await live.ready()
    await soon(deaf.cancelled.wait())
    live._changes = script
    with live.watching(anything) as mailbox:
        await live.ready()
        deaf.go_on.set()
        await soon(deaf.told.wait())
        script.steps.put_nowait(Record("b"))

        assert Record("b") == await soon(mailbox.next())


async def test_each_watcher_gets_what_it_wants_of_its_seller(script: Script, live: Live[Record]) -> None:
    with (
        live.watching(anything, seller_id="mine") as mine,
        live.watching(anything, seller_id="other") as other,
        live.watching(lambda record: record.version == 2) as second,
    ):
        await live.ready()
        for record in (Record("a"), Record("b", 2, "other")):
            script.steps.put_nowait(record)

        assert Record("b", 2, "other") == await soon(other.next()) == await soon(second.next())
        assert Record("a") == await soon(mine.next())
        assert [0, 0, 0] == [len(mine), len(other), len(second)]


async def test_each_watcher_is_offered_what_it_watches_and_nothing_else(script: Script, live: Live[Record]) -> None:
    """
    What many watch costs those who watch something else nothing: they are not even asked.
    """
    asked: list[str] = []

    def note(record: Record) -> bool:
        asked.append(record.id)
        return True

    with (
        live.watching(anything, seller_id="mine", key="a") as one,
        live.watching(anything, key="a") as of_any_seller,
        live.watching(note, seller_id="mine", key="b") as other,
    ):
        await live.ready()
        for record in (Record("a"), Record("a", 2, "other"), Record("b")):
            script.steps.put_nowait(record)

        assert Record("a") == await soon(one.next())
        assert Record("b") == await soon(other.next())
        assert ([Record("a", 2, "other", ())], False) == await soon(of_any_seller.take())
        assert (["b"], 0) == (asked, len(one))


async def test_a_stream_that_breaks_goes_on_where_it_was(script: Script, live: Live[Record]) -> None:
    with live.watching(anything) as mailbox:
        await live.ready()
        for step in (Record("a"), Unavailable("A network is down."), Record("b")):
            script.steps.put_nowait(step)

        assert [Record("a"), Record("b")] == [await soon(mailbox.next()) for _ in range(2)]
    assert [None, {"at": 1}] == script.places


@pytest.mark.parametrize("refusal", [PlaceLost("Too old."), ValueError("Not to be read.")], ids=repr)
async def test_watchers_are_told_when_the_place_is_lost(
    script: Script, live: Live[Record], refusal: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """
    And not before there is a new one: what they look at then is followed from there on. Whoever comes in between has missed
    nothing.
    """
    with live.watching(anything) as early:
        await live.ready()
        script.refusals.append(Unavailable("Not yet."))
        script.steps.put_nowait(refusal)
        await become(lambda: len(script.places) >= 2)
        with live.watching(anything) as late:
            await live.ready()
            script.steps.put_nowait(Record("a"))

            assert None is await soon(early.next())
            assert Record("a") == await soon(late.next())
    assert [None] * 3 == script.places
    expected = [logging.ERROR] if isinstance(refusal, ValueError) else []
    assert expected == [one.levelno for one in caplog.records if one.levelno >= logging.ERROR]


async def test_whoever_waits_for_the_first_opening_has_missed_nothing(script: Script, live: Live[Record]) -> None:
    script.refusals.extend([Unavailable("Not yet."), PlaceLost("Not yet.")])
    with live.watching(anything) as mailbox:
        await soon(live.ready())
        script.steps.put_nowait(Record("a"))

        assert Record("a") == await soon(mailbox.next())


async def test_what_cannot_be_followed_is_said_in_time(
    script: Script, live: Live[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_module, "_OPENING_SECONDS", 0.02)
    script.refusals.extend([Unavailable("Never.")] * 1000)
    with live.watching(anything), pytest.raises(Unavailable, match="cannot be followed"):
        await live.ready()


async def test_a_reader_comes_to_read_in_the_middle_of_a_batch(script: Script, live: Live[Record]) -> None:
    """
    A batch of thousands comes from memory. Without a pause nobody could read before all of them wait.
    """
    read: list[Record | None] = []

    async def reader(mailbox: Mailbox[Record]) -> None:
        while len(read) < 3 * MOST_WAITING:
            read.append(await mailbox.next())

    with live.watching(anything) as mailbox:
        await live.ready()
        reading = asyncio.create_task(reader(mailbox))
        for number in range(3 * MOST_WAITING):
            script.steps.put_nowait(Record(str(number)))
        await soon(reading)

    assert None not in read


# ------------------------------------------------------------------------------ mailboxes


async def test_records_of_one_thing_are_joined_and_keep_their_turn() -> None:
    mailbox = Mailbox(anything, WAITING)
    for record in (Record("a", 1, changed=("x",)), Record("b", 1), Record("a", 2, changed=("y",))):
        mailbox.put(record)

    assert [Record("a", 2, changed=("x", "y")), Record("b", 1)] == [await mailbox.next() for _ in range(2)]


async def test_a_mailbox_holds_a_thousand_and_not_one_more() -> None:
    mailbox = Mailbox(anything, WAITING)
    for number in range(MOST_WAITING):
        mailbox.put(Record(str(number)))
    assert MOST_WAITING == len(mailbox)
    mailbox.put(Record("0", 2))
    assert MOST_WAITING == len(mailbox)

    mailbox.put(Record("one more"))

    assert 0 == len(mailbox)
    assert [None, None] == [await mailbox.next() for _ in range(2)], "No silent gap, however often it is asked."


async def test_whoever_takes_all_learns_that_some_were_missed_once() -> None:
    mailbox = Mailbox(anything, WAITING)
    mailbox.put(Record("a"))
    mailbox.miss()

    assert ([Record("a")], True) == await mailbox.take()
    mailbox.put(Record("b"))
    assert ([Record("b")], False) == await mailbox.take()

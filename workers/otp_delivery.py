"""From stored one-time codes to the customers: soon, and never the same code twice.

The rule against doubling: **a code is repeated only after `NotSent`, and anything that cannot be explained counts as sent.**
A customer without a code asks for another one; a customer with two does not know which one holds.

Codes for nobody take the same way, up to the sending: otherwise the work behind an answer would tell, by the time that the
next request takes, whether there is a customer.
"""

import asyncio
import hashlib
import random
import traceback
from collections import Counter as Tally
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import structlog
from prometheus_client import Counter, Histogram

from core.clock import Clock
from core.delivery import CodeMessage, MaybeSent, NotSent
from core.ending import end
from core.errors import Unavailable
from core.sealing import SealBroken, Sealer
from core.vocabulary import OtpChannel
from models.otp_challenge import DeliveryState, OtpChallenge
from repositories.otp_delivery import CLAIM, DeliveryQueue
from services.otp_envelope import open_delivery
from services.ports import CodeDelivery
from workers.loop import pause, run_until

_log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0
"""How long a code waits that nobody nudged about: one of another process, or one whose time to be repeated has come."""

SWEEP_SECONDS = 10.0
HANDS = 10
"""How many codes of one channel are on their way at once: a provider that hangs must not keep the other channel waiting."""

LONGEST_DELIVERY = 45.0
"""Seconds after which an attempt counts as unanswered. Below the 60 of a claim, and above what the slowest carrier takes."""

LAST_SECONDS = 3.0
"""What is in flight may take this long when the courier has to stop."""

_FIRST_DELAY = 1.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0  # between attempts to write down what became of a code

_DELIVERIES = Counter("otp_deliveries", "Attempts to deliver one-time codes.", ["channel", "outcome"])
_SECONDS = Histogram(
    "otp_delivery_seconds",
    "From the request of a one-time code to its acceptance by the provider.",
    ["channel"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300),
)
_OUTCOMES = {
    DeliveryState.SENT: "sent",
    DeliveryState.NOBODY: "nobody",
    DeliveryState.QUEUED: "retried",
    DeliveryState.UNCERTAIN: "uncertain",
    DeliveryState.FAILED: "failed",
}


class OtpCourier:
    """Carries codes with *carriers*, one per channel, while the *budget* of their seller allows. Is a `services.ports.Courier`.

    Any number of couriers, in any number of processes, may work on the same queue.
    """

    def __init__(
        self,
        queue: DeliveryQueue,
        carriers: Mapping[OtpChannel, CodeDelivery],
        sealer: Sealer,
        clock: Clock,
        budget: Callable[[str], Awaitable[bool]],
    ) -> None:
        self._queue = queue
        self._carriers = dict(carriers)
        self._sealer = sealer
        self._clock = clock
        self._budget = budget
        self._wake = asyncio.Event()
        self._stop = asyncio.Event()
        self._flying: dict[asyncio.Task[None], OtpChallenge] = {}

    @property
    def channels(self) -> frozenset[OtpChannel]:
        """The channels that codes can go over."""
        return frozenset(self._carriers)

    def nudge(self) -> None:
        """Look at once; to be called in the event loop that runs the courier."""
        self._wake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Carry codes until *stop*, whatever happens to the database or the providers meanwhile.

        What is in flight then may end within 3 s; an attempt that does not is UNCERTAIN.
        """
        self._stop = stop
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(run_until(stop, self._take, idle=0))
                group.create_task(run_until(stop, self._sweep, idle=SWEEP_SECONDS))
                group.create_task(self._wake_to_stop())
            if self._flying:
                await asyncio.wait(self._flying, timeout=LAST_SECONDS)
        finally:
            await self._abandon()

    async def _wake_to_stop(self) -> None:
        await self._stop.wait()
        self._wake.set()

    async def _take(self) -> bool:
        """Start one delivery, or wait until there may be something to do."""
        self._wake.clear()
        busy = Tally(challenge.channel for challenge in self._flying.values())
        free = [channel for channel in self._carriers if busy[channel] < HANDS]
        claimed = await self._queue.claim(self._clock.now(), free) if free else None
        if claimed is None:
            if not self._stop.is_set():
                await pause(self._wake, LOOK_SECONDS)
            return True
        task = asyncio.create_task(self._deliver(claimed))
        self._flying[task] = claimed
        task.add_done_callback(self._landed)
        return True

    def _landed(self, task: asyncio.Task[None]) -> None:
        claimed = self._flying.pop(task)
        self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            # What became of the code could not be written down: the sweep gives it up.
            _log.error("otp.delivery_broke", challenge=_name(claimed), error=type(error).__name__, at=_place(error))

    async def _sweep(self) -> bool:
        swept = await self._queue.sweep(self._clock.now())
        if swept.expired or swept.abandoned:
            _log.warning("otp.swept", expired=swept.expired, abandoned=swept.abandoned)
        return False

    async def _abandon(self) -> None:
        """Leave what is still in flight, and say so while there is time; the sweep of another courier says it otherwise."""
        left = dict(self._flying)
        if not left:
            return
        await end(list(left))
        with suppress(Unavailable, TimeoutError):
            async with asyncio.timeout(1):
                for challenge in left.values():
                    await self._queue.uncertain(challenge)

    async def _deliver(self, claimed: OtpChallenge) -> None:
        """Make one attempt, and write down what became of it."""
        try:
            state, reason, delay = await self._attempt(claimed)
        except asyncio.CancelledError:
            _note(claimed, DeliveryState.UNCERTAIN, "The courier had to stop.")
            raise
        moment = self._clock.now()
        if state is DeliveryState.QUEUED and moment + delay >= claimed.expires_at:
            state = DeliveryState.FAILED
        _note(claimed, state, reason)
        if state is DeliveryState.SENT:
            _SECONDS.labels(claimed.channel.value).observe(max(0.0, (moment - claimed.created_at).total_seconds()))
        match state:
            case DeliveryState.SENT:
                await self._write_down(claimed, lambda: self._queue.sent(claimed))
            case DeliveryState.NOBODY:
                await self._write_down(claimed, lambda: self._queue.nobody(claimed))
            case DeliveryState.UNCERTAIN:
                await self._write_down(claimed, lambda: self._queue.uncertain(claimed))
            case DeliveryState.FAILED:
                await self._write_down(claimed, lambda: self._queue.failed(claimed))
            case _:
                await self._write_down(claimed, lambda: self._queue.put_back(claimed, moment + delay))

    async def _attempt(self, claimed: OtpChallenge) -> tuple[DeliveryState, str | None, timedelta]:
        """Return the state that follows, why, and in what time to try again."""
        delay = timedelta(0)
        try:
            message = self._opened(claimed)
        except SealBroken:
            return DeliveryState.FAILED, "What was sealed cannot be opened. Do all processes have the same master key?", delay
        if claimed.customer_id is None:
            return DeliveryState.NOBODY, None, delay
        try:
            if claimed.delivery.attempts == 1:
                await self._pay(claimed)
            async with asyncio.timeout(LONGEST_DELIVERY):
                await self._carriers[claimed.channel].deliver(message)
        except NotSent as error:
            if error.final:
                return DeliveryState.FAILED, str(error), delay
            doubled = _FIRST_DELAY * 2 ** (claimed.delivery.attempts - 1)
            # Jitter, so that the codes of an outage do not all come back in one moment.
            return DeliveryState.QUEUED, str(error), timedelta(seconds=doubled * random.uniform(0.75, 1.25))  # noqa: S311
        except MaybeSent as error:
            return DeliveryState.UNCERTAIN, str(error), delay
        except Exception as error:  # noqa: BLE001 - the other codes must not suffer
            # Without its message and its traceback's: either may quote the destination.
            return DeliveryState.UNCERTAIN, f"{type(error).__name__} at {_place(error)}", delay
        return DeliveryState.SENT, None, delay

    async def _pay(self, claimed: OtpChallenge) -> None:
        try:
            paid = await self._budget(claimed.seller_id)
        except Unavailable as error:
            raise NotSent(str(error)) from None
        if not paid:
            raise NotSent("The budget of the seller, or of all, is used up.", final=True)

    def _opened(self, claimed: OtpChallenge) -> CodeMessage:
        envelope = open_delivery(self._sealer, claimed.id, claimed.seller_id, claimed.delivery.sealed or b"")
        return CodeMessage(
            id=claimed.id,
            seller_id=claimed.seller_id,
            channel=claimed.channel,
            destination=envelope.destination,
            code=envelope.code,
            expires_at=claimed.expires_at,
        )

    async def _write_down(self, claimed: OtpChallenge, write: Callable[[], Awaitable[None]]) -> None:
        """Repeat *write* through an outage of the database, for as long as the claim lasts."""
        wait = _FIRST_PAUSE
        with suppress(TimeoutError):
            async with asyncio.timeout(CLAIM.total_seconds()):
                while True:
                    try:
                        await write()
                    except Unavailable:
                        await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311
                        wait = min(2 * wait, _LONGEST_PAUSE)
                    else:
                        return
        _log.error("otp.not_written_down", challenge=_name(claimed), attempt=claimed.delivery.attempts)


def _note(claimed: OtpChallenge, state: DeliveryState, reason: str | None) -> None:
    _DELIVERIES.labels(claimed.channel.value, _OUTCOMES[state]).inc()
    say = _log.info if state in {DeliveryState.SENT, DeliveryState.NOBODY} else _log.warning
    facts = {} if reason is None else {"reason": reason}
    say(
        "otp.delivery",
        challenge=_name(claimed),
        channel=claimed.channel.value,
        state=state.value,
        attempt=claimed.delivery.attempts,
        **facts,
    )


def _name(claimed: OtpChallenge) -> str:
    """Return what a challenge is called in the log: its id is half of what it takes to sign in."""
    return hashlib.sha256(claimed.id.encode()).hexdigest()[:12]


def _place(error: BaseException) -> str:
    """Return where *error* was raised, as ``module.py:12``."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "nowhere"

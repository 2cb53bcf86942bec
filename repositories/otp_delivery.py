"""The queue of one-time codes on their way, of every seller: the courier is nobody's and reads no destination here.

The rule against doubling rests on this module: a code leaves QUEUED in one atomic step, and comes back only by `put_back` of
the very attempt that took it. SENDING is left by the one who took it or, once that one must be dead, towards UNCERTAIN.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING, ReturnDocument

from core.vocabulary import OtpChannel
from models.otp_challenge import DeliveryState, OtpChallenge
from repositories.errors import translated

CLAIM = timedelta(seconds=60)
"""How long somebody may take over one attempt. Whoever has not said by then what became of it, is dead."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep gave up: codes that ended before they could be sent, and codes whose sender died over them."""

    expired: int
    abandoned: int


class DeliveryQueue:
    """Codes that wait, and what became of them. Every failure to reach the database raises `core.errors.Unavailable`.

    All but QUEUED and SENDING codes lose their sealed text, so that nothing is left to be read. The queue stays with the
    database that was open when it was made.
    """

    def __init__(self) -> None:
        self._codes = OtpChallenge.get_pymongo_collection()

    async def claim(self, now: datetime, channels: Collection[OtpChannel]) -> OtpChallenge | None:
        """Take the code of one of *channels* that is due longest, for one attempt; None when none is due.

        Codes that are over, or used already, are never handed out. `delivery.attempts` of what is returned is the number of
        this attempt, from 1.
        """
        with translated():
            stored = await self._codes.find_one_and_update(
                _due(now, channels), _taken(now), sort=[("delivery.due_at", ASCENDING)], return_document=ReturnDocument.AFTER
            )
        return None if stored is None else OtpChallenge.model_validate(stored)

    async def sent(self, claimed: OtpChallenge) -> None:
        """The provider has accepted it."""
        await self._end(claimed, DeliveryState.SENT)

    async def nobody(self, claimed: OtpChallenge) -> None:
        """There was nobody to send it to."""
        await self._end(claimed, DeliveryState.NOBODY)

    async def uncertain(self, claimed: OtpChallenge) -> None:
        """Nobody knows whether it was sent: it never will be again."""
        await self._end(claimed, DeliveryState.UNCERTAIN)

    async def failed(self, claimed: OtpChallenge) -> None:
        """It was certainly not sent, and no attempt will follow."""
        await self._end(claimed, DeliveryState.FAILED)

    async def put_back(self, claimed: OtpChallenge, due_at: datetime) -> None:
        """It was certainly not sent, and may be claimed again from *due_at* on."""
        change = {"$set": {"delivery.state": DeliveryState.QUEUED.value, "delivery.due_at": due_at}}
        with translated():
            await self._codes.update_one(_held(claimed), change)

    async def sweep(self, now: datetime) -> Swept:
        """Give up what is over before it could be sent, and what somebody took and died over."""
        with translated():
            expired = await self._codes.update_many(_expired(now), _ended(DeliveryState.FAILED))
            abandoned = await self._codes.update_many(_abandoned(now), _ended(DeliveryState.UNCERTAIN))
        return Swept(expired.modified_count, abandoned.modified_count)

    async def _end(self, claimed: OtpChallenge, state: DeliveryState) -> None:
        with translated():
            await self._codes.update_one(_held(claimed), _ended(state))


def _waiting(now: datetime) -> dict[str, Any]:
    return {"delivery.state": DeliveryState.QUEUED.value, "delivery.due_at": {"$lte": now}}


def _due(now: datetime, channels: Collection[OtpChannel]) -> dict[str, Any]:
    return {
        **_waiting(now),
        "channel": {"$in": sorted(channel.value for channel in channels)},
        "expires_at": {"$gt": now},
        "consumed_at": None,
    }


def _expired(now: datetime) -> dict[str, Any]:
    return {**_waiting(now), "$or": [{"expires_at": {"$lte": now}}, {"consumed_at": {"$ne": None}}]}


def _taken(now: datetime) -> dict[str, Any]:
    # While it is being sent, it is due to be given up.
    return {
        "$set": {"delivery.state": DeliveryState.SENDING.value, "delivery.due_at": now + CLAIM},
        "$inc": {"delivery.attempts": 1},
    }


def _held(claimed: OtpChallenge) -> dict[str, Any]:
    # The number of the attempt fences: a repeated `put_back` must not take the next attempt out of somebody's hands.
    return {
        "_id": claimed.id,
        "delivery.state": DeliveryState.SENDING.value,
        "delivery.attempts": claimed.delivery.attempts,
    }


def _abandoned(now: datetime) -> dict[str, Any]:
    return {"delivery.state": DeliveryState.SENDING.value, "delivery.due_at": {"$lte": now}}


def _ended(state: DeliveryState) -> dict[str, Any]:
    return {"$set": {"delivery.state": state.value}, "$unset": {"delivery.sealed": ""}}

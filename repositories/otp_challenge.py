"""Every query about one-time codes, but for their delivery."""

from datetime import datetime

from pymongo import ReturnDocument

from auth.one_time_codes import MAX_ATTEMPTS
from models.otp_challenge import OtpChallenge
from repositories.base import Repository
from repositories.errors import translated


class OtpChallengeRepository(Repository[OtpChallenge]):
    """Challenges of one seller."""

    model = OtpChallenge

    async def insert(self, challenge: OtpChallenge) -> None:
        """Store a new challenge."""
        await self._insert(challenge)

    async def consume(self, challenge_id: str, at: datetime) -> OtpChallenge | None:
        """Use a challenge up: once, and only while it holds. Returns it, or None when it was used or is over."""
        conditions = {"_id": challenge_id, "consumed_at": None, "expires_at": {"$gt": at}}
        return await self._change_one(conditions, {"$set": {"consumed_at": at}})

    async def consume_all(self, account: str, at: datetime) -> None:
        """Use up what else is open for the same destination: who is signed in needs no older code."""
        await self._change_many({"account": account, "consumed_at": None}, {"$set": {"consumed_at": at}})


async def attempt(challenge_id: str, at: datetime) -> OtpChallenge | None:
    """Count one attempt, before anything is compared. None when the challenge allows none: unknown, used, over, or tried out.

    There is no tenant yet: the id itself is the secret that says which seller's challenge it is.
    """
    with translated():
        stored = await OtpChallenge.get_pymongo_collection().find_one_and_update(
            {"_id": challenge_id, "consumed_at": None, "expires_at": {"$gt": at}, "attempts": {"$lt": MAX_ATTEMPTS}},
            {"$inc": {"attempts": 1}},
            return_document=ReturnDocument.AFTER,
        )
    return None if stored is None else OtpChallenge.model_validate(stored)


async def tried_out(challenge_id: str, at: datetime) -> bool:
    """Say whether a challenge would still hold, but for its attempts."""
    with translated():
        found = await OtpChallenge.get_pymongo_collection().find_one(
            {"_id": challenge_id, "consumed_at": None, "expires_at": {"$gt": at}, "attempts": {"$gte": MAX_ATTEMPTS}}
        )
    return found is not None

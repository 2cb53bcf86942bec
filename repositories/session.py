"""Every query about sessions."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pymongo import DESCENDING, ReturnDocument, UpdateOne

from core.device import Device
from core.vocabulary import PrincipalKind, SessionEnd
from models.session import Session, SignInTurn
from repositories.base import LiveRepository, change_update
from repositories.errors import translated


class SessionRepository(LiveRepository[Session]):
    """Sessions of one tenant; a customer's own ones for a customer."""

    model = Session
    customer_field = "subject"

    async def of_subject(self, seller_id: str, kind: PrincipalKind, subject: str, at: datetime) -> list[Session]:
        """Return the sessions of one person that are not over, the one used last in front."""
        conditions = {
            "seller_id": seller_id,
            "subject": subject,
            "kind": kind.value,
            "idle_until": {"$gt": at},
            "expires_at": {"$gt": at},
        }
        return await self._find(conditions, sort=[("last_seen_at", DESCENDING)])

    async def end(self, sessions: Sequence[Session], why: SessionEnd, at: datetime) -> None:
        """End sessions. Their tokens have to be revoked as well."""
        ids = [session.id for session in sessions]
        await self._change_many({"_id": {"$in": ids}}, change_update(at, {"live": False, "deleted_at": at, "ended": why.value}))

    async def take_turn(self, subject: str, until: datetime) -> None:
        """Make sign-ins of one person go one after the other: two transactions cannot both write this."""
        await SignInTurn.get_pymongo_collection().update_one(
            {"_id": subject}, {"$inc": {"sign_ins": 1}, "$max": {"expires_at": until}}, upsert=True, session=self._session
        )


async def rotate(
    session_id: str, digest: bytes, *, successor: bytes, salt: bytes, at: datetime, idle_until: datetime, device: Device
) -> Session | None:
    """Put the next refresh token in the place of the current one, if *digest* is the current one's and the session goes on.

    There is no tenant yet: the token itself says which session it is for.
    """
    conditions = {
        "_id": session_id,
        "live": True,
        "digest": digest,
        "idle_until": {"$gt": at},
        "expires_at": {"$gt": at},
    }
    change = {
        "digest": successor,
        "previous_digest": digest,
        "salt": salt,
        "last_seen_at": at,
        "idle_until": idle_until,
        "ip_address": device.ip_address,
        "user_agent": device.user_agent,
    }
    with translated():
        stored = await Session.get_pymongo_collection().find_one_and_update(
            conditions,
            # The database's own time: a write that was given up as lost may still happen, and its grace begins then.
            [{"$set": {**_literal(change), "rotated_at": "$$NOW", "generation": {"$add": ["$generation", 1]}}}],
            return_document=ReturnDocument.AFTER,
        )
    return None if stored is None else Session.model_validate(stored)


def _literal(values: Mapping[str, object]) -> dict[str, object]:
    """Return *values* for a pipeline, where a text that begins with a dollar sign would mean something else."""
    return {field: {"$literal": value} for field, value in values.items()}


async def with_id(session_id: str) -> Session | None:
    """Return a session that has not been ended, for whoever holds one of its refresh tokens."""
    with translated():
        stored = await Session.get_pymongo_collection().find_one({"_id": session_id, "live": True})
    return None if stored is None else Session.model_validate(stored)


async def mark_seen(seen: Mapping[str, datetime]) -> None:
    """Note when sessions were used last, by their ids."""
    if not seen:
        return
    updates = [UpdateOne({"_id": id_, "live": True}, {"$max": {"last_seen_at": at}}) for id_, at in seen.items()]
    with translated():
        await Session.get_pymongo_collection().bulk_write(updates, ordered=False)

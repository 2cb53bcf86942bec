"""What else has to happen when sessions end: their access tokens stop holding, in the same transaction."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from core.vocabulary import PrincipalKind, SessionEnd
from models.session import Session
from repositories.unit_of_work import Repositories

LONGEST_TOKEN = timedelta(days=90)
"""What `customer-service token` makes at most; a revocation that has to outlive every token is kept as long."""


async def end_sessions(work: Repositories, sessions: Sequence[Session], why: SessionEnd, at: datetime) -> None:
    """End sessions and take their tokens back."""
    await work.sessions.end(sessions, why, at)
    await work.revocations.revoke([session.id for session in sessions], at, at + LONGEST_TOKEN)


async def end_sessions_of_customer(work: Repositories, seller_id: str, customer_id: str, at: datetime) -> None:
    """End everything a customer is signed in with, because it is gone or may no longer sign in."""
    # A sign-in of another process may be under way, and it only reads the customer: here the two meet, and one goes first.
    await work.sessions.take_turn(customer_id, at + LONGEST_TOKEN)
    sessions = await work.sessions.of_subject(seller_id, PrincipalKind.CUSTOMER, customer_id, at)
    await work.sessions.end(sessions, SessionEnd.CUSTOMER_GONE, at)
    # The customer itself as well: a token that was made by hand belongs to no session.
    await work.revocations.revoke([*(session.id for session in sessions), customer_id], at, at + LONGEST_TOKEN)

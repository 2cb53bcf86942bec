"""Sessions: refreshed, listed, ended, and never more of them than allowed."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from app.container import Container
from app.keys import token_verifier
from auth.principal import CUSTOMER_SCOPES, Principal
from core.clock import SystemClock
from core.errors import ErrorCode, Refused, Unauthenticated
from core.ids import IdKind, new_id
from core.vocabulary import PrincipalKind, SessionEnd
from models.session import Session
from services.revocations import Revocations
from services.session import SessionRules, SessionTokens
from tests.outbox import Outbox
from tests.services.sign_in import SignIn


@pytest.fixture(name="at")
def _at(container: Container, outbox: Outbox) -> SignIn:
    return SignIn(container, outbox)


async def begun(at: SignIn, seller: str, subject: str | None = None) -> SessionTokens:
    """Begin a session of a customer."""
    return await at.sessions.start(
        kind=PrincipalKind.CUSTOMER,
        subject=subject or new_id(IdKind.CUSTOMER),
        seller_id=seller,
        scopes=CUSTOMER_SCOPES,
        device=at.home,
        methods=("otp",),
    )


async def stored(session_id: str) -> dict[str, Any]:
    """Return a session as it is stored."""
    found: dict[str, Any] | None = await Session.get_pymongo_collection().find_one({"_id": session_id})
    assert found is not None
    return found


async def refused(at: SignIn, refresh_token: str) -> list[tuple[ErrorCode, tuple[str, ...], str]]:
    """Return why a refresh is refused."""
    with pytest.raises(Refused) as refusal:
        await at.sessions.refresh(refresh_token, at.home)
    return [(one.code, one.field, one.message) for one in refusal.value.problems]


async def test_the_access_token_speaks_for_the_session(at: SignIn, seller: str) -> None:
    tokens = await begun(at, seller)

    said = token_verifier(at.container.settings, SystemClock()).verify(tokens.access_token)

    assert tokens.principal == said.principal
    assert tokens.session_id == said.principal.session_id
    assert (600, 600) == (tokens.expires_in, said.lifetime.total_seconds())


async def test_a_refresh_gives_new_tokens_for_the_same_session(at: SignIn, seller: str) -> None:
    first = await begun(at, seller)

    second = await at.sessions.refresh(first.refresh_token, at.elsewhere)
    third = await at.sessions.refresh(second.refresh_token, at.elsewhere)

    assert first.session_id == second.session_id == third.session_id
    assert 3 == len({first.refresh_token, second.refresh_token, third.refresh_token})
    assert first.principal == third.principal
    found = await stored(first.session_id)
    assert (at.elsewhere.ip_address, 2) == (found["ip_address"], found["generation"])


async def test_fifty_refreshes_at_once_get_one_successor(at: SignIn, seller: str) -> None:
    first = await begun(at, seller)

    answers = await asyncio.gather(*(at.sessions.refresh(first.refresh_token, at.home) for _ in range(50)))

    (successor,) = {answer.refresh_token for answer in answers}
    assert 1 == (await stored(first.session_id))["generation"]
    assert first.session_id == (await at.sessions.refresh(successor, at.home)).session_id


async def test_within_ten_seconds_the_same_token_gives_the_same_successor(at: SignIn, seller: str) -> None:
    first = await begun(at, seller)
    second = await at.sessions.refresh(first.refresh_token, at.home)
    at.clock.advance(seconds=9)

    again = await at.sessions.refresh(first.refresh_token, at.home)

    assert second.refresh_token == again.refresh_token


async def test_a_replay_after_the_grace_ends_the_session(at: SignIn, seller: str) -> None:
    first = await begun(at, seller)
    second = await at.sessions.refresh(first.refresh_token, at.home)
    at.clock.advance(seconds=11)

    (why,) = await refused(at, first.refresh_token)

    assert (ErrorCode.INVALID, ("refreshToken",)) == why[:2]
    assert [why] == await refused(at, second.refresh_token)
    assert SessionEnd.TOKEN_REUSED == (await stored(first.session_id))["ended"]


async def test_the_grace_begins_when_the_database_has_written(at: SignIn, seller: str) -> None:
    """
    A database that paused for longer than its caller waited writes all the same, and the caller tries again.
    """
    first = await begun(at, seller)
    at.clock.advance(seconds=-20)
    second = await at.sessions.refresh(first.refresh_token, at.home)
    at.clock.advance(seconds=21)

    assert second.refresh_token == (await at.sessions.refresh(first.refresh_token, at.home)).refresh_token


async def test_only_the_previous_token_has_a_grace(at: SignIn, seller: str) -> None:
    first = await begun(at, seller)
    second = await at.sessions.refresh(first.refresh_token, at.home)
    third = await at.sessions.refresh(second.refresh_token, at.home)

    await refused(at, first.refresh_token)

    await refused(at, third.refresh_token)


async def test_the_grace_ends_with_the_session(at: SignIn, seller: str) -> None:
    first = await begun(at, seller)
    await at.sessions.refresh(first.refresh_token, at.home)
    await at.sessions.logout(first.principal, everywhere=False)

    await refused(at, first.refresh_token)

    assert SessionEnd.LOGOUT == (await stored(first.session_id))["ended"]


async def test_the_access_tokens_of_a_replayed_session_are_void(at: SignIn, seller: str) -> None:
    first = await begun(at, seller)
    await at.sessions.refresh(first.refresh_token, at.home)
    at.clock.advance(seconds=11)
    await refused(at, first.refresh_token)

    credential = token_verifier(at.container.settings, SystemClock()).verify(first.access_token)
    with pytest.raises(Unauthenticated):
        await at.container.revocations.require(credential)


@pytest.mark.parametrize("damage", ["", "rt_", "rt_" + "A" * 104, "no token", "\x00", "x" * 10_000])
async def test_what_is_no_refresh_token_ends_nothing(at: SignIn, seller: str, damage: str) -> None:
    first = await begun(at, seller)

    await refused(at, damage)
    forged = first.refresh_token[:-1] + ("A" if first.refresh_token[-1] != "A" else "B")
    await refused(at, forged)

    assert (await stored(first.session_id))["live"]


async def test_a_session_that_is_not_used_for_14_days_is_over(at: SignIn, seller: str) -> None:
    first = await begun(at, seller)
    at.clock.advance(days=13, hours=23)
    second = await at.sessions.refresh(first.refresh_token, at.home)
    at.clock.advance(days=14, seconds=1)

    await refused(at, second.refresh_token)


async def test_a_session_is_over_after_30_days_however_often_it_is_used(at: SignIn, seller: str) -> None:
    tokens = await begun(at, seller)
    for _ in range(2):
        at.clock.advance(days=13)
        tokens = await at.sessions.refresh(tokens.refresh_token, at.home)
    at.clock.advance(days=4, seconds=1)

    await refused(at, tokens.refresh_token)


async def test_a_session_that_is_over_has_no_grace_and_nobody_is_called_a_thief(at: SignIn, seller: str) -> None:
    tokens = await begun(at, seller)
    for _ in range(2):
        at.clock.advance(days=13)
        tokens = await at.sessions.refresh(tokens.refresh_token, at.home)
    at.clock.advance(days=3, hours=23, minutes=59, seconds=55)
    newest = await at.sessions.refresh(tokens.refresh_token, at.home)
    at.clock.advance(seconds=6)

    for token in (tokens, newest):
        await refused(at, token.refresh_token)

    assert "ended" not in await stored(newest.session_id)


async def test_the_database_holds_no_token(at: SignIn, seller: str) -> None:
    first = await begun(at, seller)
    second = await at.sessions.refresh(first.refresh_token, at.home)

    shown = repr(await stored(first.session_id))

    for token in (first.refresh_token, second.refresh_token, first.access_token):
        assert token not in shown
        assert token[3:] not in shown


# ------------------------------------------------------------------------- listing


async def test_own_sessions_are_listed_the_last_used_in_front(at: SignIn, seller: str) -> None:
    first = await begun(at, seller)
    at.clock.advance(minutes=1)
    second = await begun(at, seller, first.principal.subject)
    at.clock.advance(minutes=1)
    await at.sessions.refresh(first.refresh_token, at.home)
    await begun(at, seller)

    listed = await at.sessions.list(second.principal)

    assert [first.session_id, second.session_id] == [session.id for session in listed]
    assert "a phone" == listed[0].user_agent


async def test_sessions_that_are_over_are_not_listed(at: SignIn, seller: str) -> None:
    idle = await begun(at, seller)
    used = await begun(at, seller, idle.principal.subject)
    tokens = used
    listed = []
    for days in (13, 13, 4):
        at.clock.advance(days=days, seconds=1)
        listed.append([session.id for session in await at.sessions.list(used.principal)])
        if days == 13:
            tokens = await at.sessions.refresh(tokens.refresh_token, at.home)

    assert [{used.session_id, idle.session_id}, {used.session_id}, set()] == [set(ids) for ids in listed]


async def test_the_eleventh_session_ends_the_one_used_least_recently(at: SignIn, seller: str) -> None:
    first = await begun(at, seller)
    others = []
    for _ in range(9):
        at.clock.advance(minutes=1)
        others.append(await begun(at, seller, first.principal.subject))
    at.clock.advance(minutes=1)
    await at.sessions.refresh(first.refresh_token, at.home)
    at.clock.advance(minutes=1)

    await begun(at, seller, first.principal.subject)

    live = {session.id for session in await at.sessions.list(first.principal)}
    assert 10 == len(live)
    assert first.session_id in live
    assert others[0].session_id not in live
    assert SessionEnd.REPLACED == (await stored(others[0].session_id))["ended"]
    await refused(at, others[0].refresh_token)


async def test_sign_ins_at_once_do_not_get_past_the_limit(container: Container, outbox: Outbox, seller: str) -> None:
    at = SignIn(container, outbox, rules=SessionRules(most=3))
    subject = new_id(IdKind.CUSTOMER)

    made = await asyncio.gather(*(begun(at, seller, subject) for _ in range(12)))

    assert 3 == len(await at.sessions.list(made[0].principal))


# -------------------------------------------------------------------------- ending


async def test_logging_out_ends_this_session_or_all(at: SignIn, seller: str) -> None:
    first = await begun(at, seller)
    second = await begun(at, seller, first.principal.subject)
    third = await begun(at, seller, first.principal.subject)

    assert [first.session_id] == await at.sessions.logout(first.principal, everywhere=False)
    await refused(at, first.refresh_token)
    assert {second.session_id, third.session_id} == set(await at.sessions.logout(third.principal, everywhere=True))
    assert [] == await at.sessions.list(third.principal)


async def test_somebody_elses_session_cannot_be_ended_nor_seen(at: SignIn, seller: str) -> None:
    mine, theirs = await begun(at, seller), await begun(at, seller)
    operator = Principal(
        kind=PrincipalKind.OPERATOR, subject=theirs.principal.subject, scopes=CUSTOMER_SCOPES, seller_id=seller
    )

    for session_id in (theirs.session_id, new_id(IdKind.SESSION), "nonsense"):
        for viewer in (mine.principal, operator):
            assert await at.sessions.get(viewer, session_id) is None
            with pytest.raises(Refused) as refusal:
                await at.sessions.revoke(viewer, session_id)
            assert [ErrorCode.NOT_FOUND] == [one.code for one in refusal.value.problems]
    assert theirs.session_id == (await at.sessions.refresh(theirs.refresh_token, at.home)).session_id


@pytest.mark.parametrize("how", ["logout", "revoke", "replay", "replaced"])
async def test_other_processes_hear_of_the_end_of_a_session(
    container: Container, outbox: Outbox, seller: str, how: str
) -> None:
    at = SignIn(container, outbox, rules=SessionRules(most=1))
    first = await begun(at, seller)
    credential = token_verifier(container.settings, SystemClock()).verify(first.access_token)
    elsewhere = Revocations(SystemClock(), token_lifetime=timedelta(minutes=10))
    await elsewhere.look()
    await elsewhere.require(credential)

    match how:
        case "logout":
            await at.sessions.logout(first.principal, everywhere=False)
        case "revoke":
            await at.sessions.revoke(first.principal, first.session_id)
        case "replay":
            await at.sessions.refresh(first.refresh_token, at.home)
            at.clock.advance(seconds=11)
            await refused(at, first.refresh_token)
        case _:
            await begun(at, seller, first.principal.subject)

    await elsewhere.look()
    with pytest.raises(Unauthenticated):
        await elsewhere.require(credential)


async def test_a_token_made_by_hand_is_void_after_a_logout(at: SignIn, seller: str) -> None:
    by_hand = Principal(
        kind=PrincipalKind.OPERATOR,
        subject="ada",
        scopes=CUSTOMER_SCOPES,
        seller_id=seller,
        session_id=new_id(IdKind.SESSION),
    )

    assert [by_hand.session_id] == await at.sessions.logout(by_hand, everywhere=False)

    # At once in this process, without waiting for its next look.
    assert by_hand.session_id in at.container.revocations._revoked
    found = await at.container.mongo.database["revocations"].find_one({"_id": by_hand.session_id})
    assert found is not None


async def test_a_token_of_another_issuer_has_no_session_to_end(at: SignIn, seller: str) -> None:
    foreign = Principal(kind=PrincipalKind.OPERATOR, subject="ada", scopes=CUSTOMER_SCOPES, seller_id=seller)

    with pytest.raises(Refused) as refusal:
        await at.sessions.logout(foreign, everywhere=False)

    assert [ErrorCode.STATE] == [one.code for one in refusal.value.problems]

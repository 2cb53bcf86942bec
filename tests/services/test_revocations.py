"""What was taken back is known to every process, soon, and without a query for each call."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from app.container import Container
from auth.principal import CUSTOMER_SCOPES, Principal
from auth.tokens import Credential
from core.clock import SystemClock
from core.errors import Unauthenticated, Unavailable
from core.ids import IdKind, new_id
from core.vocabulary import PrincipalKind
from repositories.revocation import revoke
from services.revocations import Revocations
from tests.api import Commands
from tests.clocks import MovableClock

SOON = timedelta(hours=1)


def credential(
    kind: PrincipalKind = PrincipalKind.CUSTOMER,
    *,
    session_id: str | None = None,
    made: datetime | None = None,
    lifetime: timedelta = timedelta(minutes=10),
) -> Credential:
    """Return what a token of somebody new says."""
    made = made or datetime.now(UTC).replace(microsecond=0)
    principal = Principal(
        kind=kind,
        subject=new_id(IdKind.CUSTOMER),
        scopes=CUSTOMER_SCOPES,
        seller_id="acme",
        session_id=session_id or new_id(IdKind.SESSION),
    )
    return Credential(principal, made, made + lifetime)


@pytest.fixture(name="revocations")
def _revocations(container: Container) -> Revocations:
    """A process of its own, which looks when told to."""
    return Revocations(SystemClock(), token_lifetime=timedelta(minutes=10))


async def void(revocations: Revocations, one: Credential) -> bool:
    """Say whether a credential is refused."""
    try:
        await revocations.require(one)
    except Unauthenticated:
        return True
    return False


async def take_back(id_: str | None, *, at: datetime | None = None) -> None:
    """Take something back, as another process does."""
    at = at or SystemClock().now()
    await revoke([str(id_)], at, at + SOON)


async def test_a_session_is_void_once_looked_at(revocations: Revocations) -> None:
    mine, other = credential(), credential()
    await revocations.look()

    await take_back(mine.principal.session_id)

    assert not await void(revocations, mine)
    await revocations.look()
    assert await void(revocations, mine)
    assert not await void(revocations, other)


async def test_a_new_process_knows_what_was_taken_back_before_it_began(revocations: Revocations) -> None:
    mine = credential()
    await take_back(mine.principal.session_id, at=SystemClock().now() - timedelta(minutes=9))

    await revocations.look()

    assert await void(revocations, mine)


async def test_a_customer_is_void_for_tokens_made_before_only(revocations: Revocations) -> None:
    made = SystemClock().now()
    old = credential(made=made - timedelta(minutes=1))
    new = Credential(old.principal, made + timedelta(seconds=2), made + SOON)

    await take_back(old.principal.subject, at=made)
    await revocations.look()

    assert await void(revocations, old)
    assert not await void(revocations, Credential(new.principal, new.issued_at, new.issued_at + timedelta(minutes=10)))


async def test_a_token_of_the_very_moment_was_made_before(revocations: Revocations) -> None:
    mine = credential()

    await take_back(mine.principal.subject, at=mine.issued_at)
    await revocations.look()

    assert await void(revocations, mine)


async def test_a_name_that_is_also_somebody_elses_is_no_customer(revocations: Revocations) -> None:
    """
    Operators are called what their issuer likes; only a customer is void with its id.
    """
    operator = credential(PrincipalKind.OPERATOR)

    await take_back(operator.principal.subject)
    await revocations.look()

    assert not await void(revocations, operator)


async def test_a_late_commit_is_not_missed(revocations: Revocations) -> None:
    """
    A transaction commits later than the moment it writes, and clocks differ.
    """
    mine = credential()
    await revocations.look()

    await take_back(mine.principal.session_id, at=SystemClock().now() - timedelta(seconds=10))
    await revocations.look()

    assert await void(revocations, mine)


async def test_checking_an_ordinary_token_asks_the_database_nothing(revocations: Revocations, commands: Commands) -> None:
    mine = credential()
    await revocations.look()
    commands.forget()

    for _ in range(100):
        await revocations.require(mine)

    # The application's own process looks once a second meanwhile; a hundred checks would be a hundred.
    assert len(commands.collections("find")) < 5


async def test_a_long_lived_token_is_looked_up_again_and_again(container: Container) -> None:
    """
    What was taken back weeks ago is not kept in memory, whatever a process looks for meanwhile.
    """
    clock = MovableClock()
    revocations = Revocations(clock, token_lifetime=timedelta(minutes=10))
    mine = credential(lifetime=timedelta(days=30))
    await take_back(mine.principal.session_id)
    clock.advance(days=20)

    for _ in range(20):
        await revocations.look()
        assert await void(revocations, mine)
        clock.advance(milliseconds=300)


async def test_calls_of_one_moment_are_one_look_up(revocations: Revocations, commands: Commands) -> None:
    mine = credential(lifetime=timedelta(days=30))
    await take_back(mine.principal.session_id)
    commands.forget()

    found = await asyncio.gather(*(void(revocations, mine) for _ in range(32)))

    assert [True] * 32 == found
    assert 1 == commands.collections("find").count("revocations")


async def test_a_look_up_goes_on_when_the_first_who_waits_gives_up(revocations: Revocations) -> None:
    mine = credential(lifetime=timedelta(days=30))
    await take_back(mine.principal.session_id)
    first, second = (asyncio.create_task(revocations.require(mine)) for _ in range(2))
    await asyncio.sleep(0)

    first.cancel()

    with pytest.raises(Unauthenticated):
        await second
    assert {} == revocations._asking


async def test_a_client_is_void_with_its_id_and_new_tokens_of_it_are_not(revocations: Revocations) -> None:
    made = SystemClock().now()
    client = Principal(
        kind=PrincipalKind.SERVICE, subject="cli_0123", scopes=CUSTOMER_SCOPES, session_id=new_id(IdKind.SESSION)
    )
    await take_back("cli_0123", at=made)
    await revocations.look()

    lifetime = timedelta(minutes=10)
    assert await void(revocations, Credential(client, made - lifetime / 2, made + lifetime / 2))
    later = made + timedelta(seconds=2)
    assert not await void(revocations, Credential(client, later, later + lifetime))


async def test_what_no_longer_matters_is_forgotten(container: Container) -> None:
    clock, mine = MovableClock(), new_id(IdKind.SESSION)
    revocations = Revocations(clock, token_lifetime=timedelta(minutes=10))
    await take_back(mine)
    await revocations.look()
    assert mine in revocations._revoked

    clock.advance(minutes=20)
    await revocations.look()

    assert mine not in revocations._revoked


async def test_what_was_looked_up_is_forgotten_soon(container: Container) -> None:
    clock = MovableClock()
    revocations = Revocations(clock, token_lifetime=timedelta(minutes=10))
    await revocations.require(credential(lifetime=timedelta(days=30)))
    assert revocations._asked

    clock.advance(seconds=1)
    await revocations.look()

    assert {} == revocations._asked


async def test_watchers_hear_of_what_a_look_up_has_found(revocations: Revocations) -> None:
    mine = credential(lifetime=timedelta(days=30))
    with revocations.watching(mine.principal) as gone:
        await take_back(mine.principal.session_id)

        assert await void(revocations, mine)
        assert gone.is_set()


async def test_following_goes_on_after_whatever_happens(
    revocations: Revocations, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failures = [Unavailable("MongoDB is away."), RuntimeError("a bug")]
    looked = asyncio.Event()

    async def look() -> None:
        if failures:
            raise failures.pop(0)
        looked.set()

    monkeypatch.setattr(revocations, "look", look)
    monkeypatch.setattr("services.revocations.LOOK_SECONDS", 0.001)
    following = asyncio.create_task(revocations.follow())

    async with asyncio.timeout(10):
        await looked.wait()

    assert not following.done()
    following.cancel()


async def test_watchers_hear_of_their_own_only(revocations: Revocations) -> None:
    mine, other = credential(), credential()
    with revocations.watching(mine.principal) as gone, revocations.watching(other.principal) as not_gone:
        await take_back(mine.principal.subject)
        await revocations.look()

        assert gone.is_set()
        assert not not_gone.is_set()
    assert {} == revocations._watchers

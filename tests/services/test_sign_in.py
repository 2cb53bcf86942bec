"""Sign-in with one-time codes: what holds, how often, and for whom."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from app.container import Container
from auth.limits import Limit
from auth.principal import OPERATOR_SCOPES, Principal
from auth.tokens import Credential
from core.device import Device
from core.drafts import CustomerDraft
from core.errors import ErrorCode, RateLimited, Refused, TooMany, Unauthenticated
from core.tenancy import Tenant
from core.vocabulary import CustomerStatus, OtpChannel, PrincipalKind
from models.customer import Customer
from models.otp_challenge import OtpChallenge
from repositories.unit_of_work import Repositories
from services.one_time_code import CodeRequested
from services.throttling import SendAllowances, SendBudgets
from tests.api import fresh, some_email
from tests.clocks import MovableClock
from tests.outbox import Outbox
from tests.services.sign_in import SignIn, another, some_network


@pytest.fixture(name="at")
def _at(container: Container, outbox: Outbox) -> SignIn:
    return SignIn(container, outbox)


async def someone(at: SignIn, seller: str, **fields: Any) -> Customer:
    """Return a new customer with an e-mail address."""
    operator = Principal(kind=PrincipalKind.OPERATOR, subject="ada", scopes=OPERATOR_SCOPES, seller_id=seller)
    draft = CustomerDraft(**{"email": some_email(), **fields})
    return (await at.container.services.customers.create(operator, draft, seller_id=None)).customer


async def stored(challenge_id: str) -> dict[str, Any]:
    """Return a challenge as it is stored."""
    found: dict[str, Any] | None = await OtpChallenge.get_pymongo_collection().find_one({"_id": challenge_id})
    assert found is not None
    return found


async def is_sent(asked: CodeRequested) -> bool:
    """Say whether a code goes to a customer; else the courier does everything but send it."""
    return "customer_id" in await stored(asked.challenge_id)


async def refused(at: SignIn, asked: CodeRequested, code: str) -> ErrorCode:
    """Return why a sign-in is refused."""
    with pytest.raises(Refused) as refusal:
        await at.sign_in.log_in(asked.challenge_id, code, at.home)
    return refusal.value.problems[0].code


def counting(compared: list[bytes]) -> Callable[[bytes, bytes], bool]:
    """Return a comparison that notes what it compares."""

    def compare(given: bytes, expected: bytes) -> bool:
        compared.append(given)
        return given == expected

    return compare


async def test_a_customer_signs_in_once_with_its_code(at: SignIn, seller: str) -> None:
    customer = await someone(at, seller)
    asked = await at.request(seller, f"  {customer.email.upper()} ")  # type: ignore[union-attr]
    code = await at.code_of(asked.challenge_id)

    entered = await at.sign_in.log_in(asked.challenge_id, f"{code[:3]} {code[3:]}", at.home)

    assert customer.id == entered.customer.id == entered.tokens.principal.customer_id
    assert (300, 30) == (asked.expires_in, asked.resend_after)
    assert entered.customer.email_verified
    assert customer.version + 1 == entered.customer.version
    assert ErrorCode.CODE_EXPIRED == await refused(at, asked, code)


async def test_a_phone_is_verified_by_its_text_message_and_the_history_says_so(at: SignIn, seller: str) -> None:
    customer = await someone(at, seller, phone="+442079460958")
    asked = await at.request(seller, "0044 20 7946 0958", channel=OtpChannel.SMS)

    entered = await at.sign_in.log_in(asked.challenge_id, await at.code_of(asked.challenge_id), at.home)

    assert (True, False) == (entered.customer.phone_verified, entered.customer.email_verified)
    events = at.container.mongo.database["customer_events"]
    event = await events.find_one({"customer_id": customer.id, "version": entered.customer.version})
    assert event is not None
    assert (["phoneVerified"], f"customer:{customer.id}") == (event["changed"], event["actor"])


async def test_a_second_sign_in_changes_nothing_of_the_customer(at: SignIn, seller: str) -> None:
    customer = await someone(at, seller)
    first = await at.enter(seller, str(customer.email))
    at.clock.advance(seconds=31)

    second = await at.enter(seller, str(customer.email))

    assert first.customer.version == second.customer.version


async def test_nobody_can_tell_a_customer_from_a_stranger(at: SignIn, seller: str) -> None:
    customer = await someone(at, seller)
    suspended = await someone(at, seller, status=CustomerStatus.SUSPENDED)
    destinations = {"customer": str(customer.email), "suspended": str(suspended.email), "stranger": some_email()}

    asked = {who: await at.request(seller, where) for who, where in destinations.items()}

    answers = {(one.expires_in, one.resend_after, len(one.challenge_id)) for one in asked.values()}
    assert 1 == len(answers)
    outcomes = {}
    for who, one in asked.items():
        wrong = another(await at.code_of(one.challenge_id)) if who == "customer" else "000000"
        with pytest.raises(Refused) as refusal:
            await at.sign_in.log_in(one.challenge_id, wrong, at.home)
        outcomes[who] = [(problem.code, problem.message) for problem in refusal.value.problems]
    assert outcomes["customer"] == outcomes["suspended"] == outcomes["stranger"]
    assert {"customer": True, "suspended": False, "stranger": False} == {
        who: "customer_id" in await stored(one.challenge_id) for who, one in asked.items()
    }
    assert len(destinations) == at.courier.nudges


async def test_the_right_code_of_nobody_is_as_wrong_as_any(at: SignIn, seller: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    It was sent to nobody; another answer would tell whoever guesses it who is a customer.
    """
    monkeypatch.setattr("services.one_time_code.new_code", lambda: "123456")
    suspended = await someone(at, seller, status=CustomerStatus.SUSPENDED)

    for where in (str(suspended.email), some_email()):
        assert ErrorCode.INVALID_CODE == await refused(at, await at.request(seller, where), "123456")


async def test_strangers_meet_the_same_limits_as_customers(at: SignIn, seller: str) -> None:
    customer = await someone(at, seller)
    stranger = some_email()

    waits = []
    for where in (str(customer.email), stranger):
        await at.request(seller, where)
        with pytest.raises(TooMany) as refusal:
            await at.request(seller, where)
        waits.append((refusal.value.problems, refusal.value.retry_after in {29, 30}))

    assert waits[0][1] is waits[1][1] is True


async def test_hundred_guesses_at_once_are_five_and_the_right_one_wins_at_most_once(
    at: SignIn, seller: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = await someone(at, seller)
    asked = await at.request(seller, str(customer.email))
    code = await at.code_of(asked.challenge_id)
    compared: list[bytes] = []
    monkeypatch.setattr("services.sign_in.hmac.compare_digest", counting(compared))

    outcomes = await asyncio.gather(
        *(at.sign_in.log_in(asked.challenge_id, code, at.home) for _ in range(100)), return_exceptions=True
    )

    entered = [one for one in outcomes if not isinstance(one, BaseException)]
    assert 1 == len(entered)
    assert len(compared) <= 5
    assert {Refused} == {type(one) for one in outcomes if isinstance(one, BaseException)}
    live = await at.container.mongo.database["sessions"].count_documents({"subject": customer.id, "live": True})
    assert 1 == live


async def test_hundred_wrong_guesses_at_once_compare_exactly_five(
    at: SignIn, seller: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = await someone(at, seller)
    asked = await at.request(seller, str(customer.email))
    wrong = another(await at.code_of(asked.challenge_id))
    compared: list[bytes] = []
    monkeypatch.setattr("services.sign_in.hmac.compare_digest", counting(compared))

    outcomes = await asyncio.gather(
        *(at.sign_in.log_in(asked.challenge_id, wrong, at.home) for _ in range(100)), return_exceptions=True
    )

    codes = [one.problems[0].code for one in outcomes if isinstance(one, Refused)]
    assert 5 == len(compared) == codes.count(ErrorCode.INVALID_CODE)
    assert 95 == codes.count(ErrorCode.TOO_MANY_ATTEMPTS)
    assert 5 == (await stored(asked.challenge_id))["attempts"]


async def test_a_code_is_over_after_five_minutes(at: SignIn, seller: str) -> None:
    customer = await someone(at, seller)
    asked = await at.request(seller, str(customer.email))
    code = await at.code_of(asked.challenge_id)

    at.clock.advance(seconds=301)

    assert ErrorCode.CODE_EXPIRED == await refused(at, asked, code)


@pytest.mark.parametrize("end", ["over", "used"])
async def test_a_guess_at_what_no_longer_holds_is_neither_counted_nor_judged(at: SignIn, seller: str, end: str) -> None:
    customer = await someone(at, seller)
    asked = await at.request(seller, str(customer.email))
    code = await at.code_of(asked.challenge_id)
    if end == "used":
        await at.sign_in.log_in(asked.challenge_id, code, at.home)
    else:
        at.clock.advance(seconds=301)
    before = (await stored(asked.challenge_id))["attempts"]

    assert ErrorCode.CODE_EXPIRED == await refused(at, asked, another(code))
    assert before == (await stored(asked.challenge_id))["attempts"]


async def test_a_code_is_used_up_once_and_in_time_only(at: SignIn, seller: str) -> None:
    """
    Whoever was let through just before the end has to be stopped when the session is to begin.
    """
    asked = await at.request(seller, some_email())
    challenges = Repositories(Tenant(seller)).otp_challenges
    now = at.clock.now()

    used = [
        await challenges.consume(asked.challenge_id, now + timedelta(seconds=later)) is not None for later in (301, 299, 299)
    ]

    assert [False, True, False] == used


async def test_a_code_moved_to_another_challenge_or_account_is_worth_nothing(at: SignIn, seller: str) -> None:
    """
    Whoever could write to the database and copied a code elsewhere would gain nothing.
    """
    customer = await someone(at, seller)
    asked = await at.request(seller, str(customer.email))
    code = await at.code_of(asked.challenge_id)
    collection = OtpChallenge.get_pymongo_collection()
    copy = CodeRequested(challenge_id=f"{asked.challenge_id}-copy", expires_in=300)
    await collection.insert_one({**await stored(asked.challenge_id), "_id": copy.challenge_id})
    assert ErrorCode.INVALID_CODE == await refused(at, copy, code)

    await collection.update_one({"_id": asked.challenge_id}, {"$set": {"account": "0" * 64}})
    assert ErrorCode.INVALID_CODE == await refused(at, asked, code)


async def test_signing_in_uses_up_the_other_codes(at: SignIn, seller: str) -> None:
    customer = await someone(at, seller)
    first = await at.request(seller, str(customer.email))
    code = await at.code_of(first.challenge_id)
    at.clock.advance(seconds=31)

    await at.enter(seller, str(customer.email))

    assert ErrorCode.CODE_EXPIRED == await refused(at, first, code)


async def test_an_address_that_moved_on_takes_its_code_along(at: SignIn, seller: str) -> None:
    customer = await someone(at, seller)
    asked = await at.request(seller, str(customer.email))
    code = await at.code_of(asked.challenge_id)
    operator = Principal(kind=PrincipalKind.OPERATOR, subject="ada", scopes=OPERATOR_SCOPES, seller_id=seller)
    await at.container.services.customers.update(operator, customer.id, {"email": some_email()})

    assert ErrorCode.CODE_EXPIRED == await refused(at, asked, code)


async def test_a_customer_suspended_meanwhile_does_not_get_in(at: SignIn, seller: str) -> None:
    customer = await someone(at, seller)
    asked = await at.request(seller, str(customer.email))
    code = await at.code_of(asked.challenge_id)
    operator = Principal(kind=PrincipalKind.OPERATOR, subject="ada", scopes=OPERATOR_SCOPES, seller_id=seller)
    await at.container.services.customers.update(operator, customer.id, {"status": CustomerStatus.SUSPENDED})

    assert ErrorCode.CODE_EXPIRED == await refused(at, asked, code)


@pytest.mark.parametrize("end", ["suspend", "delete"])
async def test_a_session_ends_with_its_customer_whenever_its_token_was_made(at: SignIn, seller: str, end: str) -> None:
    """
    A refresh may be faster than the end is committed: its token is younger, and void all the same.
    """
    customer = await someone(at, seller)
    tokens = (await at.enter(seller, str(customer.email))).tokens
    operator = Principal(kind=PrincipalKind.OPERATOR, subject="ada", scopes=OPERATOR_SCOPES, seller_id=seller)
    if end == "suspend":
        await at.container.services.customers.update(operator, customer.id, {"status": CustomerStatus.SUSPENDED})
    else:
        await at.container.services.customers.delete(operator, customer.id)

    await at.container.revocations.look()

    moment = at.clock.now() + timedelta(seconds=5)
    with pytest.raises(Unauthenticated):
        await at.container.revocations.require(Credential(tokens.principal, moment, moment + timedelta(minutes=10)))
    with pytest.raises(Refused):
        await at.sessions.refresh(tokens.refresh_token, at.home)


async def test_a_customer_deleted_meanwhile_does_not_get_in(at: SignIn, seller: str) -> None:
    customer = await someone(at, seller)
    asked = await at.request(seller, str(customer.email))
    code = await at.code_of(asked.challenge_id)
    operator = Principal(kind=PrincipalKind.OPERATOR, subject="ada", scopes=OPERATOR_SCOPES, seller_id=seller)
    await at.container.services.customers.delete(operator, customer.id)

    assert ErrorCode.CODE_EXPIRED == await refused(at, asked, code)


@pytest.mark.parametrize(
    "code", ["", "12345", "1234567", "12345a", "\uff11\uff12\uff13\uff14\uff15\uff16", "-12345", "12345\u0660"]
)
async def test_what_is_no_code_costs_no_attempt(at: SignIn, seller: str, code: str) -> None:
    customer = await someone(at, seller)
    asked = await at.request(seller, str(customer.email))

    assert ErrorCode.INVALID_CODE == await refused(at, asked, code)
    assert 0 == (await stored(asked.challenge_id))["attempts"]


async def test_the_database_shows_neither_code_nor_destination(at: SignIn, seller: str) -> None:
    customer = await someone(at, seller)
    asked = await at.request(seller, str(customer.email))
    code = await at.code_of(asked.challenge_id)

    for collection in ("otp_challenges", "throttles", "budgets", "known_networks"):
        for document in await at.container.mongo.database[collection].find({}).to_list():
            if collection == "otp_challenges" and document["_id"] != asked.challenge_id:
                continue
            shown = repr({name: value for name, value in document.items() if name not in {"created_at", "expires_at"}})
            assert str(customer.email) not in shown
            assert str(at.home.ip_address) not in shown
            if collection == "otp_challenges":
                assert f"'{code}'" not in shown


async def test_the_database_shows_no_network_that_is_counted_or_known(at: SignIn, seller: str) -> None:
    customer = await someone(at, seller)
    await at.enter(seller, str(customer.email))

    for collection in ("otp_challenges", "throttles", "budgets", "known_networks"):
        for document in await at.container.mongo.database[collection].find({}).to_list():
            assert at.home.network not in repr(document)


# ------------------------------------------------------------------------ limits


async def test_codes_for_one_destination_come_slowly(at: SignIn, seller: str) -> None:
    """
    Asked for as soon as allowed: 30 seconds apart, 3 in 10 minutes, 5 an hour, 10 a day.
    """
    where = some_email()
    sent: list[datetime] = []
    while len(sent) < 10:
        try:
            await at.request(seller, where)
            sent.append(at.clock.now())
        except TooMany as too_many:
            at.clock.advance(seconds=too_many.retry_after)

    begun = sent[0]
    offsets = [round((moment - begun).total_seconds()) for moment in sent]
    assert [0, 30, 60] == [round(one, -1) for one in offsets[:3]]
    assert all(later - earlier >= 30 for earlier, later in pairwise(offsets))
    assert all(offsets[i + 3] - offsets[i] >= 600 for i in range(7))
    assert all(offsets[i + 5] - offsets[i] >= 3600 for i in range(5))
    at.clock.advance(hours=1)
    with pytest.raises(TooMany) as refusal:
        await at.request(seller, where)
    assert refusal.value.retry_after > 3600 * 10


async def test_waiting_as_long_as_told_is_enough(at: SignIn, seller: str) -> None:
    where = some_email()
    for _ in range(3):
        await at.request(seller, where)
        at.clock.advance(seconds=31)

    with pytest.raises(TooMany) as refusal:
        await at.request(seller, where)
    at.clock.advance(seconds=refusal.value.retry_after)

    await at.request(seller, where)


async def test_limits_hold_for_other_processes_and_after_a_restart(
    at: SignIn, outbox: Outbox, seller: str, container: Container
) -> None:
    where = some_email()
    await at.request(seller, where)

    with pytest.raises(TooMany):
        await SignIn(container, outbox, home=at.home).request(seller, where)


async def test_parallel_requests_for_one_destination_get_one_code(at: SignIn, seller: str) -> None:
    where = some_email()

    outcomes = await asyncio.gather(*(at.request(seller, where) for _ in range(20)), return_exceptions=True)

    assert 1 == sum(isinstance(one, CodeRequested) for one in outcomes)
    assert 19 == sum(isinstance(one, TooMany) for one in outcomes)


async def test_sellers_do_not_share_a_limit(at: SignIn, seller: str) -> None:
    where = some_email()
    await at.request(seller, where)

    await at.request(f"{seller}-2", where)


async def wrong_guesses(at: SignIn, seller: str, where: str, device: Device, *, codes: int) -> list[ErrorCode]:
    """Ask for codes and guess each five times; return how every guess was answered."""
    answers = []
    for _ in range(codes):
        asked = await at.request(seller, where, device=device)
        wrong = another(await at.code_of(asked.challenge_id))
        for _ in range(5):
            with pytest.raises(Refused) as refusal:
                await at.sign_in.log_in(asked.challenge_id, wrong, device)
            answers.append(refusal.value.problems[0].code)
        at.clock.advance(minutes=4)
    return answers


async def test_ten_wrong_codes_in_an_hour_are_enough_whatever_was_sent_again(at: SignIn, seller: str) -> None:
    customer = await someone(at, seller)

    answers = await wrong_guesses(at, seller, str(customer.email), at.home, codes=3)

    assert [ErrorCode.INVALID_CODE] * 10 + [ErrorCode.TOO_MANY_ATTEMPTS] * 5 == answers
    at.clock.advance(hours=1)
    assert customer.id == (await at.enter(seller, str(customer.email))).customer.id


async def test_the_right_code_does_not_get_in_once_there_were_too_many_wrong_ones(at: SignIn, seller: str) -> None:
    customer = await someone(at, seller)
    await wrong_guesses(at, seller, str(customer.email), at.home, codes=2)

    asked = await at.request(seller, str(customer.email))

    assert ErrorCode.TOO_MANY_ATTEMPTS == await refused(at, asked, await at.code_of(asked.challenge_id))


async def test_an_attacker_elsewhere_cannot_lock_out_somebody_at_home(at: SignIn, seller: str) -> None:
    customer = await someone(at, seller)
    await at.enter(seller, str(customer.email), device=at.home)
    at.clock.advance(hours=25)

    await wrong_guesses(at, seller, str(customer.email), at.elsewhere, codes=3)
    await at.request(seller, str(customer.email), device=at.elsewhere)
    with pytest.raises(TooMany):
        await at.request(seller, str(customer.email), device=at.elsewhere)

    assert customer.id == (await at.enter(seller, str(customer.email), device=at.home)).customer.id


async def test_a_network_is_known_to_the_account_that_signed_in_there_and_to_no_other(at: SignIn, seller: str) -> None:
    """
    Else whoever has an account would have a share of every other account's for each network.
    """
    victim, attacker = await someone(at, seller), await someone(at, seller)
    await at.enter(seller, str(attacker.email), device=at.elsewhere)
    await at.request(seller, str(victim.email), device=some_network())

    asked = await at.request(seller, str(victim.email), device=at.elsewhere)

    assert not await is_sent(asked)


@pytest.mark.parametrize(("days", "known"), [(29, True), (31, False)])
async def test_an_account_knows_a_network_for_thirty_days(at: SignIn, seller: str, days: int, known: bool) -> None:
    customer = await someone(at, seller)
    await at.enter(seller, str(customer.email), device=at.home)
    at.clock.advance(days=days)
    await at.request(seller, str(customer.email), device=at.elsewhere)

    assert known is await is_sent(await at.request(seller, str(customer.email), device=at.home))


async def test_one_network_cannot_guess_for_everybody(at: SignIn, seller: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    One code each for very many accounts: none of them has had too many.
    """
    monkeypatch.setattr("services.throttling.FAILURES_PER_NETWORK", (Limit(3, timedelta(hours=1)),))
    device = some_network()
    answers = []
    for guesser in (device, device, device, device, some_network()):
        asked = await at.request(seller, some_email(), device=device)
        with pytest.raises(Refused) as refusal:
            await at.sign_in.log_in(asked.challenge_id, "000000", guesser)
        answers.append(refusal.value.problems[0].code)

    invalid = ErrorCode.INVALID_CODE
    assert [invalid, invalid, invalid, ErrorCode.TOO_MANY_ATTEMPTS, invalid] == answers


async def test_right_codes_do_not_count_against_a_network(at: SignIn, seller: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.throttling.FAILURES_PER_NETWORK", (Limit(1, timedelta(hours=1)),))
    device = some_network()
    people = [await someone(at, seller) for _ in range(3)]

    entered = [await at.enter(seller, str(customer.email), device=device) for customer in people]

    assert [customer.id for customer in people] == [one.customer.id for one in entered]


async def test_wrong_secrets_of_a_client_are_counted_for_each_network(at: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Whoever guesses at a client's secret, from elsewhere, must not keep the client out.
    """
    monkeypatch.setattr("services.throttling.FAILURES_PER_CLIENT", (Limit(1, timedelta(hours=1)),))
    client = fresh("client")
    await at.limits.admit_client(client, at.elsewhere.network)
    with pytest.raises(RateLimited):
        await at.limits.admit_client(client, at.elsewhere.network)

    await (await at.limits.admit_client(client, at.home.network))()

    await at.limits.admit_client(client, at.home.network)


async def test_signing_in_forgives_the_wrong_codes_before(at: SignIn, seller: str) -> None:
    customer = await someone(at, seller)
    # The first of them counts among the networks that the account does not know yet.
    for _ in range(4):
        asked = await at.request(seller, str(customer.email))
        code = await at.code_of(asked.challenge_id)
        for _ in range(4):
            assert ErrorCode.INVALID_CODE == await refused(at, asked, another(code))
        await at.sign_in.log_in(asked.challenge_id, code, at.home)
        at.clock.advance(minutes=4)


@pytest.mark.parametrize(
    "allowances", [SendAllowances(per_network_ten_minutes=3), SendAllowances(per_network_hour=3)], ids=["minutes", "hour"]
)
async def test_one_network_cannot_ask_for_codes_without_end(
    container: Container, outbox: Outbox, seller: str, allowances: SendAllowances
) -> None:
    at = SignIn(container, outbox, allowances=allowances)
    device = some_network()
    for _ in range(3):
        await at.request(seller, some_email(), device=device)

    with pytest.raises(TooMany):
        await at.request(seller, some_email(), device=device)
    await at.request(seller, some_email(), device=at.home)


async def test_a_whole_ipv6_network_counts_as_one(container: Container, outbox: Outbox, seller: str) -> None:
    at = SignIn(container, outbox, allowances=SendAllowances(per_network_ten_minutes=2))
    for host in (1, 2):
        await at.request(seller, some_email(), device=Device(f"2001:db8:7:7::{host}"))

    with pytest.raises(TooMany):
        await at.request(seller, some_email(), device=Device("2001:db8:7:7:ffff::1"))


async def test_one_network_cannot_ask_for_phones_of_the_whole_world(container: Container, outbox: Outbox, seller: str) -> None:
    at = SignIn(container, outbox, allowances=SendAllowances(countries_per_network_day=2))
    device = some_network()
    for phone in ("+442079460958", "+33142685300", "+442079460959"):
        await at.request(seller, phone, device=device, channel=OtpChannel.SMS)

    with pytest.raises(TooMany):
        await at.request(seller, "+4930901820", device=device, channel=OtpChannel.SMS)


@pytest.mark.parametrize(
    "allowances", [SendAllowances(per_seller_hour=2), SendAllowances(per_seller_day=2)], ids=["hour", "day"]
)
async def test_a_seller_has_a_budget_of_its_own(container: Container, seller: str, allowances: SendAllowances) -> None:
    budgets = SendBudgets(MovableClock(), allowances)

    assert [True, True, False] == [await budgets.spend(seller) for _ in range(3)]
    assert await budgets.spend(f"{seller}-2")


async def test_a_refusal_for_the_network_costs_the_destination_nothing(
    container: Container, outbox: Outbox, seller: str
) -> None:
    at = SignIn(container, outbox, allowances=SendAllowances(per_network_ten_minutes=1))
    where = some_email()
    await at.request(seller, some_email())

    with pytest.raises(TooMany):
        await at.request(seller, where)

    again = SignIn(container, outbox, home=at.home)
    await again.request(seller, where)


async def test_strange_networks_share_what_is_sent_and_believed_and_no_answer_tells(at: SignIn, seller: str) -> None:
    """
    The customer has signed in from home; an attacker asks and guesses from everywhere else. Whoever compares the answers for
    a customer and a stranger, from home and from elsewhere, sees no difference.
    """
    customer = await someone(at, seller)
    await at.enter(seller, str(customer.email))
    at.clock.advance(hours=25)
    sent, answers = [], []
    for where in (str(customer.email), some_email()):
        asked = [await at.request(seller, where, device=some_network()) for _ in range(4)]
        asked.append(await at.request(seller, where, device=at.home))
        sent.append([await is_sent(one) for one in asked])
        answers.append([(one.expires_in, one.resend_after) for one in asked])

    # 30 s apart, and three in ten minutes: the share of the strangers has room for one at a time.
    assert [[True, False, False, False, True], [False] * 5] == sent
    assert answers[0] == answers[1]


async def test_a_right_guess_from_a_strange_network_is_not_believed_after_ten_wrong_ones(at: SignIn, seller: str) -> None:
    customer = await someone(at, seller)
    for _ in range(2):
        asked = await at.request(seller, str(customer.email), device=(device := some_network()))
        wrong = another(await at.code_of(asked.challenge_id))
        for _ in range(5):
            with pytest.raises(Refused) as refusal:
                await at.sign_in.log_in(asked.challenge_id, wrong, device)
            assert ErrorCode.INVALID_CODE == refusal.value.problems[0].code
        at.clock.advance(minutes=4)

    asked = await at.request(seller, str(customer.email), device=(device := some_network()))
    with pytest.raises(Refused) as refusal:
        await at.sign_in.log_in(asked.challenge_id, await at.code_of(asked.challenge_id), device)

    assert ErrorCode.INVALID_CODE == refusal.value.problems[0].code


async def test_all_sellers_together_have_a_budget(container: Container, seller: str) -> None:
    assert not await SendBudgets(MovableClock(), SendAllowances(global_hour=0)).spend(seller)


# ------------------------------------------------------------------ what cannot be


@pytest.mark.parametrize(
    ("channel", "destination", "code"),
    [
        (OtpChannel.EMAIL, "", ErrorCode.REQUIRED),
        (OtpChannel.EMAIL, "ada@", ErrorCode.INVALID_EMAIL),
        (OtpChannel.EMAIL, "+442079460958", ErrorCode.INVALID_EMAIL),
        (OtpChannel.SMS, "12", ErrorCode.INVALID_PHONE),
        (OtpChannel.SMS, "ada@example.com", ErrorCode.INVALID_PHONE),
    ],
)
async def test_destinations_that_cannot_be(
    at: SignIn, seller: str, channel: OtpChannel, destination: str, code: ErrorCode
) -> None:
    with pytest.raises(Refused) as refusal:
        await at.request(seller, destination, channel=channel)

    assert [(code, ("destination",))] == [(one.code, one.field) for one in refusal.value.problems]


@pytest.mark.parametrize("seller_id", ["", "a b", "x" * 65, "acme\n", '{"$ne": null}'])
async def test_sellers_that_cannot_be(at: SignIn, seller_id: str) -> None:
    with pytest.raises(Refused) as refusal:
        await at.request(seller_id, some_email())

    assert [("sellerId",)] == [one.field for one in refusal.value.problems]

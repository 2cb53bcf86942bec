"""The courier: every code that can arrive does, none arrives twice, and nobody reads along."""

import asyncio
import hashlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
import pytest_asyncio
from bson import BSON
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from core.clock import SystemClock
from core.delivery import CodeMessage, MaybeSent, NotSent
from core.errors import Unavailable
from core.vocabulary import OtpChannel
from infra import otp_ses, otp_sns
from infra.aws import AwsAccess
from infra.otp_ses import open_ses
from infra.otp_sns import open_sns
from infra.otp_text import CodeText
from infra.otp_webhook import open_webhook
from models.otp_challenge import DeliveryState, OtpChallenge
from repositories.otp_delivery import CLAIM, DeliveryQueue
from services.ports import CodeDelivery, Courier
from tests.infra.providers import Behaviour, Provider, impatient, provider
from tests.otp_codes import Carrier, Codes, hang, open_codes
from tests.servers import Servers
from workers import otp_delivery
from workers.otp_delivery import OtpCourier

SENT, UNCERTAIN, FAILED = DeliveryState.SENT, DeliveryState.UNCERTAIN, DeliveryState.FAILED
SMS, EMAIL = OtpChannel.SMS, OtpChannel.EMAIL
DOWN = NotSent("The provider is down.")


@pytest_asyncio.fixture(name="codes")
async def _codes(servers: Servers) -> AsyncIterator[Codes]:
    async with open_codes(servers) as codes:
        yield codes


@pytest.fixture(name="quick", autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes seconds takes hundredths."""
    for name in ("LOOK_SECONDS", "SWEEP_SECONDS", "_FIRST_DELAY", "_FIRST_PAUSE", "LAST_SECONDS"):
        monkeypatch.setattr(otp_delivery, name, 0.02)


async def rich(_: str) -> bool:
    """Have room for any number of codes."""
    return True


def courier_of(
    codes: Codes,
    *,
    queue: DeliveryQueue | None = None,
    budget: Callable[[str], Awaitable[bool]] = rich,
    **carriers: CodeDelivery,
) -> OtpCourier:
    """Return a courier whose carriers are named by their channel."""
    named = {OtpChannel(name.upper()): carrier for name, carrier in carriers.items()}
    return OtpCourier(queue or DeliveryQueue(), named, codes.sealer, codes.clock, budget)


@asynccontextmanager
async def working(*couriers: OtpCourier) -> AsyncIterator[None]:
    """Run couriers, and stop them as a process does that is told to."""
    stop = asyncio.Event()
    running = [asyncio.create_task(courier.run(stop)) for courier in couriers]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*running)


async def test_a_code_is_delivered_once_and_as_it_was_asked_for(codes: Codes) -> None:
    carrier = Carrier()
    asked = await codes.ask()
    async with working(courier_of(codes, sms=carrier)):
        await codes.reaches(SENT, asked)
        await asyncio.sleep(0.1)
    [message] = carrier.messages

    assert (asked.id, "demo", SMS, asked.destination, asked.code) == (
        message.id,
        message.seller_id,
        message.channel,
        message.destination,
        message.code,
    )
    assert timedelta(minutes=4) < message.expires_at - codes.clock.now() <= timedelta(minutes=5)


async def test_two_couriers_deliver_fifty_codes_once_each(codes: Codes) -> None:
    carrier = Carrier()
    asked = [await codes.ask(channel) for channel in (SMS, EMAIL) for _ in range(25)]
    async with working(*(courier_of(codes, sms=carrier, email=carrier) for _ in range(2))):
        await codes.reaches(SENT, *asked)

    assert Counter(one.code for one in asked) == Counter(carrier.given)


async def test_a_nudge_is_answered_at_once(codes: Codes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otp_delivery, "LOOK_SECONDS", 3600.0)
    carrier = Carrier()
    courier = courier_of(codes, sms=carrier)
    async with working(courier):
        await asyncio.sleep(0.2)
        asked = await codes.ask()
        courier.nudge()
        await codes.reaches(SENT, asked)

    assert [asked.code] == carrier.given


async def test_it_is_the_courier_that_services_ask_for(codes: Codes) -> None:
    port: Courier = courier_of(codes, sms=Carrier())

    assert frozenset({SMS}) == port.channels


async def test_a_provider_that_was_down_gets_the_code_when_it_is_back(codes: Codes) -> None:
    carrier = Carrier(DOWN, DOWN, DOWN)
    asked = await codes.ask()
    async with working(courier_of(codes, sms=carrier)):
        await codes.reaches(SENT, asked)

    assert [asked.code] * 4 == carrier.given
    assert 4 == (await codes.stored(asked))["delivery"]["attempts"]


async def test_each_pause_is_about_twice_as_long_as_the_one_before(codes: Codes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otp_delivery, "_FIRST_DELAY", 1.0)
    courier = courier_of(codes, sms=Carrier(*[DOWN] * 40))
    delays = []
    for attempts in (1, 2, 3, 6):
        stored = await codes.stored(await codes.ask())
        stored["delivery"]["attempts"] = attempts
        state, _, delay = await courier._attempt(OtpChallenge.model_validate(stored))
        assert DeliveryState.QUEUED == state
        delays.append(delay.total_seconds())

    for about, seconds in zip((1, 2, 4, 32), delays, strict=True):
        assert 0.75 * about <= seconds <= 1.25 * about


async def test_a_code_that_would_be_over_by_the_next_attempt_has_failed(codes: Codes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otp_delivery, "_FIRST_DELAY", 30.0)
    carrier = Carrier(DOWN)
    asked = await codes.ask(late=285)
    async with working(courier_of(codes, sms=carrier)):
        await codes.reaches(FAILED, asked)

    assert [asked.code] == carrier.given


async def test_a_refusal_for_good_is_not_repeated(codes: Codes) -> None:
    carrier = Carrier(NotSent("No such number.", final=True))
    asked = await codes.ask()
    async with working(courier_of(codes, sms=carrier)):
        await codes.reaches(FAILED, asked)
        await asyncio.sleep(0.1)

    assert [asked.code] == carrier.given


@pytest.mark.parametrize("error", [MaybeSent("No answer."), ZeroDivisionError("a bug"), OSError("what?")], ids=repr)
async def test_whatever_leaves_it_open_is_not_repeated(codes: Codes, error: Exception) -> None:
    carrier = Carrier(error)
    asked = await codes.ask()
    async with working(courier_of(codes, sms=carrier)):
        await codes.reaches(UNCERTAIN, asked)
        await asyncio.sleep(0.1)

    assert [asked.code] == carrier.given


async def test_a_carrier_that_never_returns_loses_its_code(codes: Codes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otp_delivery, "LONGEST_DELIVERY", 0.05)
    asked = await codes.ask()
    carrier = Carrier(hang)
    async with working(courier_of(codes, sms=carrier)):
        await codes.reaches(UNCERTAIN, asked)

    assert [asked.code] == carrier.given


async def test_codes_that_are_over_are_never_sent(codes: Codes) -> None:
    carrier = Carrier()
    over, good = await codes.ask(late=300), await codes.ask()
    async with working(courier_of(codes, sms=carrier)):
        await codes.reaches(SENT, good)
        await codes.reaches(FAILED, over)

    assert [good.code] == carrier.given


async def test_a_provider_that_hangs_keeps_only_its_own_channel_waiting(codes: Codes) -> None:
    hanging, carrier = Carrier(*[hang] * 20), Carrier()
    stuck = [await codes.ask(SMS, late=1) for _ in range(20)]
    asked = [await codes.ask(EMAIL) for _ in range(20)]
    async with working(courier_of(codes, sms=hanging, email=carrier)):
        await codes.reaches(SENT, *asked)
        assert otp_delivery.HANDS == len(hanging.given)

    assert {one.code for one in stuck} >= set(hanging.given)


async def test_a_channel_without_carrier_is_left_to_others(codes: Codes) -> None:
    carrier = Carrier()
    mail, text = await codes.ask(EMAIL, late=1), await codes.ask(SMS)
    async with working(courier_of(codes, sms=carrier)):
        await codes.reaches(SENT, text)

    assert DeliveryState.QUEUED == await codes.state(mail)


async def test_what_another_master_key_has_sealed_fails_and_does_no_harm(codes: Codes) -> None:
    carrier = Carrier()
    courier = courier_of(codes, sms=carrier)
    broken = await codes.ask(late=1)
    await codes.collection.update_one({"_id": broken.id}, {"$set": {"delivery.sealed": b"something else"}})
    good = await codes.ask()
    async with working(courier):
        await codes.reaches(FAILED, broken)
        await codes.reaches(SENT, good)

    assert [good.code] == carrier.given


# ---------------------------------------------------------------- death and outages


async def test_what_is_in_flight_may_end_when_the_courier_has_to_stop(codes: Codes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otp_delivery, "LAST_SECONDS", 5.0)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(_: CodeMessage) -> None:
        begun.set()
        await go_on.wait()

    asked = await codes.ask()
    async with working(courier_of(codes, sms=Carrier(slowly))):
        await begun.wait()
        asyncio.get_running_loop().call_later(0.1, go_on.set)

    assert SENT == await codes.state(asked)


@pytest.mark.parametrize("how", ["told to stop", "cancelled"])
async def test_a_courier_that_ends_in_the_middle_leads_to_no_second_sending(codes: Codes, how: str) -> None:
    first, second, stop = Carrier(hang), Carrier(), asyncio.Event()
    asked = await codes.ask()
    running = asyncio.create_task(courier_of(codes, sms=first).run(stop))
    while not first.given:  # noqa: ASYNC110  a carrier has no event for it
        await asyncio.sleep(0.01)
    if how == "cancelled":
        running.cancel()
    stop.set()
    await asyncio.wait({running})
    assert UNCERTAIN == await codes.state(asked)
    async with working(courier_of(codes, sms=second)):
        later = await codes.ask()
        await codes.reaches(SENT, later)

    assert [later.code] == second.given


async def test_a_code_whose_courier_was_killed_is_given_up_by_another(codes: Codes) -> None:
    """
    Nobody can know how far the dead one had come.
    """
    asked, carrier = await codes.ask(), Carrier()
    assert await DeliveryQueue().claim(codes.clock.now(), [SMS]) is not None
    async with working(courier_of(codes, sms=carrier)):
        await asyncio.sleep(0.2)
        assert DeliveryState.SENDING == await codes.state(asked)
        codes.clock.ahead = CLAIM
        await codes.reaches(UNCERTAIN, asked)

    assert [] == carrier.given
    assert "sealed" not in (await codes.stored(asked))["delivery"]


class Outage(DeliveryQueue):
    """The queue behind a database that fails the next calls."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.left = failures

    async def _fails(self, call: Callable[[], Awaitable[None]]) -> None:
        if self.left:
            self.left -= 1
            raise Unavailable("down")
        await call()

    async def sent(self, claimed: OtpChallenge) -> None:
        """Fail first."""
        await self._fails(lambda: DeliveryQueue.sent(self, claimed))


async def test_what_became_of_a_code_is_written_down_after_an_outage(codes: Codes) -> None:
    carrier = Carrier()
    asked = await codes.ask()
    async with working(courier_of(codes, queue=Outage(3), sms=carrier)):
        await codes.reaches(SENT, asked)

    assert [asked.code] == carrier.given


async def test_an_outage_while_looking_is_survived(codes: Codes, monkeypatch: pytest.MonkeyPatch) -> None:
    carrier, queue = Carrier(), DeliveryQueue()
    claim, failures = queue.claim, [Unavailable("down")] * 3

    async def fail_first(*arguments: object) -> OtpChallenge | None:
        if failures:
            raise failures.pop()
        return await claim(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(queue, "claim", fail_first)
    asked = await codes.ask()
    async with working(courier_of(codes, queue=queue, sms=carrier)):
        await codes.reaches(SENT, asked)

    assert ([asked.code], []) == (carrier.given, failures)


# ---------------------------------------------------------------- what can be read


async def test_nothing_readable_is_in_the_database_before_or_after(codes: Codes) -> None:
    ends = (None, MaybeSent("?"), NotSent("no", final=True))
    carrier = Carrier(*[each for each in ends if each])
    asked = [await codes.ask(late=number) for number in (3, 2, 1)]
    before = b"".join([BSON.encode(one) async for one in codes.collection.find()])
    async with working(courier_of(codes, sms=carrier)):
        await codes.reaches(UNCERTAIN, asked[0])
        await codes.reaches(FAILED, asked[1])
        await codes.reaches(SENT, asked[2])
    after = b"".join([BSON.encode(one) async for one in codes.collection.find()])

    assert 3 == len(carrier.given)
    assert b"sealed" in before
    assert b"sealed" not in after
    for one in asked:
        assert one.code.encode() not in before + after
        assert one.destination.encode() not in before + after


async def test_no_log_line_names_a_code_or_a_destination(codes: Codes, caplog: pytest.LogCaptureFixture) -> None:
    async def tell(message: CodeMessage) -> None:
        cause = ValueError(f"invalid: {message.destination}")
        raise RuntimeError(f"cannot send {message.code} to {message.destination}") from cause

    caplog.set_level(logging.INFO)
    carrier = Carrier(tell, DOWN)
    asked = [await codes.ask(late=1), await codes.ask()]
    with capture_logs() as logs:
        async with working(courier_of(codes, sms=carrier)):
            await codes.reaches(UNCERTAIN, asked[0])
            await codes.reaches(SENT, asked[1])
    written = repr(logs) + caplog.text

    for one in asked:
        name = hashlib.sha256(one.id.encode()).hexdigest()[:12]
        assert name in written
        # Half of what it takes to sign in.
        assert one.id not in written
        assert one.code not in written.replace(name, "")
        assert one.destination not in written
    assert [("UNCERTAIN", 1), ("QUEUED", 1), ("SENT", 2)] == [
        (line["state"], line["attempt"]) for line in logs if line["event"] == "otp.delivery"
    ]
    assert "RuntimeError at test_otp_delivery.py:" in logs[0]["reason"]


def counted(outcome: str) -> float:
    return REGISTRY.get_sample_value("otp_deliveries_total", {"channel": "SMS", "outcome": outcome}) or 0


async def test_operators_see_how_many_and_how_fast(codes: Codes) -> None:
    outcomes = ("sent", "retried", "uncertain", "failed")
    before = {outcome: counted(outcome) for outcome in outcomes}
    timed = REGISTRY.get_sample_value("otp_delivery_seconds_count", {"channel": "SMS"}) or 0
    waited = REGISTRY.get_sample_value("otp_delivery_seconds_sum", {"channel": "SMS"}) or 0
    carrier = Carrier(MaybeSent("?"), NotSent("no", final=True), DOWN)
    asked = [await codes.ask(late=number) for number in (9, 8, 7)]
    async with working(courier_of(codes, sms=carrier)):
        await codes.reaches(UNCERTAIN, asked[0])
        await codes.reaches(FAILED, asked[1])
        await codes.reaches(SENT, asked[2])

    assert dict.fromkeys(outcomes, 1.0) == {outcome: counted(outcome) - before[outcome] for outcome in outcomes}
    assert timed + 1 == REGISTRY.get_sample_value("otp_delivery_seconds_count", {"channel": "SMS"})
    assert waited + 7 <= (REGISTRY.get_sample_value("otp_delivery_seconds_sum", {"channel": "SMS"}) or 0)


# ---------------------------------------------------------------- with real carriers


@pytest_asyncio.fixture(name="hostile")
async def _hostile(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Provider]:
    impatient(monkeypatch, otp_sns, otp_ses)
    async with provider() as running:
        yield running


@asynccontextmanager
async def carrying(name: str, hostile: Provider) -> AsyncIterator[CodeDelivery]:
    """Open a real carrier whose provider is *hostile*."""
    access = AwsAccess(region="us-east-1", endpoint=hostile.url, access_key="key", secret_key="secret")
    text, clock = CodeText("{code}"), SystemClock()
    if name == "sns":
        hostile.body = b"<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>"
        async with open_sns(access, text, clock, sender_id=None) as sns:
            yield sns
    elif name == "ses":
        hostile.body = b'{"MessageId": "1"}'
        async with open_ses(access, text, clock, sender="no-reply@example.com") as ses:
            yield ses
    else:
        async with open_webhook(hostile.url, "secret", clock, within=0.3) as webhook:
            yield webhook


@pytest.mark.parametrize("name", ["sns", "ses"])
@pytest.mark.parametrize("behaviour", [Behaviour.HANG, Behaviour.DROP], ids=lambda one: one.name)
async def test_a_provider_that_reads_and_does_not_answer_is_asked_once(
    codes: Codes, hostile: Provider, name: str, behaviour: Behaviour
) -> None:
    hostile.behaviour = behaviour
    asked = await codes.ask(EMAIL if name == "ses" else SMS)
    async with carrying(name, hostile) as carrier, working(courier_of(codes, sms=carrier, email=carrier)):
        await codes.reaches(UNCERTAIN, asked)
        hostile.behaviour = Behaviour.ANSWER
        await asyncio.sleep(0.2)

    assert 1 == len(hostile.requests)


@pytest.mark.parametrize("name", ["sns", "ses", "webhook"])
async def test_a_provider_that_recovers_has_accepted_each_code_once(codes: Codes, hostile: Provider, name: str) -> None:
    hostile.status = "503 Service Unavailable"
    asked = await codes.ask(EMAIL if name == "ses" else SMS)
    async with carrying(name, hostile) as carrier, working(courier_of(codes, sms=carrier, email=carrier)):
        while not hostile.requests:  # noqa: ASYNC110  a provider has no event for it
            await asyncio.sleep(0.01)
        refused = len(hostile.requests)
        hostile.status = "200 OK"
        await codes.reaches(SENT, asked)
        await asyncio.sleep(0.1)

    assert (await codes.stored(asked))["delivery"]["attempts"] == len(hostile.requests)
    assert refused < len(hostile.requests)


async def test_a_webhook_that_hangs_is_asked_again_with_the_same_key(codes: Codes, hostile: Provider) -> None:
    hostile.behaviour = Behaviour.HANG
    asked = await codes.ask()
    async with carrying("webhook", hostile) as carrier, working(courier_of(codes, sms=carrier)):
        while not hostile.requests:  # noqa: ASYNC110  a provider has no event for it
            await asyncio.sleep(0.01)
        hostile.behaviour = Behaviour.ANSWER
        await codes.reaches(SENT, asked)

    assert [asked.id] * 2 == [request.headers["idempotency-key"] for request in hostile.requests]


async def test_a_code_for_nobody_takes_the_same_way_but_for_the_sending(codes: Codes) -> None:
    """
    Else whoever asks, and guesses at once, could tell by the time it takes.
    """
    carrier = Carrier()
    asked = await codes.ask(customer_id=None)

    with capture_logs() as logged:
        async with working(courier_of(codes, sms=carrier)):
            await codes.reaches(DeliveryState.NOBODY, asked)

    assert [] == carrier.given
    assert 1 == (await codes.stored(asked))["delivery"]["attempts"]
    assert "sealed" not in (await codes.stored(asked))["delivery"]
    assert [("otp.delivery", "NOBODY")] == [(line["event"], line["state"]) for line in logged]
    assert asked.id not in str(logged)


async def test_a_budget_that_is_used_up_stops_the_sending_and_codes_for_nobody_cost_nothing(codes: Codes) -> None:
    spent: list[str] = []

    async def budget(seller_id: str) -> bool:
        spent.append(seller_id)
        return len(spent) <= 1

    carrier = Carrier()
    asked = [await codes.ask(customer_id=None, late=3), await codes.ask(late=2), await codes.ask(late=1)]

    async with working(courier_of(codes, sms=carrier, budget=budget)):
        await codes.reaches(DeliveryState.NOBODY, asked[0])
        await codes.reaches(SENT, asked[1])
        await codes.reaches(FAILED, asked[2])

    assert [asked[1].code] == carrier.given
    assert ["demo", "demo"] == spent

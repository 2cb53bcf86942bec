"""Codes over SNS and SES: what each failure says about the code, and never a second attempt behind the courier's back."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs

import orjson
import pytest
import pytest_asyncio
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends
from moto.sns.models import sns_backends

from core.clock import SystemClock
from core.delivery import MaybeSent, NotSent
from core.vocabulary import OtpChannel
from infra import otp_ses, otp_sns
from infra.aws import AwsAccess
from infra.otp_ses import open_ses
from infra.otp_sns import open_sns
from infra.otp_text import CodeText
from services.ports import CodeDelivery
from tests.infra.providers import Behaviour, Provider, code_message, impatient, provider

TEXT = CodeText("{code} holds for {minutes} minutes.")
SENDER = "no-reply@example.com"


@dataclass(frozen=True)
class Service:
    """One of the two, and how it says yes and no."""

    channel: OtpChannel
    accepted: bytes
    refused: Callable[[str], tuple[str, bytes]]
    invalid: str

    @asynccontextmanager
    async def open(self, access: AwsAccess) -> AsyncIterator[CodeDelivery]:
        """Open its client."""
        if self.channel is OtpChannel.SMS:
            async with open_sns(access, TEXT, SystemClock(), sender_id="MyShop") as sns:
                yield sns
        else:
            async with open_ses(access, TEXT, SystemClock(), sender=SENDER) as ses:
                yield ses

    def deliver(self, carrier: CodeDelivery) -> Awaitable[None]:
        """Send the usual code."""
        return carrier.deliver(code_message(self.channel))


def sns_refusal(code: str) -> tuple[str, bytes]:
    said = f"<Code>{code}</Code><Message>No: +4915112345678, 048151</Message>"
    return "", f"<ErrorResponse><Error><Type>Sender</Type>{said}</Error><RequestId>1</RequestId></ErrorResponse>".encode()


def ses_refusal(code: str) -> tuple[str, bytes]:
    return f"x-amzn-ErrorType: {code}\r\n", b'{"message": "No: ada@example.com, 048151"}'


SNS = Service(
    OtpChannel.SMS,
    b"<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>",
    sns_refusal,
    "InvalidParameter",
)
SES = Service(OtpChannel.EMAIL, b'{"MessageId": "1"}', ses_refusal, "MessageRejected")
EACH = pytest.mark.parametrize("service", [pytest.param(SNS, id="sns"), pytest.param(SES, id="ses")])


@pytest_asyncio.fixture(name="hostile")
async def _hostile(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Provider]:
    impatient(monkeypatch, otp_sns, otp_ses)
    async with provider() as running:
        yield running


def access_to(hostile: Provider) -> AwsAccess:
    return AwsAccess(region="us-east-1", endpoint=hostile.url, access_key="key", secret_key="secret")


async def test_a_text_message_arrives(aws: AwsAccess) -> None:
    sent: dict[str, Any] = sns_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].sms_messages
    before = len(sent)
    async with SNS.open(aws) as carrier:
        await SNS.deliver(carrier)

    assert [("+4915112345678", "048151 holds for 5 minutes.")] == list(sent.values())[before:]


async def test_an_e_mail_arrives(aws: AwsAccess) -> None:
    async with aws.session().client("sesv2", endpoint_url=aws.endpoint) as client:
        await client.create_email_identity(EmailIdentity=SENDER)
    sent = ses_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].sent_messages
    before = len(sent)
    async with SES.open(aws) as carrier:
        await SES.deliver(carrier)
    [arrived] = sent[before:]

    assert (SENDER, {"ToAddresses": ["ada@example.com"]}) == (arrived.source, arrived.destinations)
    assert ("Your sign-in code", "048151 holds for 5 minutes.") == (arrived.subject, arrived.body)


async def test_a_text_message_is_transactional_and_says_who_sent_it(hostile: Provider) -> None:
    hostile.body = SNS.accepted
    async with SNS.open(access_to(hostile)) as carrier:
        await SNS.deliver(carrier)
    form = {name: value for name, [value] in parse_qs(hostile.requests[0].body.decode()).items()}
    attributes = {
        form[f"MessageAttributes.entry.{number}.Name"]: form[f"MessageAttributes.entry.{number}.Value.StringValue"]
        for number in (1, 2)
    }

    assert {"AWS.SNS.SMS.SMSType": "Transactional", "AWS.SNS.SMS.SenderID": "MyShop"} == attributes


async def test_an_e_mail_is_plain_text(hostile: Provider) -> None:
    hostile.body = SES.accepted
    async with SES.open(access_to(hostile)) as carrier:
        await SES.deliver(carrier)

    assert ["Text"] == list(orjson.loads(hostile.requests[0].body)["Content"]["Simple"]["Body"])


@EACH
@pytest.mark.parametrize(
    "behaviour", [Behaviour.HANG, Behaviour.DROP, Behaviour.RESET, Behaviour.HALVE], ids=lambda one: one.name
)
async def test_a_missing_answer_leaves_it_open_and_nothing_is_repeated(
    hostile: Provider, service: Service, behaviour: Behaviour
) -> None:
    hostile.body, hostile.behaviour = service.accepted, behaviour
    async with service.open(access_to(hostile)) as carrier:
        with pytest.raises(MaybeSent):
            await service.deliver(carrier)
    await asyncio.sleep(0.1)

    assert 1 == len(hostile.requests)


@EACH
@pytest.mark.parametrize(
    ("status", "code", "final"),
    [
        ("400 Bad Request", "Throttling", False),
        ("429 Too Many Requests", "TooManyRequestsException", False),
        ("403 Forbidden", "AccessDenied", False),
        ("500 Internal Server Error", "InternalError", False),
        ("503 Service Unavailable", "ServiceUnavailable", False),
        ("400 Bad Request", "its own", True),
    ],
    ids=str,
)
async def test_a_refusal_was_not_sent_and_nothing_is_repeated(
    hostile: Provider, service: Service, status: str, code: str, final: bool
) -> None:
    code = service.invalid if code == "its own" else code
    hostile.status = status
    hostile.headers, hostile.body = service.refused(code)
    async with service.open(access_to(hostile)) as carrier:
        with pytest.raises(NotSent, match=code) as caught:
            await service.deliver(carrier)

    assert final == caught.value.final
    assert 1 == len(hostile.requests)


@EACH
@pytest.mark.parametrize("status", ["502 Bad Gateway", "504 Gateway Timeout"])
async def test_a_gateway_does_not_know_either(hostile: Provider, service: Service, status: str) -> None:
    hostile.status = status
    hostile.headers, hostile.body = service.refused("Gateway")
    async with service.open(access_to(hostile)) as carrier:
        with pytest.raises(MaybeSent):
            await service.deliver(carrier)


@EACH
async def test_what_a_provider_says_about_the_customer_goes_no_further(hostile: Provider, service: Service) -> None:
    hostile.status = "400 Bad Request"
    hostile.headers, hostile.body = service.refused(service.invalid)
    async with service.open(access_to(hostile)) as carrier:
        with pytest.raises(NotSent) as caught:
            await service.deliver(carrier)

    assert "048151" not in str(caught.value)
    assert "ada@" not in str(caught.value)
    assert "+49" not in str(caught.value)
    assert (None, True) == (caught.value.__cause__, caught.value.__suppress_context__)


@EACH
async def test_an_answer_that_makes_no_sense_leaves_it_open(hostile: Provider, service: Service) -> None:
    hostile.body = b"<html"
    async with service.open(access_to(hostile)) as carrier:
        with pytest.raises(MaybeSent):
            await service.deliver(carrier)


@EACH
async def test_nobody_there_was_not_sent(service: Service) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]  # bound and not listening: connections are refused
        nobody = AwsAccess(region="us-east-1", endpoint=f"http://127.0.0.1:{port}", access_key="key", secret_key="secret")
        async with service.open(nobody) as carrier:
            with pytest.raises(NotSent) as caught:
                await service.deliver(carrier)

    assert not caught.value.final


@EACH
async def test_nobody_to_sign_as_was_not_sent(hostile: Provider, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    async with service.open(replace(access_to(hostile), access_key=None, secret_key=None)) as carrier:
        with pytest.raises(NotSent):
            await service.deliver(carrier)

    assert [] == hostile.requests


@EACH
async def test_a_connection_that_was_closed_meanwhile_costs_no_code(hostile: Provider, service: Service) -> None:
    """
    Writing into one that is kept, and just closed by the provider, could not be told from a lost answer.
    """
    hostile.body, hostile.close_quietly = service.accepted, True
    async with service.open(access_to(hostile)) as carrier:
        for _ in range(3):
            await service.deliver(carrier)

    assert (3, 3) == (len(hostile.requests), hostile.connections)

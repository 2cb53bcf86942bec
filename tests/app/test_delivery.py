"""Who carries codes follows from the settings, and settings that cannot work are refused with the key at fault."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio
from pydantic import ValidationError

from app.delivery import open_courier
from app.settings import InvalidSettings, Settings
from core.vocabulary import OtpChannel
from models.otp_challenge import DeliveryState
from tests.infra.providers import Provider, provider
from tests.otp_codes import Codes, open_codes
from tests.servers import Servers

SMS, EMAIL = OtpChannel.SMS, OtpChannel.EMAIL
WEBHOOK = {"url": "http://127.0.0.1:1/send", "secret": "shared"}
SES = {"sender": "no-reply@example.com"}


@pytest_asyncio.fixture(name="codes")
async def _codes(servers: Servers) -> AsyncIterator[Codes]:
    async with open_codes(servers) as codes:
        yield codes


@pytest_asyncio.fixture(name="program")
async def _program() -> AsyncIterator[Provider]:
    async with provider() as running:
        yield running


def settings(*, otp: dict[str, Any] | None = None, ses: dict[str, Any] | None = None, outbox: Path | None = None) -> Settings:
    return Settings.model_validate(
        {
            "mongodb": {"uri": "mongodb://127.0.0.1:1"},
            "aws": {"ses": ses or {}},
            "otp": otp or {},
            "security": {"key_file": "keys", "master_key": base64.b64encode(bytes(32)).decode(), "otp_outbox": outbox},
        }
    )


@pytest.mark.parametrize(
    ("otp", "channels"),
    [
        ({}, set()),
        ({"sms": "sns"}, {SMS}),
        ({"sms": "sns", "email": "ses"}, {SMS, EMAIL}),
        ({"sms": "webhook", "email": "webhook", "webhook": WEBHOOK}, {SMS, EMAIL}),
        ({"sms": "sns", "email": "ses", "channels": ["EMAIL"]}, {EMAIL}),
        ({"webhook": WEBHOOK}, set()),
    ],
    ids=["nobody", "sms only", "both", "webhook", "one switched off", "webhook for nothing"],
)
async def test_channels_are_those_that_somebody_carries(codes: Codes, otp: dict[str, Any], channels: set[OtpChannel]) -> None:
    async with open_courier(settings(otp=otp, ses=SES), codes.sealer, codes.clock) as courier:
        assert channels == courier.channels


@pytest.mark.parametrize(
    ("otp", "message"),
    [
        ({"email": "ses"}, r"^aws\.ses\.sender: "),
        ({"sms": "webhook"}, r"^otp\.webhook: otp\.sms "),
        ({"email": "webhook"}, r"^otp\.webhook: otp\.email "),
        ({"sms": "webhook", "webhook": {**WEBHOOK, "secret": ""}}, r"^otp\.webhook\.secret: "),
        ({"message": "Hello {name}, {code}"}, r"^otp\.message: "),
        ({"message": "Hello"}, r"^otp\.message: "),
    ],
    ids=["no sender", "no webhook", "no webhook for e-mail", "no secret", "unknown placeholder", "no code"],
)
async def test_settings_that_cannot_work_are_refused_at_start(codes: Codes, otp: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidSettings, match=message):
        async with open_courier(settings(otp=otp), codes.sealer, codes.clock):
            pytest.fail("It started.")


def test_an_unknown_carrier_is_no_setting() -> None:
    with pytest.raises(ValidationError):
        settings(otp={"sms": "pigeon"})


async def test_the_outbox_takes_every_channel_and_wins(codes: Codes, tmp_path: Path) -> None:
    file = tmp_path / "otp.jsonl"
    chosen = {"sms": "webhook", "webhook": WEBHOOK}
    asked = [await codes.ask(SMS), await codes.ask(EMAIL)]
    async with open_courier(settings(otp=chosen, outbox=file), codes.sealer, codes.clock) as courier:
        assert {SMS, EMAIL} == courier.channels
        await codes.reaches(DeliveryState.SENT, *asked)

    written = {line["id"]: (line["destination"], line["code"]) for line in map(orjson.loads, file.read_bytes().splitlines())}
    assert {one.id: (one.destination, one.code) for one in asked} == written


async def test_the_courier_carries_while_it_is_open_and_no_longer(codes: Codes, program: Provider) -> None:
    otp = {"sms": "webhook", "webhook": {"url": program.url, "secret": "shared"}}
    async with open_courier(settings(otp=otp), codes.sealer, codes.clock) as courier:
        asked = await codes.ask()
        courier.nudge()
        await codes.reaches(DeliveryState.SENT, asked)
    left = await codes.ask()

    assert 1 == len(program.requests)
    assert DeliveryState.QUEUED == await codes.state(left)


async def test_it_stops_when_what_surrounds_it_fails(codes: Codes, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        async with open_courier(settings(outbox=tmp_path / "otp.jsonl"), codes.sealer, codes.clock):
            raise ZeroDivisionError
    left = await codes.ask()

    assert DeliveryState.QUEUED == await codes.state(left)

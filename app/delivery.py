"""Who carries one-time codes, as the settings say."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from app.aws import aws_access
from app.identity_sections import OtpSettings, WebhookSettings
from app.settings import InvalidSettings, Settings
from core.clock import Clock
from core.sealing import Sealer
from core.vocabulary import OtpChannel
from infra.guarded_delivery import GuardedDelivery
from infra.otp_outbox import OutboxDelivery
from infra.otp_ses import open_ses
from infra.otp_sns import open_sns
from infra.otp_text import CodeText, UnusableTemplate
from infra.otp_webhook import open_webhook
from repositories.otp_delivery import DeliveryQueue
from services.ports import CodeDelivery
from services.throttling import SendAllowances, SendBudgets
from workers.otp_delivery import OtpCourier


@asynccontextmanager
async def open_courier(settings: Settings, sealer: Sealer, clock: Clock) -> AsyncIterator[OtpCourier]:
    """Carry codes in the background for as long as the context is open; the database has to be open around it.

    Its channels are those of ``otp.channels`` that somebody carries: the file of ``security.otpOutbox`` carries all of them,
    otherwise ``otp.sms`` and ``otp.email`` say who does. No provider is called before there is a code.

    Raises:
        InvalidSettings: somebody who should carry codes lacks what that takes, or ``otp.message`` cannot be filled in.
    """
    async with AsyncExitStack() as stack:
        budgets = SendBudgets(clock, send_allowances(settings))
        carriers = await _carriers(stack, settings, clock)
        courier = OtpCourier(DeliveryQueue(), carriers, sealer, clock, budgets.spend)
        stop = asyncio.Event()
        carrying = asyncio.create_task(courier.run(stop))
        try:
            yield courier
        finally:
            stop.set()
            await carrying


def send_allowances(settings: Settings) -> SendAllowances:
    """Return how many codes may be asked for and sent, as the settings have it."""
    return SendAllowances(**settings.otp.limits.model_dump())


async def _carriers(stack: AsyncExitStack, settings: Settings, clock: Clock) -> dict[OtpChannel, CodeDelivery]:
    text = _text(settings.otp)
    if settings.security.otp_outbox is not None:
        outbox = OutboxDelivery(settings.security.otp_outbox, clock)
        return dict.fromkeys(settings.otp.channels, outbox)
    carriers: dict[OtpChannel, CodeDelivery] = {}
    webhook: GuardedDelivery | None = None
    chosen = {OtpChannel.SMS: settings.otp.sms, OtpChannel.EMAIL: settings.otp.email}
    for channel in settings.otp.channels:
        match chosen[channel]:
            case "sns":
                sns = settings.aws.sns
                opening = open_sns(aws_access(sns), text, clock, sender_id=sns.sender_id)
                carriers[channel] = GuardedDelivery(await stack.enter_async_context(opening), "Amazon SNS")
            case "ses":
                ses = settings.aws.ses
                if ses.sender is None:
                    raise InvalidSettings("aws.ses.sender: otp.email is ses, which needs the verified address of the sender.")
                opening_ses = open_ses(aws_access(ses), text, clock, sender=ses.sender)
                carriers[channel] = GuardedDelivery(await stack.enter_async_context(opening_ses), "Amazon SES")
            case "webhook":
                if webhook is None:
                    called = _webhook(settings.otp, channel)
                    opening_webhook = open_webhook(called.url, called.secret.get_secret_value(), clock, within=called.timeout)
                    webhook = GuardedDelivery(await stack.enter_async_context(opening_webhook), "The webhook for codes")
                carriers[channel] = webhook
            case None:
                pass  # nobody carries this one, and requestOtp does not offer it
    return carriers


def _webhook(otp: OtpSettings, channel: OtpChannel) -> WebhookSettings:
    if otp.webhook is None:
        raise InvalidSettings(f"otp.webhook: otp.{channel.value.lower()} is webhook, which needs a url and a secret here.")
    if not otp.webhook.secret.get_secret_value():
        raise InvalidSettings("otp.webhook.secret: is empty, so anybody could sign. Make one with: openssl rand -base64 32")
    return otp.webhook


def _text(otp: OtpSettings) -> CodeText:
    try:
        return CodeText(otp.message)
    except UnusableTemplate as error:
        raise InvalidSettings(f"otp.message: {error}") from None

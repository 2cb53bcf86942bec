"""One-time codes as e-mail by Amazon SES. Implements `services.ports.CodeDelivery`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from core.clock import Clock
from core.delivery import CodeMessage
from infra.aws import AwsAccess
from infra.otp_aws import one_attempt, require_receipt, sending
from infra.otp_text import SUBJECT, CodeText

if TYPE_CHECKING:
    from types_aiobotocore_sesv2 import SESV2Client


@asynccontextmanager
async def open_ses(access: AwsAccess, text: CodeText, clock: Clock, *, sender: str) -> AsyncIterator["SesDelivery"]:
    """Open SES. Nothing is sent before it is used. *sender* is an address that SES has verified."""
    async with access.session().client("sesv2", endpoint_url=access.endpoint, config=one_attempt()) as client:
        yield SesDelivery(client, text, clock, sender=sender)


class SesDelivery:
    """Plain text to one address at a time."""

    def __init__(self, client: "SESV2Client", text: CodeText, clock: Clock, *, sender: str) -> None:
        self._client = client
        self._text = text
        self._clock = clock
        self._sender = sender

    async def deliver(self, message: CodeMessage) -> None:
        """Send one code, and return once SES has accepted it.

        Raises:
            NotSent: no connection, or SES refused.
            MaybeSent: the answer is missing; SES has no way to recognise a repetition.
        """
        body = self._text.of(message, self._clock.now())
        with sending("SES"):
            answer = await self._client.send_email(
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": [message.destination]},
                Content={
                    "Simple": {
                        "Subject": {"Data": SUBJECT, "Charset": "UTF-8"},
                        "Body": {"Text": {"Data": body, "Charset": "UTF-8"}},
                    }
                },
            )
        require_receipt("SES", answer.get("MessageId"))

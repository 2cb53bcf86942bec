"""One-time codes as text messages by Amazon SNS. Implements `services.ports.CodeDelivery`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from core.clock import Clock
from core.delivery import CodeMessage
from infra.aws import AwsAccess
from infra.otp_aws import one_attempt, require_receipt, sending
from infra.otp_text import CodeText

if TYPE_CHECKING:
    from types_aiobotocore_sns import SNSClient
    from types_aiobotocore_sns.type_defs import MessageAttributeValueTypeDef


@asynccontextmanager
async def open_sns(access: AwsAccess, text: CodeText, clock: Clock, *, sender_id: str | None) -> AsyncIterator["SnsDelivery"]:
    """Open SNS. Nothing is sent before it is used. Countries without sender ids ignore *sender_id*."""
    async with access.session().client("sns", endpoint_url=access.endpoint, config=one_attempt()) as client:
        yield SnsDelivery(client, text, clock, sender_id=sender_id)


class SnsDelivery:
    """Text messages to phone numbers, sent as transactional: before promotions, and past their quiet hours."""

    def __init__(self, client: "SNSClient", text: CodeText, clock: Clock, *, sender_id: str | None) -> None:
        self._client = client
        self._text = text
        self._clock = clock
        self._attributes: dict[str, MessageAttributeValueTypeDef] = {
            "AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}
        }
        if sender_id is not None:
            self._attributes["AWS.SNS.SMS.SenderID"] = {"DataType": "String", "StringValue": sender_id}

    async def deliver(self, message: CodeMessage) -> None:
        """Send one code, and return once SNS has accepted it.

        Raises:
            NotSent: no connection, or SNS refused.
            MaybeSent: the answer is missing; SNS has no way to recognise a repetition.
        """
        with sending("SNS"):
            answer = await self._client.publish(
                PhoneNumber=message.destination,
                Message=self._text.of(message, self._clock.now()),
                MessageAttributes=self._attributes,
            )
        require_receipt("SNS", answer.get("MessageId"))

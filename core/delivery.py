"""A one-time code on its way to a customer, and what can go wrong there."""

from dataclasses import dataclass, field
from datetime import datetime

from core.vocabulary import OtpChannel


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeMessage:
    """What has to reach a customer. `id` is the same for every attempt, so that a receiver can tell a repetition."""

    id: str
    seller_id: str
    channel: OtpChannel
    destination: str = field(repr=False)
    code: str = field(repr=False)
    expires_at: datetime


class NotSent(Exception):
    """The code has certainly not been sent; it can be tried again, unless `final`. Names no destination, no code.

    Final means that no repetition would be taken either: the number does not exist, the provider refuses this customer.
    """

    def __init__(self, message: str, *, final: bool = False) -> None:
        super().__init__(message)
        self.final = final


class MaybeSent(Exception):
    """Nobody knows whether the code was sent. It must not be tried again: the customer would get it twice."""

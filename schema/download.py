"""Where clients download files."""

from datetime import datetime
from typing import Self

import strawberry

from core.files import DownloadTicket


@strawberry.type(description="Where to download a file.")
class DownloadTarget:
    url: str = strawberry.field(description="The link.")
    expires_at: datetime = strawberry.field(description="Until when it works.")

    @classmethod
    def from_ticket(cls, ticket: DownloadTicket) -> Self:
        """Return a download ticket as clients see it."""
        return cls(url=ticket.url, expires_at=ticket.expires_at)

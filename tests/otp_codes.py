"""One-time codes that wait in a database of their own, and carriers that do as they are told."""

import asyncio
import base64
import secrets
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any

from beanie import init_beanie
from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from core.delivery import CodeMessage
from core.ids import IdKind, new_id
from core.sealing import Sealer
from core.vocabulary import OtpChannel, OtpPurpose
from models.otp_challenge import DeliveryState, OtpChallenge, StoredDelivery
from models.registry import STORED_MODELS
from services.otp_envelope import seal_delivery
from tests.clocks import MovableClock
from tests.databases import drop
from tests.servers import Servers

Act = Callable[[CodeMessage], Awaitable[None]]


class Carrier:
    """Remembers the codes it was given, in order, and does what `acts` say one after the other; then it succeeds."""

    def __init__(self, *acts: Exception | Act) -> None:
        self.acts = list(acts)
        self.given: list[str] = []
        self.messages: list[CodeMessage] = []

    async def deliver(self, message: CodeMessage) -> None:
        """Take one code."""
        self.given.append(message.code)
        self.messages.append(message)
        if self.acts:
            act = self.acts.pop(0)
            if isinstance(act, Exception):
                raise act
            await act(message)


async def hang(_: CodeMessage) -> None:
    """Take a code and never say what became of it."""
    await asyncio.Event().wait()


@dataclass(frozen=True)
class Asked:
    """A code that was asked for."""

    id: str
    destination: str
    code: str


class Codes:
    """The collection of one-time codes."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]]) -> None:
        self.database = database
        self.collection = database["otp_challenges"]
        self.clock = MovableClock()
        self.sealer = Sealer(base64.b64encode(secrets.token_bytes(32)).decode())

    async def ask(
        self, channel: OtpChannel = OtpChannel.SMS, *, destination: str | None = None, late: float = 0, **changes: Any
    ) -> Asked:
        """Store a code as signing in does, *late* seconds before now; *changes* are to the record."""
        number = secrets.randbelow(10**7)
        destination = destination or (f"+4915{number:08d}" if channel is OtpChannel.SMS else f"ada{number}@example.com")
        asked = Asked(f"otp_{uuid.uuid4().hex}", destination, f"{secrets.randbelow(10**6):06d}")
        at = self.clock.now() - timedelta(seconds=late)
        record = OtpChallenge(
            id=asked.id,
            seller_id="demo",
            channel=channel,
            purpose=OtpPurpose.LOGIN,
            account="account",
            code_digest=b"digest",
            customer_id=new_id(IdKind.CUSTOMER),
            created_at=at,
            expires_at=at + timedelta(minutes=5),
            delivery=StoredDelivery(
                state=DeliveryState.QUEUED,
                sealed=seal_delivery(self.sealer, asked.id, "demo", asked.destination, asked.code),
                due_at=at,
            ),
        )
        await record.model_copy(update=changes).insert()
        return asked

    async def stored(self, asked: Asked) -> dict[str, Any]:
        """Return a record as it lies in the database."""
        found = await self.collection.find_one({"_id": asked.id})
        assert found is not None
        return found

    async def state(self, asked: Asked) -> str:
        """Return how far a code has come."""
        return str((await self.stored(asked))["delivery"]["state"])

    async def reaches(self, state: DeliveryState, *asked: Asked) -> None:
        """Wait until all of *asked* are in *state*; the test's own time limit ends a wait that is in vain."""
        for one in asked:
            while await self.state(one) != state.value:  # noqa: ASYNC110  the database has no event for it
                await asyncio.sleep(0.02)


@asynccontextmanager
async def open_codes(servers: Servers) -> AsyncIterator[Codes]:
    """Open a database with its indexes, and tell Beanie about it."""
    name = f"codes-{uuid.uuid4().hex[:8]}"
    async with AsyncMongoClient[dict[str, Any]](servers.mongodb_uri, tz_aware=True, tzinfo=UTC, timeoutMS=5000) as client:
        database = client.get_database(name, codec_options=CodecOptions(tz_aware=True, tzinfo=UTC))
        await init_beanie(database=database, document_models=list(STORED_MODELS), skip_indexes=True)
        await OtpChallenge.get_pymongo_collection().create_indexes(OtpChallenge.Settings.indexes)
        try:
            yield Codes(database)
        finally:
            await drop(client, name)

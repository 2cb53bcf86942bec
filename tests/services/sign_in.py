"""Sign-in over the real database, with a clock that tests can move and a courier that leaves the codes where they are."""

import secrets
from dataclasses import dataclass, field

from app.container import Container
from app.keys import token_issuer
from auth.refresh_tokens import RefreshTokens
from core.device import Device
from core.vocabulary import OtpChannel
from models.otp_challenge import DeliveryState, OtpChallenge
from services.one_time_code import CodeRequested, OneTimeCodeService
from services.otp_envelope import open_delivery
from services.session import SessionRules, SessionService
from services.sign_in import LoggedIn, SignInService
from services.throttling import SendAllowances, SignInLimits
from tests.clocks import MovableClock
from tests.outbox import Outbox


def some_network() -> Device:
    """Return a device in a network that no other test calls from."""
    return Device(f"2001:db8:{secrets.randbelow(65536):x}:{secrets.randbelow(65536):x}::1", "a phone")


class IdleCourier:
    """Knows that codes wait, and leaves them."""

    channels = frozenset(OtpChannel)

    def __init__(self) -> None:
        self.nudges = 0

    def nudge(self) -> None:
        """Count."""
        self.nudges += 1


@dataclass
class SignIn:
    """The services of sign-in, put together for one test."""

    container: Container
    outbox: Outbox
    allowances: SendAllowances = field(default_factory=SendAllowances)
    rules: SessionRules = field(default_factory=SessionRules)
    clock: MovableClock = field(default_factory=MovableClock)
    courier: IdleCourier = field(default_factory=IdleCourier)

    home: Device = field(default_factory=some_network)
    elsewhere: Device = field(default_factory=some_network)

    def __post_init__(self) -> None:
        of, sealer = self.container, self.container.rules.sealer
        self.limits = SignInLimits(sealer, self.clock, self.allowances)
        self.sessions = SessionService(
            of.units,
            token_issuer(of.settings, self.clock),
            RefreshTokens(sealer),
            of.revocations,
            self.clock,
            self.rules,
        )
        self.codes = OneTimeCodeService(
            self.limits, self.courier, of.rules.policies, sealer, self.clock, of.settings.otp.lifetime
        )
        self.sign_in = SignInService(of.units, self.sessions, self.limits, of.rules.records, sealer, self.clock)

    async def request(
        self, seller: str, destination: str, *, device: Device | None = None, channel: OtpChannel = OtpChannel.EMAIL
    ) -> CodeRequested:
        """Ask for a code."""
        return await self.codes.request(seller, channel, destination, device or self.home)

    async def code_of(self, challenge_id: str) -> str:
        """Return the code that was made for a challenge."""
        stored = await OtpChallenge.get_pymongo_collection().find_one({"_id": challenge_id})
        assert stored is not None
        sealed, state = stored["delivery"].get("sealed"), stored["delivery"]["state"]
        if state == DeliveryState.QUEUED:
            return open_delivery(self.container.rules.sealer, challenge_id, stored["seller_id"], sealed).code
        # The application's own courier was faster; a code of a moved clock lies in its future.
        assert state in {DeliveryState.SENDING, DeliveryState.SENT}
        return await self.outbox.code(challenge_id)

    async def enter(self, seller: str, destination: str, *, device: Device | None = None) -> LoggedIn:
        """Ask for a code and sign in with it."""
        asked = await self.request(seller, destination, device=device)
        return await self.sign_in.log_in(asked.challenge_id, await self.code_of(asked.challenge_id), device or self.home)


def another(code: str) -> str:
    """Return a code that is not *code*."""
    return f"{(int(code) + 1) % 1_000_000:06d}"

"""Who may ask for how many one-time codes, and guess how often.

What is counted for a destination is counted apart for each network the account has signed in from lately, and once for all
others together. So whoever uses up the others' share, from wherever, never locks out somebody at home.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from auth.limits import (
    FAILURES_PER_ACCOUNT,
    FAILURES_PER_CLIENT,
    FAILURES_PER_NETWORK,
    SEND_GAP,
    SENDS_PER_DESTINATION,
    Limit,
)
from core.clock import Clock
from core.device import Device
from core.errors import RateLimited, TooMany
from core.sealing import Sealer
from repositories import throttle
from repositories.throttle import Admission

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_TEN_MINUTES = timedelta(minutes=10)
_REMEMBERED = timedelta(days=30)

_WAIT = "There were too many requests for codes. Wait {} seconds, then try again."
_GUESSED = "There were too many wrong codes. Wait {} seconds, then ask for a new one."


@dataclass(frozen=True, slots=True, kw_only=True)
class SendAllowances:
    """How many codes may be asked for beside the limits of each destination; see `app.sections.SendLimits`."""

    per_network_ten_minutes: int = 200
    per_network_hour: int = 600
    countries_per_network_day: int = 5
    per_seller_hour: int = 5_000
    per_seller_day: int = 50_000
    global_hour: int = 50_000


class SignInLimits:
    """Keeps the limits of sign-in, over all processes; see `repositories.throttle`."""

    def __init__(self, sealer: Sealer, clock: Clock, allowances: SendAllowances) -> None:
        self._sealer = sealer
        self._clock = clock
        self._allowances = allowances

    async def admit_send(self, seller_id: str, account: str, device: Device, country: str | None) -> None:
        """Count one code for *account*; *country* is that of the phone number.

        Raises:
            TooMany: for the destination, the network, the seller or altogether. Then nothing was counted.
        """
        allowed = self._allowances
        subject = await self._subject("send", account, device)
        admissions = [await self._admit(subject, SENDS_PER_DESTINATION, _WAIT)]
        try:
            if device.network:
                limits = (
                    Limit(allowed.per_network_ten_minutes, _TEN_MINUTES),
                    Limit(allowed.per_network_hour, _HOUR),
                    Limit(allowed.countries_per_network_day, _DAY, distinct=True),
                )
                network = self._key("send-network", device.network)
                admissions.append(await self._admit(network, limits, _WAIT, what=country))
            await self._spend(f"otp:{seller_id}", allowed.per_seller_hour, _HOUR)
            await self._spend(f"otp:{seller_id}", allowed.per_seller_day, _DAY)
            await self._spend("otp", allowed.global_hour, _HOUR)
        except TooMany:
            await self.forgive(admissions)
            raise

    async def admit_guess(self, account: str, device: Device) -> Sequence[Admission]:
        """Count one guess for *account* as a wrong one. Take it back with `forgive` when it was right.

        Raises:
            TooMany: too many wrong guesses lately.
        """
        admissions = []
        if device.network:
            network = self._key("guess-network", device.network)
            admissions.append(await self._admit(network, FAILURES_PER_NETWORK, _GUESSED))
        subject = await self._subject("guess", account, device)
        admissions.append(await self._admit(subject, FAILURES_PER_ACCOUNT, _GUESSED))
        return admissions

    async def admit_client(self, client_id: str, network: str) -> Callable[[], Awaitable[None]]:
        """Count one attempt of a service client as a failure. Await what is returned when it was none.

        Raises:
            RateLimited: too many failures lately.
        """
        subject = self._key("client", client_id, network)
        admission = await throttle.admit(subject, FAILURES_PER_CLIENT, self._clock.now())
        if admission.hit is None:
            raise RateLimited(admission.retry_after)
        return lambda: throttle.take_back(admission)

    async def forgive(self, admissions: Sequence[Admission]) -> None:
        """Forget what was counted."""
        for admission in admissions:
            await throttle.take_back(admission)

    async def welcome(self, account: str, device: Device) -> None:
        """Start counting wrong guesses anew, and remember the network: somebody has just proved to be the customer here."""
        await throttle.clear(await self._subject("guess", account, device))
        if device.network:
            await throttle.remember(self._network(account, device), self._clock.now() + _REMEMBERED)

    async def _admit(self, subject: str, limits: tuple[Limit, ...], message: str, *, what: str | None = None) -> Admission:
        admission = await throttle.admit(subject, limits, self._clock.now(), what=what)
        if admission.hit is None:
            raise TooMany(message.format(admission.retry_after), admission.retry_after)
        return admission

    async def _spend(self, allowance: str, limit: int, period: timedelta) -> None:
        if wait := await throttle.spend(allowance, limit, period, self._clock.now()):
            raise TooMany(_WAIT.format(wait), wait)

    async def _subject(self, action: str, account: str, device: Device) -> str:
        """Return whose counter it is: that of the account at a network it knows, or everywhere else."""
        known = device.network and await throttle.knows(self._network(account, device), self._clock.now())
        return self._key(action, account, device.network if known else "")

    def _network(self, account: str, device: Device) -> str:
        return self._key("known-network", account, device.network)

    def _key(self, *parts: str) -> str:
        return self._sealer.mac("throttle", *parts).hex()


RESEND_AFTER = int(SEND_GAP.total_seconds())
"""Seconds after which another code may be asked for."""

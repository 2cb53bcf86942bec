"""Who may ask for how many one-time codes, and guess how often.

Every network has counters of its own for a destination; these are what callers meet. All networks that the account has not
signed in from lately share one more, which nobody meets: beyond it no code is sent, and none is believed. So an attacker with
many addresses gets no further than one with one, cannot lock out somebody at home, and learns from no answer whether there is
a customer. Nor do budgets tell: they are charged for codes that are really sent (`SendBudgets`), behind the answer.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
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
from core.device import UNKNOWN_NETWORK, Device
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
    """How many codes may be asked for beside the limits of each destination; see `app.identity_sections.SendLimits`."""

    per_network_ten_minutes: int = 300
    per_network_hour: int = 1_000
    countries_per_network_day: int = 5
    per_seller_hour: int = 5_000
    per_seller_day: int = 50_000
    global_hour: int = 50_000


@dataclass(frozen=True, slots=True)
class Guess:
    """A guess that may be made. One that is not `believed` counts as wrong, whatever it is."""

    believed: bool
    counted: Sequence[Admission]


class SendBudgets:
    """How many codes may really be sent, for one seller and altogether, by the clock hour and day."""

    def __init__(self, clock: Clock, allowances: SendAllowances) -> None:
        self._clock = clock
        self._allowances = allowances

    async def spend(self, seller_id: str) -> bool:
        """Use up one code of a seller; False when there is none left.

        Raises:
            Unavailable: the database does not answer.
        """
        allowed = self._allowances
        for name, limit, period in (
            (f"otp:{seller_id}", allowed.per_seller_hour, _HOUR),
            (f"otp:{seller_id}", allowed.per_seller_day, _DAY),
            ("otp", allowed.global_hour, _HOUR),
        ):
            if await throttle.spend(name, limit, period, self._clock.now()):
                return False
        return True


class SignInLimits:
    """Keeps the limits of sign-in, over all processes; see `repositories.throttle`."""

    def __init__(self, sealer: Sealer, clock: Clock, allowances: SendAllowances) -> None:
        self._sealer = sealer
        self._clock = clock
        self._allowances = allowances

    async def admit_send(self, account: str, device: Device, country: str | None) -> bool:
        """Count one code for *account*, and say whether it is to be sent; *country* is that of the phone number.

        Raises:
            TooMany: for the destination or the network. Then nothing was counted.
        """
        allowed = self._allowances
        own = await self._admit(self._key("send", account, device.network), SENDS_PER_DESTINATION, _WAIT)
        limits = (
            Limit(allowed.per_network_ten_minutes, _TEN_MINUTES),
            Limit(allowed.per_network_hour, _HOUR),
            Limit(allowed.countries_per_network_day, _DAY, distinct=True),
        )
        try:
            await self._admit(self._key("send-network", device.network), limits, _WAIT, what=country)
        except TooMany:
            await throttle.take_back(own)
            raise
        return await self._share("send", account, device, SENDS_PER_DESTINATION) is not None

    async def admit_guess(self, account: str, device: Device) -> Guess:
        """Count one guess for *account* as a wrong one. Take it back with `forgive` when it was right.

        Raises:
            TooMany: too many wrong guesses lately.
        """
        network = await self._admit(self._key("guess-network", device.network), FAILURES_PER_NETWORK, _GUESSED)
        own = await self._admit(self._key("guess", account, device.network), FAILURES_PER_ACCOUNT, _GUESSED)
        share = await self._share("guess", account, device, FAILURES_PER_ACCOUNT)
        return Guess(share is not None, [network, own, *([] if share is None else [share])])

    async def forgive(self, guess: Guess) -> None:
        """Forget a guess: it was right."""
        for admission in guess.counted:
            await throttle.take_back(admission)

    async def welcome(self, account: str, device: Device) -> None:
        """Start counting wrong guesses anew, and remember the network: somebody has just proved to be the customer here."""
        await throttle.clear(self._key("guess", account, device.network))
        await throttle.remember(self._network(account, device), self._clock.now() + _REMEMBERED)

    def traces(self, account: str, devices: Iterable[Device]) -> list[str]:
        """Return the ids of all that may be kept about *account*, and about its use of the networks of *devices*.

        What was counted for it in networks that nobody knows any more cannot be found again; that is over within 30 days.
        """
        found = [self._key("send", account), self._key("guess", account)]
        for device in devices:
            found += [self._key(action, account, device.network) for action in ("send", "guess", "known-network")]
        return found

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

    async def _admit(self, subject: str, limits: tuple[Limit, ...], message: str, *, what: str | None = None) -> Admission:
        admission = await throttle.admit(subject, limits, self._clock.now(), what=what)
        if admission.hit is None:
            raise TooMany(message.format(admission.retry_after), admission.retry_after)
        return admission

    async def _share(self, action: str, account: str, device: Device, limits: tuple[Limit, ...]) -> Admission | None:
        """Count for all strange networks together; None when they have no more. A network that is known has no part in it."""
        now = self._clock.now()
        # Asked in either case, so that both take as long.
        share = await throttle.admit(self._key(action, account), limits, now)
        if device.network != UNKNOWN_NETWORK and await throttle.knows(self._network(account, device), now):
            await throttle.take_back(share)
            return Admission(share.subject, None)
        return None if share.hit is None else share

    def _network(self, account: str, device: Device) -> str:
        return self._key("known-network", account, device.network)

    def _key(self, *parts: str) -> str:
        return self._sealer.mac("throttle", *parts).hex()


RESEND_AFTER = int(SEND_GAP.total_seconds())
"""Seconds after which another code may be asked for."""

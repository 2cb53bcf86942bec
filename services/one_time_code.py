"""One-time codes that are asked for.

Nothing here tells whether somebody is a customer: a code is asked for, counted and stored in the same way for everybody, and
only its delivery, in the background, makes the difference.
"""

from dataclasses import dataclass
from datetime import timedelta

from prometheus_client import Counter

from auth.one_time_codes import account_key, code_digest, new_challenge_id, new_code
from auth.principal import SELLER_ID_RULE, is_seller_id
from core.clock import Clock
from core.device import Device
from core.errors import ErrorCode, Problem, Refused
from core.sealing import Sealer
from core.tenancy import Tenant
from core.vocabulary import CustomerStatus, OtpChannel, OtpPurpose
from models.customer import Customer
from models.otp_challenge import DeliveryState, OtpChallenge, StoredDelivery
from repositories.unit_of_work import Repositories
from services.otp_envelope import seal_delivery
from services.ports import Courier
from services.rules.email import normalise_email
from services.rules.phone import calling_code, normalise_phone
from services.seller import SellerPolicies
from services.throttling import RESEND_AFTER, SignInLimits

_CODES = Counter("otp_requests", "One-time codes asked for, by outcome.", ["channel", "outcome"])

CONTACT_FIELD = {OtpChannel.SMS: "phone", OtpChannel.EMAIL: "email"}
"""The stored field of a customer that a channel leads to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRequested:
    """A code is on its way, or would be. Times are in seconds."""

    challenge_id: str
    expires_in: int
    resend_after: int = RESEND_AFTER


class OneTimeCodeService:
    """Makes one-time codes and hands them to the courier."""

    def __init__(
        self,
        limits: SignInLimits,
        courier: Courier,
        policies: SellerPolicies,
        sealer: Sealer,
        clock: Clock,
        lifetime: timedelta,
    ) -> None:
        self._limits = limits
        self._courier = courier
        self._policies = policies
        self._sealer = sealer
        self._clock = clock
        self._lifetime = lifetime

    async def request(self, seller_id: str, channel: OtpChannel, destination: str, device: Device) -> CodeRequested:
        """Send a code to a customer of a seller, if *destination* is one's.

        Raises:
            Refused: the seller's id, the channel or the destination cannot be right, whoever it is.
            TooMany: too many codes were asked for; the same for customers and others.
        """
        if not is_seller_id(seller_id):
            raise Refused.because(ErrorCode.INVALID, SELLER_ID_RULE, "sellerId")
        await self._policies.learn(seller_id)
        address = self._checked(seller_id, channel, destination)
        account = account_key(self._sealer, seller_id, address)
        country = calling_code(address) if channel is OtpChannel.SMS else None
        try:
            wanted = await self._limits.admit_send(account, device, country)
        except Refused:
            _CODES.labels(channel.value, "throttled").inc()
            raise
        customer = await Repositories(Tenant(seller_id)).customers.find(CONTACT_FIELD[channel], [address])
        challenge = self._challenge(seller_id, channel, address, account, customer if wanted else None)
        await Repositories(Tenant(seller_id)).otp_challenges.insert(challenge)
        self._courier.nudge()
        _CODES.labels(channel.value, "accepted").inc()
        return CodeRequested(challenge_id=challenge.id, expires_in=int(self._lifetime.total_seconds()))

    def _checked(self, seller_id: str, channel: OtpChannel, destination: str) -> str:
        problems = []
        channels = self._courier.channels & set(self._policies.otp_channels_of(seller_id))
        if channel not in channels:
            offered = " or ".join(sorted(one.value for one in channels)) or "none at all"
            problems.append(Problem(ErrorCode.INVALID, f"Codes are not sent this way here. Use {offered}.", ("channel",)))
        if channel is OtpChannel.SMS:
            address, problem = normalise_phone(destination, self._policies.of(seller_id).default_country)
        else:
            address, problem = normalise_email(destination)
        if address is None and problem is not None:
            problems.append(problem.under("destination"))
        if problems or address is None:
            raise Refused(problems)
        # A number that is only possible may stand in an imported customer: it can sign in with it.
        return address

    def _challenge(
        self, seller_id: str, channel: OtpChannel, address: str, account: str, customer: Customer | None
    ) -> OtpChallenge:
        """Return what is stored; the same work for somebody and for nobody."""
        at = self._clock.now()
        challenge_id, code, purpose = new_challenge_id(), new_code(), OtpPurpose.LOGIN
        sealed = seal_delivery(self._sealer, challenge_id, seller_id, address, code)
        somebody = customer is not None and customer.status is not CustomerStatus.SUSPENDED
        return OtpChallenge(
            id=challenge_id,
            seller_id=seller_id,
            channel=channel,
            purpose=purpose,
            account=account,
            code_digest=code_digest(self._sealer, code, challenge_id=challenge_id, account=account, purpose=purpose),
            customer_id=customer.id if customer is not None and somebody else None,
            created_at=at,
            expires_at=at + self._lifetime,
            delivery=StoredDelivery(state=DeliveryState.QUEUED, sealed=sealed, due_at=at),
        )

"""Sign-in of customers with the one-time codes they were sent."""

import hmac
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import Counter

from auth.one_time_codes import MAX_ATTEMPTS, account_key, code_digest, typed_code
from auth.principal import CUSTOMER_SCOPES, Principal
from auth.refresh_tokens import RefreshToken
from core.clock import Clock
from core.device import Device
from core.errors import ErrorCode, Refused
from core.sealing import Sealer
from core.tenancy import Tenant
from core.vocabulary import CustomerEventType, CustomerStatus, OtpPurpose, PrincipalKind
from models.customer import Customer
from models.otp_challenge import OtpChallenge
from models.session import Session
from repositories import otp_challenge
from repositories.unit_of_work import Repositories, UnitOfWork
from services.changes import of_customer
from services.one_time_code import CONTACT_FIELD
from services.records import RecordMaker, changed_fields, moment_after
from services.session import SessionService, SessionTokens
from services.throttling import SignInLimits

_LOGINS = Counter("otp_logins", "One-time codes presented, by outcome.", ["outcome"])

_OVER = "This code no longer holds. Ask for a new one."
_TRIED_OUT = "There were too many wrong codes for this request. Ask for a new one."


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A customer who has just proved to be one."""

    tokens: SessionTokens
    customer: Customer


class SignInService:
    """Takes one-time codes and begins sessions for them."""

    def __init__(
        self,
        units: UnitOfWork,
        sessions: SessionService,
        limits: SignInLimits,
        records: RecordMaker,
        sealer: Sealer,
        clock: Clock,
    ) -> None:
        self._units = units
        self._sessions = sessions
        self._limits = limits
        self._records = records
        self._sealer = sealer
        self._clock = clock

    async def log_in(self, challenge_id: str, code: str, device: Device) -> LoggedIn:
        """Begin a session for the customer who was sent *code* for this challenge. The contact counts as verified from then on.

        Raises:
            Refused: INVALID_CODE, or CODE_EXPIRED for a challenge that is unknown, used or over.
            TooMany: the challenge, the account or the network has had too many wrong codes.
        """
        typed = typed_code(code)
        if typed is None:
            raise Refused.because(ErrorCode.INVALID_CODE, "A code has six digits.", "code")
        try:
            logged_in = await self._log_in(challenge_id, typed, device)
        except Refused as refusal:
            _LOGINS.labels(refusal.problems[0].code.value).inc()
            raise
        _LOGINS.labels("OK").inc()
        return logged_in

    async def _log_in(self, challenge_id: str, code: str, device: Device) -> LoggedIn:
        # Counted before anything is compared, in one step: whoever guesses a hundred times at once compares five times.
        at = self._clock.now()
        challenge = await otp_challenge.attempt(challenge_id, at)
        if challenge is None:
            tried_out = await otp_challenge.tried_out(challenge_id, at)
            refusal = (ErrorCode.TOO_MANY_ATTEMPTS, _TRIED_OUT) if tried_out else (ErrorCode.CODE_EXPIRED, _OVER)
            raise Refused.because(*refusal, "code")
        guess = await self._limits.admit_guess(challenge.account, device)
        given = code_digest(self._sealer, code, challenge_id=challenge.id, account=challenge.account, purpose=OtpPurpose.LOGIN)
        right = hmac.compare_digest(given, challenge.code_digest)
        if not right or challenge.customer_id is None or not guess.believed:
            raise _wrong(challenge)
        await self._limits.forgive(guess)
        session, token, customer = await self._units.run(
            Tenant(challenge.seller_id),
            lambda work: self._enter(work, challenge, str(challenge.customer_id), device),
            turn=challenge.customer_id,
        )
        await self._limits.welcome(challenge.account, device)
        return LoggedIn(self._sessions.tokens(session, token), customer)

    async def _enter(
        self, work: Repositories, challenge: OtpChallenge, customer_id: str, device: Device
    ) -> tuple[Session, RefreshToken, Customer]:
        at = self._clock.now()
        if await work.otp_challenges.consume(challenge.id, at) is None:
            raise Refused.because(ErrorCode.CODE_EXPIRED, _OVER, "code")
        customer = await work.customers.get(customer_id)
        if customer is None or customer.status is CustomerStatus.SUSPENDED or not self._holds(customer, challenge):
            raise Refused.because(ErrorCode.CODE_EXPIRED, _OVER, "code")
        await work.otp_challenges.consume_all(challenge.account, at)
        principal = Principal(
            kind=PrincipalKind.CUSTOMER, subject=customer.id, scopes=CUSTOMER_SCOPES, seller_id=challenge.seller_id
        )
        session, token = await self._sessions.begin(work, principal, device, channel=challenge.channel)
        await work.retained.signed_in(customer.id, at)
        return session, token, await self._verified(work, principal, customer, f"{CONTACT_FIELD[challenge.channel]}_verified")

    def _holds(self, customer: Customer, challenge: OtpChallenge) -> bool:
        """Say whether the destination still is the customer's."""
        address = getattr(customer, CONTACT_FIELD[challenge.channel])
        return address is not None and account_key(self._sealer, challenge.seller_id, address) == challenge.account

    async def _verified(self, work: Repositories, principal: Principal, customer: Customer, field: str) -> Customer:
        values: dict[str, object] = {} if getattr(customer, field) else {field: True}
        names = changed_fields(values)
        if customer.retention_due_at is not None:
            values |= {"retention_flagged_at": None, "retention_due_at": None}
            names.append("retention")
        if not values:
            return customer
        at: datetime = moment_after(customer, self._clock.now())
        changed = await work.customers.change(customer, at, values)
        if changed is None:
            raise Refused.because(ErrorCode.CODE_EXPIRED, _OVER, "code")
        event = self._records.event(
            changed,
            CustomerEventType.UPDATED,
            actor=principal.actor,
            changed=names,
            changes=of_customer(customer, values),
        )
        await work.events.append([event])
        return changed


def _wrong(challenge: OtpChallenge) -> Refused:
    left = MAX_ATTEMPTS - challenge.attempts
    attempts = {0: "This was the last attempt: ask for a new one.", 1: "One attempt is left."}
    return Refused.because(
        ErrorCode.INVALID_CODE, f"The code is wrong. {attempts.get(left, f'{left} attempts are left.')}", "code"
    )

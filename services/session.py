"""Sessions: begun by a sign-in, kept alive by refreshes, ended by whoever is allowed to, and by whoever steals a token."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from prometheus_client import Counter

from auth.principal import Principal, Scope
from auth.refresh_tokens import SALT_BYTES, RefreshToken, RefreshTokens
from auth.tokens import TokenIssuer
from core.clock import Clock
from core.device import Device
from core.errors import ErrorCode, Refused
from core.ids import IdKind, new_id
from core.tenancy import Tenant
from core.vocabulary import OtpChannel, PrincipalKind, SessionEnd
from models.session import Session
from repositories import session as stored_sessions
from repositories.revocation import revoke
from repositories.unit_of_work import Repositories, UnitOfWork
from services.customer_lookup import not_found
from services.revocations import Revocations
from services.session_ends import LONGEST_TOKEN, end_sessions

_log = structlog.get_logger("sessions")

GRACE = timedelta(seconds=10)
"""How long a refresh token that was just used still gives the same successor: two tabs, or an answer that got lost."""

_REFRESHES = Counter("session_refreshes", "Refreshes of sessions, by outcome.", ["outcome"])


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRules:
    """How long tokens and sessions hold, and how many sessions one person may have."""

    access_token_lifetime: timedelta = timedelta(minutes=10)
    idle: timedelta = timedelta(days=14)
    lifetime: timedelta = timedelta(days=30)
    most: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionTokens:
    """What a client gets to go on with. `expires_in` is in seconds, for the access token."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int
    session_id: str
    principal: Principal


class SessionService:
    """Begins, refreshes, lists and ends sessions."""

    def __init__(
        self,
        units: UnitOfWork,
        issuer: TokenIssuer,
        refresh_tokens: RefreshTokens,
        revocations: Revocations,
        clock: Clock,
        rules: SessionRules,
    ) -> None:
        self._units = units
        self._issuer = issuer
        self._refresh_tokens = refresh_tokens
        self._revocations = revocations
        self._clock = clock
        self._rules = rules

    # ------------------------------------------------------------------ beginning

    async def start(
        self,
        *,
        kind: PrincipalKind,
        subject: str,
        seller_id: str,
        scopes: frozenset[Scope],
        device: Device,
        methods: tuple[str, ...],
    ) -> SessionTokens:
        """Begin a session for somebody who has just proved who it is, by *methods* (RFC 8176)."""
        principal = Principal(kind=kind, subject=subject, scopes=scopes, seller_id=seller_id)

        async def body(work: Repositories) -> tuple[Session, RefreshToken]:
            return await self.begin(work, principal, device)

        session, token = await self._units.run(Tenant(seller_id), body)
        return self.tokens(session, token, methods)

    async def begin(
        self, work: Repositories, principal: Principal, device: Device, *, channel: OtpChannel | None = None
    ) -> tuple[Session, RefreshToken]:
        """Store a new session as part of a transaction; the one used least recently ends when there are too many."""
        at = self._clock.now()
        session_id = new_id(IdKind.SESSION)
        token = self._refresh_tokens.first(session_id)
        session = Session(
            id=session_id,
            seller_id=str(principal.seller_id),
            kind=principal.kind,
            subject=principal.subject,
            scopes=sorted(scope.value for scope in principal.scopes),
            channel=channel,
            created_at=at,
            updated_at=at,
            last_seen_at=at,
            idle_until=at + self._rules.idle,
            expires_at=at + self._rules.lifetime,
            user_agent=device.user_agent,
            ip_address=device.ip_address,
            digest=token.digest,
        )
        await work.sessions.take_turn(principal.subject, session.expires_at)
        others = await work.sessions.of_subject(session.seller_id, principal.kind, principal.subject, at)
        await end_sessions(work, others[self._rules.most - 1 :], SessionEnd.REPLACED, at)
        await work.sessions.insert(session)
        return session, token

    def tokens(self, session: Session, token: RefreshToken, methods: Sequence[str] = ()) -> SessionTokens:
        """Return what a client of *session* goes on with."""
        principal = _principal(session)
        access_token = self._issuer.issue(
            kind=principal.kind,
            subject=principal.subject,
            scopes=principal.scopes,
            lifetime=self._rules.access_token_lifetime,
            seller_id=session.seller_id,
            session_id=session.id,
            methods=methods or _methods(session.channel),
        )
        return SessionTokens(
            access_token=access_token,
            refresh_token=token.text,
            expires_in=int(self._rules.access_token_lifetime.total_seconds()),
            session_id=session.id,
            principal=principal,
        )

    # ------------------------------------------------------------------- going on

    async def refresh(self, refresh_token: str, device: Device) -> SessionTokens:
        """Exchange a refresh token for new tokens. It is good once, and for `GRACE` after that gives the same successor.

        A token that was used before ends its session: somebody has stolen it, or its owner has.

        Raises:
            Refused: INVALID, with one message for every reason.
        """
        token = self._refresh_tokens.read(refresh_token.strip())
        if token is None:
            raise self._refusal("unknown")
        at = self._clock.now()
        salt = secrets.token_bytes(SALT_BYTES)
        successor = self._refresh_tokens.successor(token, salt)
        session = await stored_sessions.rotate(
            token.session_id,
            token.digest,
            successor=successor.digest,
            salt=salt,
            at=at,
            idle_until=at + self._rules.idle,
            device=device,
        )
        if session is None:
            session, successor = await self._again(token, at)
        _REFRESHES.labels("refreshed").inc()
        return self.tokens(session, successor)

    async def _again(self, token: RefreshToken, at: datetime) -> tuple[Session, RefreshToken]:
        """Return what a repeated refresh gets: the same as the first one got, or nothing and the end of the session."""
        session = await stored_sessions.with_id(token.session_id)
        if session is None or min(session.idle_until, session.expires_at) <= at:
            raise self._refusal("over")
        if session.previous_digest == token.digest and session.salt and session.rotated_at:
            successor = self._refresh_tokens.successor(token, session.salt)
            if at - session.rotated_at <= GRACE and successor.digest == session.digest:
                return session, successor
        await self._end([session], SessionEnd.TOKEN_REUSED)
        _log.warning("a refresh token was used again", session_id=session.id, seller_id=session.seller_id)
        raise self._refusal("reused")

    # --------------------------------------------------------------------- reading

    async def list(self, viewer: Principal) -> Sequence[Session]:
        """Return the caller's own sessions, the one used last in front."""
        if viewer.seller_id is None:
            return []
        work = Repositories(viewer.reach())
        return await work.sessions.of_subject(viewer.seller_id, viewer.kind, viewer.subject, self._clock.now())

    async def get(self, viewer: Principal, session_id: str) -> Session | None:
        """Return one of the caller's own sessions; None for everything else."""
        return next((session for session in await self.list(viewer) if session.id == session_id), None)

    # ---------------------------------------------------------------------- ending

    async def logout(self, viewer: Principal, *, everywhere: bool) -> Sequence[str]:
        """End the caller's session, or all of them. Returns the ids of those that were ended.

        Raises:
            Refused: STATE, for a token of another issuer, which has no session here.
        """
        own = await self.list(viewer)
        chosen = own if everywhere else [session for session in own if session.id == viewer.session_id]
        await self._end(chosen, SessionEnd.LOGOUT)
        ended = [session.id for session in chosen]
        if viewer.session_id is not None and viewer.session_id not in ended:
            # A token that was made by hand belongs to no stored session, and stops holding all the same.
            at = self._clock.now()
            await revoke([viewer.session_id], at, at + LONGEST_TOKEN)
            self._revocations.know({viewer.session_id: at})
            ended.append(viewer.session_id)
        if not ended:
            raise Refused.because(ErrorCode.STATE, "Your token comes from another issuer: end the session there.")
        return ended

    async def revoke(self, viewer: Principal, session_id: str) -> str:
        """End one of the caller's own sessions. Returns its id.

        Raises:
            Refused: NOT_FOUND, the same for unknown ids, sessions that are over and those of others.
        """
        session = await self.get(viewer, session_id)
        if session is None:
            raise not_found("id")
        await self._end([session], SessionEnd.REVOKED)
        return session.id

    async def end(self, refresh_token: str) -> None:
        """End the session of a refresh token, when there is one."""
        token = self._refresh_tokens.read(refresh_token)
        session = None if token is None else await stored_sessions.with_id(token.session_id)
        if session is not None:
            await self._end([session], SessionEnd.LOGOUT)

    async def _end(self, sessions: Sequence[Session], why: SessionEnd) -> None:
        if not sessions:
            return
        at = self._clock.now()
        await self._units.run(Tenant(sessions[0].seller_id), lambda work: end_sessions(work, sessions, why, at))
        self._revocations.know({session.id: at for session in sessions})

    def _refusal(self, outcome: str) -> Refused:
        _REFRESHES.labels(outcome).inc()
        message = "The refresh token is not valid, or no longer. Sign in again."
        return Refused.because(ErrorCode.INVALID, message, "refreshToken")


def _principal(session: Session) -> Principal:
    known = {scope.value for scope in Scope}
    return Principal(
        kind=session.kind,
        subject=session.subject,
        scopes=frozenset(Scope(word) for word in session.scopes if word in known),
        seller_id=session.seller_id,
        session_id=session.id,
    )


def _methods(channel: OtpChannel | None) -> tuple[str, ...]:
    return () if channel is None else ("otp", "sms") if channel is OtpChannel.SMS else ("otp",)

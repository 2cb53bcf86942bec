"""The sections of the settings about who comes in: keys, tokens, trusted issuers, operators, one-time codes."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from app.sections import HTTP_URL, SELLER_ID, HttpAddress, Section
from auth.principal import SCOPES, Scope
from core.vocabulary import OtpChannel, PrincipalKind

_ISSUER = r"^[^\s|]{1,255}$"  # the bar separates an issuer from a subject, see auth/claim_mapping.py
_DISCOVERY_URL = r"^https?://[^\s|]+/\.well-known/[^\s|]+$"
# One slash, then anything but another one and the backslash that browsers take for one: a path on this host.
_LOCAL_PATH = r"^/([!-.0-\[\]-~][!-\[\]-~]*)?$"

SigningAlgorithm = Literal["ES256", "ES384", "ES512", "RS256", "PS256", "Ed25519", "EdDSA"]
"""How others may sign. Neither ``none`` nor one with a shared secret (``HS256``) can be configured."""


class ClaimNames(Section):
    """Which claim of another issuer's token says what; dots lead inwards (``realm_access.roles``)."""

    subject: str = Field("sub", min_length=1)
    seller: str = Field("seller_id", min_length=1)
    scope: str = Field("scope", min_length=1)


class RoleGrant(Section):
    """What one word of another issuer's scopes, roles or groups allows here."""

    role: str = Field(min_length=1)
    allows: list[Scope] = Field(min_length=1)


class TrustedIssuerSettings(Section):
    """Somebody else whose access tokens are accepted: an API gateway, a company's identity provider."""

    issuer: str = Field(pattern=_ISSUER)
    audience: str = Field(min_length=1)
    jwks_url: HttpAddress
    """Where its public keys are; https in production."""
    algorithms: list[SigningAlgorithm] = Field(["ES256", "RS256"], min_length=1)
    types: list[str] = Field(["at+jwt", "JWT"], min_length=1)
    """Values of the header ``typ`` that are accepted; a token without one counts as ``JWT``."""
    kind: PrincipalKind = PrincipalKind.OPERATOR
    """What the callers of this issuer are."""
    seller_id: str | None = Field(None, pattern=SELLER_ID)
    """The seller that all its callers belong to; None reads it from the token."""
    all_sellers: bool = False
    """Services only: a token without a seller may act for every seller. Otherwise such a token is refused."""
    claims: ClaimNames = ClaimNames()
    granted: list[Scope] = []
    """The most that its tokens may allow here; empty means what the kind of caller may do."""
    roles: list[RoleGrant] = []
    """What their scopes, roles or groups allow here. Words that are scopes of ours mean themselves."""

    @property
    def most(self) -> frozenset[Scope]:
        """The most that its tokens may allow here."""
        return _most(self.granted, self.kind)

    @field_validator("all_sellers")
    @classmethod
    def _only_services_act_for_all(cls, value: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - Pydantic's signature
        if value and (info.data.get("kind") is not PrincipalKind.SERVICE or info.data.get("seller_id") is not None):
            message = "Only services that are bound to no seller can act for all of them"
            raise ValueError(message)
        return value

    @field_validator("granted")
    @classmethod
    def _customers_stay_customers(cls, value: list[Scope], info: ValidationInfo) -> list[Scope]:
        if info.data.get("kind") is PrincipalKind.CUSTOMER and (beyond := set(value) - SCOPES[PrincipalKind.CUSTOMER]):
            message = f"Customers are never allowed: {', '.join(sorted(beyond))}"
            raise ValueError(message)
        return value

    @field_validator("roles")
    @classmethod
    def _roles_within_the_grant(cls, value: list[RoleGrant], info: ValidationInfo) -> list[RoleGrant]:
        if "kind" in info.data and "granted" in info.data:
            most = _most(info.data["granted"], info.data["kind"])
            if beyond := {scope for grant in value for scope in grant.allows} - most:
                message = f"Beyond what this issuer may allow: {', '.join(sorted(beyond))}. Add it to granted, or leave it out"
                raise ValueError(message)
        return value


def _most(granted: list[Scope], kind: PrincipalKind) -> frozenset[Scope]:
    return frozenset(granted) or SCOPES[kind]


class OperatorSignInSettings(Section):
    """OpenID Connect for operators of the console."""

    discovery_url: Annotated[HttpAddress, Field(pattern=_DISCOVERY_URL)]
    """The provider's ``/.well-known/openid-configuration``; https in production."""
    issuer: str | None = Field(None, pattern=_ISSUER)
    """The ``iss`` of its ID tokens; None means the address in front of ``/.well-known/``, as the standard wants it."""
    client_id: str = Field(min_length=1)
    client_secret: SecretStr = Field(min_length=1)
    algorithms: list[SigningAlgorithm] = Field(["ES256", "RS256"], min_length=1)
    """How its ID tokens may be signed."""
    request: list[str] = ["openid", "profile", "email"]
    """The scopes asked for; ``openid`` has to be among them."""
    claims: ClaimNames = ClaimNames(scope="roles")
    """Which claims of the ID token name the operator, the seller and the roles."""
    seller_id: str | None = Field(None, pattern=SELLER_ID)
    """The seller that all operators belong to; None reads it from the ID token."""
    roles: list[RoleGrant] = []
    """What their roles allow here; empty allows every operator what operators may do."""
    after_sign_in: str = Field("/console", pattern=_LOCAL_PATH)
    """The page to go to afterwards: a path on the service's own host."""

    @field_validator("request")
    @classmethod
    def _asks_for_an_id_token(cls, value: list[str]) -> list[str]:
        if "openid" not in value:
            message = "Without openid the provider sends no ID token: add it"
            raise ValueError(message)
        return value


class SecuritySettings(Section):
    """Secrets shared by every process. No defaults, on purpose."""

    issuer: str = "customer-service"
    audience: str = "customer-service"
    key_file: Path
    """A JWK Set with the private keys that sign access tokens."""
    master_key: SecretStr
    """32 bytes in base 64: document numbers are encrypted, and found again, with keys derived from it."""
    access_token_lifetime: timedelta = timedelta(minutes=10)
    otp_outbox: Path | None = None
    """Development only: a file that receives every code instead of a phone."""
    refresh_token_idle: timedelta = timedelta(days=14)
    """A session that is not used for this long is over."""
    session_lifetime: timedelta = timedelta(days=30)
    """A session is over after this long, used or not (NIST SP 800-63B-4, AAL1)."""
    sessions_per_customer: int = Field(10, ge=1, le=100)
    """Beyond that, a new sign-in ends the session that was used least recently."""
    trusted_issuers: list[TrustedIssuerSettings] = []
    """Whose access tokens are accepted besides our own."""
    operator_sign_in: OperatorSignInSettings | None = None
    """The identity provider that operators of the console sign in with."""

    @field_validator("trusted_issuers")
    @classmethod
    def _each_issuer_once(cls, value: list[TrustedIssuerSettings], info: ValidationInfo) -> list[TrustedIssuerSettings]:
        names = [trusted.issuer for trusted in value]
        if info.data.get("issuer") in names:
            message = "One of them has the name of this service's own issuer, whose keys are not for others to choose"
            raise ValueError(message)
        if len(set(names)) < len(names):
            message = "Two of them have the same issuer: name each once"
            raise ValueError(message)
        return value


class WebhookSettings(Section):
    """A program of yours that sends the messages."""

    url: str = Field(pattern=HTTP_URL)
    secret: SecretStr
    """Signs every call, so that your program can tell it is ours."""
    timeout: float = Field(5, gt=0, le=30)


class SendLimits(Section):
    """How many codes may be asked for, beyond the limits of each destination (30 s apart, 3 in 10 minutes, 5 an hour)."""

    per_network_ten_minutes: int = Field(300, ge=1)
    per_network_hour: int = Field(1_000, ge=1)
    countries_per_network_day: int = Field(5, ge=1)
    """How many countries' phone numbers one network may ask for."""
    per_seller_hour: int = Field(5_000, ge=1)
    per_seller_day: int = Field(50_000, ge=1)
    global_hour: int = Field(50_000, ge=1)


class OtpSettings(Section):
    """One-time codes: over which channels they go, who sends them, and how many."""

    channels: list[OtpChannel] = [OtpChannel.SMS, OtpChannel.EMAIL]
    """E-mail is the weaker of the two: whoever reads the mailbox is the customer (NIST SP 800-63B-4, 3.1.3.1)."""
    sms: Literal["sns", "webhook"] | None = None
    email: Literal["ses", "webhook"] | None = None
    webhook: WebhookSettings | None = None
    lifetime: timedelta = Field(timedelta(minutes=5), gt=timedelta(0), le=timedelta(minutes=10))
    """How long a code holds; 10 minutes at most (NIST SP 800-63B-4, 3.1.3.2)."""
    message: str = "{code} is your sign-in code. It holds for {minutes} minutes. Nobody from us will ever ask you for it."
    limits: SendLimits = SendLimits()

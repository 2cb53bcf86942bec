"""The sections of the configuration: what each key is called, may hold, and means."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)

from auth.principal import SCOPES, Scope
from core.vocabulary import OnboardingStep, OtpChannel, PrincipalKind
from services.rules.country import country_codes
from services.seller import DEFAULT_ONBOARDING

_LAST_PORT = 65535
_SELLER_ID = r"^[A-Za-z0-9_-]{1,64}$"


def _known_country(code: str) -> str:
    if code not in country_codes():
        message = "This is the code of no country (ISO 3166-1 alpha-2, in capitals)"
        raise ValueError(message)
    return code


CountryCode = Annotated[str, AfterValidator(_known_country)]
"""A country: ``AE``."""

_HTTP_URL = r"^https?://[^\s/]+"
_ISSUER = r"^[^\s|]{1,255}$"  # the bar separates an issuer from a subject, see auth/claim_mapping.py
_DISCOVERY_URL = r"^https?://[^\s|]+/\.well-known/[^\s|]+$"
# One slash, then anything but another one and the backslash that browsers take for one: a path on this host.
_LOCAL_PATH = r"^/([!-.0-\[\]-~][!-\[\]-~]*)?$"


def _existing_port(listen_on: str) -> str:
    if int(listen_on.rpartition(":")[2]) > _LAST_PORT:
        message = f"Ports end at {_LAST_PORT}"
        raise ValueError(message)
    return listen_on


ListenOn = Annotated[str, BeforeValidator(str), Field(pattern=r"^([^\s:]*:)?[0-9]{1,5}$"), AfterValidator(_existing_port)]
"""Where to listen: ``":8084"`` (every interface), ``"127.0.0.1:8084"`` or ``8084``."""


def _sound_address(url: str) -> str:
    try:
        urlsplit(url).port  # noqa: B018 - looks at the port, and raises
    except ValueError:
        message = "This is no address that anybody could reach"
        raise ValueError(message) from None
    return url


HttpAddress = Annotated[str, Field(pattern=_HTTP_URL), AfterValidator(_sound_address)]
"""Where something is on the web: ``https://login.example.com/keys``."""


def host_and_port(listen_on: str) -> tuple[str, int]:
    """Split an address to listen on; no host means every interface."""
    host, _, port = listen_on.rpartition(":")
    return host or "0.0.0.0", int(port)  # noqa: S104


class Section(BaseModel):
    """A part of the settings; a key nobody reads is an error, because it is a typing mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ServerSettings(Section):
    """The HTTP server; timeouts in seconds."""

    port: ListenOn = ":8084"
    read_timeout: float = Field(35, gt=0)
    write_timeout: float = Field(30, gt=0)
    idle_timeout: float = Field(70, gt=0)
    allowed_origins: list[str] = []
    """Origins of browsers that may call the API from another host."""
    trusted_proxies: list[str] = []
    """Addresses and networks whose ``X-Forwarded-For`` is believed; everybody else's is ignored."""
    public_url: HttpAddress | None = None
    """Where clients reach the service, for the addresses in its OAuth metadata; None means as they asked for it."""


class MongoSettings(Section):
    """The database: always a replica set."""

    uri: SecretStr
    database: str = Field("customer_service", pattern=r"^[A-Za-z0-9_-]{1,60}$")
    max_pool_size: int = Field(100, ge=1)
    min_pool_size: int = Field(10, ge=0)


class AwsCredentials(Section):
    """Where an AWS service is and who calls it. Without keys, the machine's own role is used."""

    region: str = "us-east-1"
    access_key: SecretStr | None = None
    secret_key: SecretStr | None = None
    endpoint: str | None = None
    """Address of an S3- or SQS-compatible server; None means AWS itself."""


class S3Settings(AwsCredentials):
    """The object store of documents, import files and reports."""

    bucket: str = "customer-documents"
    public_endpoint: str | None = None
    """Address that clients outside reach the store by, where it differs from `endpoint`."""


class SqsQueues(Section):
    """Names of the queues; a dead-letter queue has the same name with ``-dlq`` behind it."""

    customer_queue: str = "customer-service-queue"


class SqsSettings(AwsCredentials):
    """The queue of import work."""

    queues: SqsQueues = SqsQueues()
    visibility_timeout: int = Field(30, ge=2, le=43200)
    wait_seconds: int = Field(20, ge=0, le=20)
    max_receive_count: int = Field(5, ge=2)


class SnsSettings(AwsCredentials):
    """Text messages by Amazon SNS."""

    sender_id: str | None = Field(None, pattern=r"^[A-Za-z0-9]{1,11}$")


class SesSettings(AwsCredentials):
    """E-mail by Amazon SES."""

    sender: str | None = Field(None, min_length=3)
    """The verified address that messages come from."""


class AwsSettings(Section):
    """Amazon Web Services, or servers that speak like them."""

    s3: S3Settings = S3Settings()
    sqs: SqsSettings = SqsSettings()
    sns: SnsSettings = SnsSettings()
    ses: SesSettings = SesSettings()


class KafkaTopics(Section):
    """Where each kind of event goes."""

    customer_create: str = "customer.created"
    customer_update: str = "customer.updated"
    customer_delete: str = "customer.deleted"


class KafkaSettings(Section):
    """The event log."""

    brokers: list[str] = Field(["localhost:9092"], min_length=1)
    topics: KafkaTopics = KafkaTopics()
    personal_data: Literal["reference", "masked", "full"] = "masked"


class PusherSettings(Section):
    """Pusher Channels; off without an app id."""

    app_id: str | None = None
    key: str | None = None
    secret: SecretStr | None = None
    cluster: str = "us2"


class BulkCustomerSettings(Section):
    """How imports are worked through."""

    batch_size: int = Field(100, ge=1, le=1000)
    max_workers: int = Field(5, ge=1, le=100)
    max_bytes: int = Field(1 << 30, ge=1)
    lease_seconds: float = Field(10, gt=0)


class BulkSettings(Section):
    """Bulk operations."""

    customer: BulkCustomerSettings = BulkCustomerSettings()


class ValidationSettings(Section):
    """The rules that can be switched off."""

    email: bool = True
    phone: bool = True
    documents: bool = True
    addresses: bool = True


def _each_step_once(steps: list[OnboardingStep]) -> list[OnboardingStep]:
    if len(set(steps)) < len(steps):
        message = "A step is named twice: name each at most once"
        raise ValueError(message)
    return steps


OnboardingSteps = Annotated[list[OnboardingStep], AfterValidator(_each_step_once)]
"""What is required of customers; none at all is fine. The order is always that of `OnboardingStep`."""


class SellerOverrides(Section):
    """What one seller has said for itself; a key that is left out holds as for all."""

    seller_id: str = Field(pattern=_SELLER_ID)
    default_country: CountryCode | None = None
    onboarding: OnboardingSteps | None = None


class SellerDefaults(Section):
    """What holds for a seller that has said nothing else, and what single sellers have said."""

    default_country: CountryCode = "US"
    onboarding: OnboardingSteps = list(DEFAULT_ONBOARDING)
    """What a customer has to have done before its onboarding is complete."""
    each: list[SellerOverrides] = []
    """Sellers that differ."""

    @field_validator("each")
    @classmethod
    def _each_seller_once(cls, value: list[SellerOverrides]) -> list[SellerOverrides]:
        names = [one.seller_id for one in value]
        if len(set(names)) < len(names):
            message = "Two of them are about the same seller: name each once"
            raise ValueError(message)
        return value


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
    seller_id: str | None = Field(None, pattern=_SELLER_ID)
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
    seller_id: str | None = Field(None, pattern=_SELLER_ID)
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


class GraphQLSettings(Section):
    """How much one operation and one caller may ask for, and which documents are served."""

    deadline: float = Field(10, gt=0, le=60)
    """Seconds after which a query or mutation is answered with TIMEOUT."""
    connections_per_caller: int = Field(10, ge=1)
    """WebSockets and event streams that one caller may have open at once in one process."""
    seller_points: int = Field(1_000_000, ge=1_000)
    """Cost that one seller may spend at once, in one process, before it has to wait (RATE_LIMITED)."""
    seller_points_per_second: int = Field(500_000, ge=1)
    """How fast that comes back. The default is a fuse against runaway clients, no quota."""
    stored_documents: Path | None = None
    """A JSON file of documents that clients may call by id: ``{"<id>": "query …"}``."""
    only_stored_documents: bool = False
    """Whether everything else is refused."""

    @field_validator("only_stored_documents")
    @classmethod
    def _something_to_serve(cls, value: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - Pydantic's signature
        if value and info.data.get("stored_documents") is None:
            message = "Without storedDocuments nothing could be asked at all: name the file"
            raise ValueError(message)
        return value


class NewRelicSettings(Section):
    """New Relic, by OTLP."""

    enabled: bool = False
    app_name: str = "customer-service"
    license_key: SecretStr | None = None


class PrometheusSettings(Section):
    """Metrics on a port of their own."""

    enabled: bool = True
    port: ListenOn = ":9090"


class MonitoringSettings(Section):
    """What operators see."""

    new_relic: NewRelicSettings = NewRelicSettings()
    prometheus: PrometheusSettings = PrometheusSettings()


class WebhookSettings(Section):
    """A program of yours that sends the messages."""

    url: str = Field(pattern=_HTTP_URL)
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

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

from core.retention import LONGEST_DAYS, LONGEST_MONTHS
from core.vocabulary import OnboardingStep, RetentionMode
from services.rules.country import country_codes
from services.rules.reminders import REMINDER_DAYS
from services.seller import DEFAULT_ONBOARDING

_LAST_PORT = 65535
SELLER_ID = r"^[A-Za-z0-9_-]{1,64}$"


def _known_country(code: str) -> str:
    if code not in country_codes():
        message = "This is the code of no country (ISO 3166-1 alpha-2, in capitals)"
        raise ValueError(message)
    return code


CountryCode = Annotated[str, AfterValidator(_known_country)]
"""A country: ``AE``."""

SELLER_PLACEHOLDER = "{sellerId}"
HTTP_URL = r"^https?://[^\s/]+"


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


HttpAddress = Annotated[str, Field(pattern=HTTP_URL), AfterValidator(_sound_address)]
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
    max_concurrent_requests: int = Field(40, ge=1)
    """Calls of GraphQL and REST that one process answers at a time; event streams and sockets are not among them."""
    max_queued_requests: int = Field(160, ge=0)
    """How many more wait for their turn, a second at most. The others are refused at once: 503, code OVERLOADED."""
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


class KmsSettings(AwsCredentials):
    """The key service that keeps the master key."""

    key_id: str | None = Field(None, min_length=1)
    """A symmetric key: its id, its ARN, or ``alias/…``. None: customers' keys are wrapped by ``security.masterKey``."""


class AwsSettings(Section):
    """Amazon Web Services, or servers that speak like them."""

    s3: S3Settings = S3Settings()
    sqs: SqsSettings = SqsSettings()
    sns: SnsSettings = SnsSettings()
    ses: SesSettings = SesSettings()
    kms: KmsSettings = KmsSettings()


class KafkaTopics(Section):
    """Where each kind of event goes."""

    customer_create: str = "customer.created"
    customer_update: str = "customer.updated"
    customer_delete: str = "customer.deleted"


class TopicSettings(Section):
    """How ``customer-service events topics`` makes them."""

    partitions: int = Field(12, ge=1, le=10_000)
    replication_factor: int | None = Field(None, ge=1, le=100)
    """How many brokers keep each; None means as many as there are, three at most."""
    retention: Annotated[timedelta, Field(gt=timedelta())] | Literal["forever"] = timedelta(days=7)
    """How long events stay: ``P7D``. After an erasure, it is how long Kafka still knows the person."""
    cleanup: Literal["delete", "compact", "compact,delete"] = "delete"
    """Whether old events go by age, by the next one of their customer, or by both."""


class KafkaSettings(Section):
    """The event log."""

    brokers: list[str] = Field(["localhost:9092"], min_length=1)
    topics: KafkaTopics = KafkaTopics()
    topic_settings: TopicSettings = TopicSettings()
    personal_data: Literal["reference", "masked", "full"] = "masked"


class PusherSettings(Section):
    """Pusher Channels; off without an app id."""

    app_id: str | None = None
    key: str | None = None
    secret: SecretStr | None = None
    cluster: str = Field("us2", pattern=r"^[a-z0-9-]{1,32}$")
    endpoint: HttpAddress | None = None
    """Address of a server that speaks like Pusher; None means Pusher itself, in `cluster`."""
    timeout: float = Field(5, gt=0, le=30)
    """Seconds that a call may take."""


class BulkCustomerSettings(Section):
    """How imports are worked through."""

    batch_size: int = Field(100, ge=1, le=1000)
    max_workers: int = Field(5, ge=1, le=100)
    max_bytes: int = Field(1 << 30, ge=1)
    lease_seconds: float = Field(10, gt=0)


class BulkSettings(Section):
    """Bulk operations."""

    customer: BulkCustomerSettings = BulkCustomerSettings()


class MalwareSettings(Section):
    """Who looks through files of documents before anybody may read them."""

    scanner: Literal["clamav", "none"] | None = None
    """``none``: nobody, and files can be read unscanned. In production, one of the two has to be said."""
    host: str = Field("localhost", min_length=1)
    """Where clamd listens."""
    port: int = Field(3310, ge=1, le=_LAST_PORT)
    socket: Path | None = None
    """clamd's Unix socket, in place of host and port."""
    timeout: float = Field(60, gt=0, le=600)
    """Seconds that clamd may take for a piece of a file, and for its verdict."""


class DocumentSettings(Section):
    """The life of documents."""

    reminder_days: Annotated[list[Annotated[int, Field(ge=0, le=366)]], Field(max_length=12)] = list(REMINDER_DAYS)
    """How many days before a document's last valid day its end is told; 0 is that day. None at all is fine."""


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


class RetentionSettings(Section):
    """For how long what is stored of customers is kept; 0 means for good. See docs/retention.md."""

    mode: RetentionMode = RetentionMode.DRY_RUN
    """DRY_RUN reports what would be removed, ACTIVE removes it."""
    inactive_months: int = Field(0, ge=0, le=LONGEST_MONTHS)
    """After so many months without activity a customer is flagged."""
    grace_days: int = Field(30, ge=1, le=LONGEST_DAYS)
    """So many days after that it is anonymised."""
    ended_file_days: int = Field(0, ge=0, le=LONGEST_DAYS)
    """Files of documents go so many days after these expired or were rejected."""
    verified_file_days: int = Field(0, ge=0, le=LONGEST_DAYS)
    """Files of documents go so many days after these were approved."""
    import_days: int = Field(90, ge=0, le=LONGEST_DAYS)
    """The file of an import, its reports and its refused rows go so many days after its end."""


class RetentionOverrides(Section):
    """What one seller has said of retention; a key that is left out holds as for all."""

    mode: RetentionMode | None = None
    inactive_months: int | None = Field(None, ge=0, le=LONGEST_MONTHS)
    grace_days: int | None = Field(None, ge=1, le=LONGEST_DAYS)
    ended_file_days: int | None = Field(None, ge=0, le=LONGEST_DAYS)
    verified_file_days: int | None = Field(None, ge=0, le=LONGEST_DAYS)
    import_days: int | None = Field(None, ge=0, le=LONGEST_DAYS)


class SellerOverrides(Section):
    """What one seller has said for itself; a key that is left out holds as for all."""

    seller_id: str = Field(pattern=SELLER_ID)
    default_country: CountryCode | None = None
    onboarding: OnboardingSteps | None = None
    retention: RetentionOverrides = RetentionOverrides()


class SellerDefaults(Section):
    """What holds for a seller that has said nothing else, and what single sellers have said."""

    default_country: CountryCode = "US"
    onboarding: OnboardingSteps = list(DEFAULT_ONBOARDING)
    """What a customer has to have done before its onboarding is complete."""
    retention: RetentionSettings = RetentionSettings()
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


def _names_the_seller(url: str) -> str:
    if SELLER_PLACEHOLDER not in url:
        message = f"Say where the seller's id goes: https://tenants.example.com/sellers/{SELLER_PLACEHOLDER}/settings"
        raise ValueError(message)
    return url


class TenantServiceSettings(Section):
    """The service that knows what sellers have configured for themselves: see infra/tenant_service.py."""

    url: Annotated[HttpAddress, AfterValidator(_names_the_seller)]
    """Its address for one seller, with ``{sellerId}`` in it."""
    token: SecretStr | None = None
    """Sent as a bearer token."""
    timeout: float = Field(2, gt=0, le=10)
    """Seconds for one question, a second attempt included; only the first call for a seller waits for it."""


class PrivacySettings(Section):
    """What people are owed of what is stored about them."""

    export_lifetime: Annotated[timedelta, Field(ge=timedelta(hours=1), le=timedelta(days=30))] = timedelta(days=7)
    """How long the archive of an export stays: ``P7D``, an hour to 30 days."""


class NewRelicSettings(Section):
    """Traces, sent by OTLP over HTTP to New Relic, or to any other collector."""

    enabled: bool = False
    """Without a licence key it stays off all the same."""
    app_name: str = "customer-service"
    license_key: SecretStr | None = None
    """Sent as the header ``api-key``."""
    endpoint: HttpAddress = "https://otlp.nr-data.net"
    """The collector; ``/v1/traces`` is appended. New Relic's in Europe is ``https://otlp.eu01.nr-data.net``."""
    sample_ratio: float = Field(1, ge=0, le=1)
    """Which part of the traces is recorded that begin here. For those that callers began, these decide."""


class PrometheusSettings(Section):
    """Metrics on a port of their own."""

    enabled: bool = True
    port: ListenOn = ":9090"


class MonitoringSettings(Section):
    """What operators see."""

    new_relic: NewRelicSettings = NewRelicSettings()
    prometheus: PrometheusSettings = PrometheusSettings()

"""Settings: ``config.yaml``, then the environment, validated once at start.

The file uses the keys of the customer's description (camelCase); the environment overrides any of them
(``CUSTOMER_SERVICE_MONGODB__MAX_POOL_SIZE``). Secrets have no default and never print.
"""

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

ENV_PREFIX = "CUSTOMER_SERVICE_"
CONFIG_FILE = Path(__file__).resolve().parents[1] / "config.yaml"
"""The configuration file, unless ``CUSTOMER_SERVICE_CONFIG`` names another one; wherever the program is called from."""
_LAST_PORT = 65535
_CAPITAL = re.compile(r"(?<!^)[A-Z]")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


class InvalidSettings(Exception):
    """The configuration cannot be used. The message names every key at fault, and never a value."""


def _existing_port(listen_on: str) -> str:
    if int(listen_on.rpartition(":")[2]) > _LAST_PORT:
        message = f"Ports end at {_LAST_PORT}"
        raise ValueError(message)
    return listen_on


ListenOn = Annotated[str, BeforeValidator(str), Field(pattern=r"^([^\s:]*:)?[0-9]{1,5}$"), AfterValidator(_existing_port)]
"""Where to listen: ``":8084"`` (every interface), ``"127.0.0.1:8084"`` or ``8084``."""


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


class AwsSettings(Section):
    """Amazon Web Services, or servers that speak like them."""

    s3: S3Settings = S3Settings()
    sqs: SqsSettings = SqsSettings()


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


class SellerDefaults(Section):
    """What holds for a seller that has said nothing else."""

    default_country: str = Field("US", pattern="^[A-Z]{2}$")


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


class Settings(BaseSettings):
    """Everything that can be configured."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, nested_model_default_partial_update=False
    )

    environment: Literal["development", "production"] = "development"
    server: ServerSettings = ServerSettings()
    mongodb: MongoSettings
    aws: AwsSettings = AwsSettings()
    kafka: KafkaSettings = KafkaSettings()
    pusher: PusherSettings = PusherSettings()
    bulk: BulkSettings = BulkSettings()
    validation: ValidationSettings = ValidationSettings()
    sellers: SellerDefaults = SellerDefaults()
    security: SecuritySettings
    monitoring: MonitoringSettings = MonitoringSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file, which arrives as keyword arguments."""
        return (env_settings, init_settings)


def load_settings(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the configuration file and the environment; *environ* stands in for the latter where ``${NAME}`` is filled in.

    The file is *path*, else what ``CUSTOMER_SERVICE_CONFIG`` names, else `CONFIG_FILE`.

    Raises:
        InvalidSettings: with one line per key that is missing, unknown, wrong, or unsafe in production.
    """
    environ = os.environ if environ is None else environ
    path = path or Path(environ.get(f"{ENV_PREFIX}CONFIG") or CONFIG_FILE)
    raw = _read(path)
    try:
        settings = Settings(**_prepare(raw, environ))
    except ValidationError as error:
        raise InvalidSettings(_explain(path, error)) from None
    except SettingsError as error:
        message = f"The environment overrides a list or a section with something that is not JSON: {error}."
        raise InvalidSettings(message) from None
    if settings.environment == "production" and (unsafe := _unsafe(settings)):
        raise InvalidSettings("\n".join(["The configuration is not safe in production:", *unsafe]))
    return settings


def _read(path: Path) -> dict[object, Any]:
    try:
        raw = yaml.safe_load(path.read_bytes()) or {}
    except OSError as error:
        message = f"The configuration file {str(path)!r} cannot be read: {error.strerror}."
        raise InvalidSettings(message) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        # Without the parser's own words: they quote the file, and the file may hold secrets.
        mark = getattr(error, "problem_mark", None)
        place = "" if mark is None else f" Look at line {mark.line + 1}, column {mark.column + 1}."
        message = f"The configuration file {str(path)!r} is not valid YAML in UTF-8.{place}"
        raise InvalidSettings(message) from None
    if not isinstance(raw, dict):
        message = f"The configuration file {str(path)!r} has to hold keys and values."
        raise InvalidSettings(message)
    return raw


def _unsafe(settings: Settings) -> list[str]:
    """Return what must not go into production, one line per key."""
    findings = {
        "security.otpOutbox": (settings.security.otp_outbox, "writes one-time codes to a file: remove it"),
        "security.masterKey": (
            not settings.security.master_key.get_secret_value().strip("A="),
            "is all zeros: make one with: openssl rand -base64 32",
        ),
        "server.allowedOrigins": ("*" in settings.server.allowed_origins, "lets every web site in: name yours"),
    }
    return [f"  {key}: {advice}" for key, (found, advice) in findings.items() if found]


def _prepare(raw: Mapping[object, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """Fill in the variables, drop what stays empty, and turn camelCase keys into field names."""
    ready = {}
    for key, value in raw.items():
        filled = _fill(value, environ)
        if filled is not None:
            ready[_CAPITAL.sub(r"_\g<0>", str(key)).lower()] = filled
    return ready


def _fill(value: object, environ: Mapping[str, str]) -> object:
    if isinstance(value, dict):
        return _prepare(value, environ)
    if isinstance(value, list):
        return [filled for item in value if (filled := _fill(item, environ)) is not None]
    if isinstance(value, str) and _VARIABLE.search(value):
        return _VARIABLE.sub(lambda found: environ.get(found[1], found[2] or ""), value) or None
    return value


def _explain(path: Path, error: ValidationError) -> str:
    lines = [f"The configuration in {path} and the environment cannot be used:"]
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        parts = [str(part) for part in fault["loc"]]
        key = ".".join(to_camel(part) for part in parts)
        variable = ENV_PREFIX + "__".join(part.upper() for part in parts)
        lines.append(f"  {key}: {fault['msg']} (environment: {variable})")
    return "\n".join(lines)

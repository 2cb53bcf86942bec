"""Settings: ``config.yaml``, then the environment, validated once at start.

The file uses the keys of the customer's description (camelCase); the environment overrides any of them
(``CUSTOMER_SERVICE_MONGODB__MAX_POOL_SIZE``). Secrets have no default and never print.
"""

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import ValidationError
from pydantic.alias_generators import to_camel
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from app.identity_sections import OtpSettings, SecuritySettings
from app.invalid_settings import InvalidSettings as InvalidSettings  # noqa: PLC0414  everybody looks for it here
from app.sections import (
    AwsSettings,
    BulkSettings,
    DocumentSettings,
    GraphQLSettings,
    KafkaSettings,
    MalwareSettings,
    MongoSettings,
    MonitoringSettings,
    PrivacySettings,
    PusherSettings,
    SellerDefaults,
    ServerSettings,
    TenantServiceSettings,
    ValidationSettings,
)

ENV_PREFIX = "CUSTOMER_SERVICE_"
CONFIG_FILE = Path(__file__).resolve().parents[1] / "config.yaml"
"""The configuration file, unless ``CUSTOMER_SERVICE_CONFIG`` names another one; wherever the program is called from."""
_LONGEST_TOKEN = timedelta(hours=1)
_CAPITAL = re.compile(r"(?<!^)[A-Z]")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


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
    documents: DocumentSettings = DocumentSettings()
    malware: MalwareSettings = MalwareSettings()
    validation: ValidationSettings = ValidationSettings()
    sellers: SellerDefaults = SellerDefaults()
    tenant_service: TenantServiceSettings | None = None
    security: SecuritySettings
    otp: OtpSettings = OtpSettings()
    privacy: PrivacySettings = PrivacySettings()
    graphql: GraphQLSettings = GraphQLSettings()
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
        "otp.webhook.url": (
            settings.otp.webhook is not None and not settings.otp.webhook.url.startswith("https://"),
            "sends codes in the clear: use https",
        ),
        "tenantService.url": (
            settings.tenant_service is not None
            and settings.tenant_service.token is not None
            and not settings.tenant_service.url.startswith("https://"),
            "sends the token in the clear: use https",
        ),
        "malware.scanner": (
            settings.malware.scanner is None,
            "says nobody, so that files of documents would be handed out unscanned: clamav, or none if that is what you want",
        ),
        "security.accessTokenLifetime": (
            settings.security.access_token_lifetime > _LONGEST_TOKEN,
            "lets a stolen token hold for more than an hour: refresh tokens are for longer",
        ),
        "server.publicUrl": (
            settings.server.public_url is not None and not settings.server.public_url.startswith("https://"),
            "sends clients, with their secrets, to an address without TLS: use https",
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

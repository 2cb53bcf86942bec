"""The variables that tell the services where everything is (``CUSTOMER_SERVICE_*``, see app/settings.py).

What the user set already wins, so a server given by URL is used and not started. Only ports have variables of their own.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from embedded import aws, openid
from embedded.identities import AUDIENCE, ensure_key_file, ensure_master_key
from embedded.openid import OpenId
from embedded.options import Options
from embedded.ports import LOOPBACK
from embedded.servers import BUCKET, DATABASE, QUEUE, TOPICS, Running, ServerSet
from embedded.traces import KEY as TRACES_KEY
from embedded.traces import Traces

PREFIX = "CUSTOMER_SERVICE_"
MONGODB_URI = f"{PREFIX}MONGODB__URI"
KAFKA_BROKERS = f"{PREFIX}KAFKA__BROKERS"
S3_ENDPOINT = f"{PREFIX}AWS__S3__ENDPOINT"
SQS_ENDPOINT = f"{PREFIX}AWS__SQS__ENDPOINT"
OPERATOR_SIGN_IN = f"{PREFIX}SECURITY__OPERATOR_SIGN_IN"
TRACING = f"{PREFIX}MONITORING__NEW_RELIC"
MALWARE = f"{PREFIX}MALWARE"
_BEGINNINGS = {"openid": OPERATOR_SIGN_IN, "traces": TRACING, "clamd": MALWARE}
_GIVEN_BY = {"mongod": (MONGODB_URI,), "kafka": (KAFKA_BROKERS,), "aws": (S3_ENDPOINT, SQS_ENDPOINT)}


@dataclass(frozen=True, slots=True)
class Places:
    """Where the files of one stack are."""

    directory: Path

    @property
    def key_file(self) -> Path:
        """The keys that sign tokens."""
        return self.directory / "keys.json"

    @property
    def master_key_file(self) -> Path:
        """The key that encrypts document numbers."""
        return self.directory / "master.key"

    @property
    def openid_key_file(self) -> Path:
        """The key of the identity provider; its own, because our tokens are not its to sign."""
        return self.directory / "openid.json"

    @property
    def otp_outbox(self) -> Path:
        """One JSON object per line for every one-time code that was sent."""
        return self.directory / "otp.jsonl"

    @property
    def stack_file(self) -> Path:
        """Where people and tools find everything, while the stack runs."""
        return self.directory / "stack.json"

    @property
    def demo_file(self) -> Path:
        """What the demo data is called; there is none before it was stored."""
        return self.directory / "demo.json"

    def log(self, name: str) -> Path:
        """The output of the process *name*."""
        return self.directory / "logs" / f"{name}.log"


def is_given(server: str, environ: Mapping[str, str]) -> bool:
    """Say whether the user gave the address of *server*, so that none has to be started."""
    if beginning := _BEGINNINGS.get(server):
        return any(variable.startswith(beginning) for variable in environ)
    return all(environ.get(variable) for variable in _GIVEN_BY[server])


def for_services(
    environ: Mapping[str, str], options: Options, servers: ServerSet, running: Mapping[str, Running]
) -> dict[str, str]:
    """Return the environment of the service's own processes; secrets are made where there are none."""
    places = Places(options.run_directory)
    defaults = {
        "MONGODB__DATABASE": DATABASE,
        "KAFKA__TOPICS__CUSTOMER_CREATE": TOPICS["created"],
        "KAFKA__TOPICS__CUSTOMER_UPDATE": TOPICS["updated"],
        "KAFKA__TOPICS__CUSTOMER_DELETE": TOPICS["deleted"],
        "AWS__S3__BUCKET": BUCKET,
        "AWS__SQS__QUEUES__CUSTOMER_QUEUE": QUEUE,
        "SERVER__PUBLIC_URL": f"http://{LOOPBACK}:{options.port}",
        "SECURITY__ISSUER": f"http://{LOOPBACK}:{options.port}",
        "SECURITY__AUDIENCE": AUDIENCE,
        "SECURITY__KEY_FILE": str(ensure_key_file(places.key_file)),
        "SECURITY__MASTER_KEY": ensure_master_key(places.master_key_file),
        "SECURITY__OTP_OUTBOX": str(places.otp_outbox),
    }
    if mongod := running.get("mongod"):
        defaults["MONGODB__URI"] = servers.mongod.uri(mongod.port)
    if kafka := running.get("kafka"):
        defaults["KAFKA__BROKERS"] = json.dumps([servers.kafka.brokers(kafka.port)])
    if cloud := running.get("aws"):
        for service in ("S3", "SQS"):
            defaults[f"AWS__{service}__ENDPOINT"] = servers.aws.endpoint(cloud.port)
            defaults[f"AWS__{service}__REGION"] = aws.REGION
            defaults[f"AWS__{service}__ACCESS_KEY"] = aws.ACCESS_KEY
            defaults[f"AWS__{service}__SECRET_KEY"] = aws.SECRET_KEY
    provider = running.get("openid")
    if provider is not None and isinstance(provider.server, OpenId):
        defaults["SECURITY__OPERATOR_SIGN_IN__DISCOVERY_URL"] = provider.server.discovery_url(provider.port)
        defaults["SECURITY__OPERATOR_SIGN_IN__CLIENT_ID"] = openid.CLIENT_ID
        defaults["SECURITY__OPERATOR_SIGN_IN__CLIENT_SECRET"] = openid.CLIENT_SECRET
    collector = running.get("traces")
    if collector is not None and isinstance(collector.server, Traces):
        defaults["MONITORING__NEW_RELIC__ENABLED"] = "true"
        defaults["MONITORING__NEW_RELIC__ENDPOINT"] = collector.server.endpoint(collector.port)
        defaults["MONITORING__NEW_RELIC__LICENSE_KEY"] = TRACES_KEY
    if scanner := running.get("clamd"):
        defaults["MALWARE__SCANNER"] = "clamav"
        defaults["MALWARE__HOST"] = LOOPBACK
        defaults["MALWARE__PORT"] = str(scanner.port)
    api, metrics = f"{LOOPBACK}:{options.port}", f"{LOOPBACK}:{options.metrics_port}"
    return {**_prefixed(defaults), **environ, **_prefixed({"SERVER__PORT": api, "MONITORING__PROMETHEUS__PORT": metrics})}


def beside_the_api(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a worker or relay: its metrics go to any free port, since the API has the known one."""
    return {**environment, f"{PREFIX}MONITORING__PROMETHEUS__PORT": f"{LOOPBACK}:0"}


def _prefixed(variables: Mapping[str, str]) -> dict[str, str]:
    return {f"{PREFIX}{name}": value for name, value in variables.items()}

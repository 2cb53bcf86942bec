"""The settings of the running development stack, for commands that work beside it."""

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from app.cli.stack import find_stack, run_directory
from app.sections import AwsSettings, KafkaTopics, MalwareSettings, PrometheusSettings, SqsQueues
from app.settings import ENV_PREFIX, Settings, load_settings


def stack_secrets() -> dict[str, str]:
    """Return keys, issuer and database of the running stack, as the variables of ``config.yaml``; nothing when nothing runs."""
    stack = find_stack()
    if stack is None:
        return {}
    try:
        master_key = (run_directory() / "master.key").read_text(encoding="ascii").strip()
    except OSError:
        return {}
    said = {name: str(stack[name]) for name in ("issuer", "mongodb_uri", "mongodb_database") if name in stack}
    return {
        "CUSTOMER_SERVICE_KEY_FILE": str(run_directory() / "keys.json"),
        "CUSTOMER_SERVICE_MASTER_KEY": master_key,
        **{f"CUSTOMER_SERVICE_{name.upper()}": value for name, value in said.items()},
    }


def settings_beside_the_stack() -> Settings:
    """Return the settings of the stack that runs here, if one does; what the environment says wins.

    Raises:
        InvalidSettings: as `load_settings`.
    """
    return load_settings(environ={**stack_secrets(), **os.environ})


def settings_of_the_stack() -> Settings:
    """Return the settings that the processes of the running stack have, servers included; what the environment says wins.

    Without a stack, those of the configuration.

    Raises:
        InvalidSettings: as `load_settings`.
    """
    settings, stack = settings_beside_the_stack(), find_stack() or {}
    changes: dict[str, Any] = {}
    if "kafka_brokers" in stack and f"{ENV_PREFIX}KAFKA__BROKERS" not in os.environ:
        topics = {f"customer_{verb.removesuffix('d')}": name for verb, name in stack["topics"].items()}
        changes["kafka"] = settings.kafka.model_copy(
            update={"brokers": stack["kafka_brokers"].split(","), "topics": KafkaTopics(**topics)}
        )
    if "s3_endpoint" in stack and not any(name.startswith(f"{ENV_PREFIX}AWS__") for name in os.environ):
        changes["aws"] = AwsSettings.model_validate(_cloud(stack))
    if "clamd" in stack and not any(name.startswith(f"{ENV_PREFIX}MALWARE__") for name in os.environ):
        host, _, port = stack["clamd"].rpartition(":")
        changes["malware"] = MalwareSettings(scanner="clamav", host=host, port=int(port))
    if "rest" in stack and f"{ENV_PREFIX}SERVER__PORT" not in os.environ:
        changes["server"] = settings.server.model_copy(update={"port": stack["rest"].partition("://")[2]})
        changes["monitoring"] = settings.monitoring.model_copy(
            update={"prometheus": PrometheusSettings(port=urlsplit(stack["metrics"]).netloc)}
        )
    return settings.model_copy(update=changes)


def _cloud(stack: Mapping[str, Any]) -> dict[str, Any]:
    caller = {
        "access_key": stack["aws"]["access_key_id"],
        "secret_key": stack["aws"]["secret_access_key"],
        "region": stack["aws"]["region"],
    }
    queue = stack["queue_url"].rpartition("/")[2] or SqsQueues().customer_queue
    return {
        "s3": {**caller, "endpoint": stack["s3_endpoint"], "bucket": stack["bucket"]},
        "sqs": {**caller, "endpoint": stack["sqs_endpoint"], "queues": {"customer_queue": queue}},
    }

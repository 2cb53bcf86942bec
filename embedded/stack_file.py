"""``stack.json``: where people and tools find a running stack. Only there while everything in it works."""

import json
from collections.abc import Mapping
from typing import Any

from embedded import aws
from embedded.environment import KAFKA_BROKERS, MALWARE, MONGODB_URI, PREFIX, S3_ENDPOINT, SQS_ENDPOINT, Places
from embedded.identities import OTHER_SELLER, SELLER, write_private
from embedded.options import Options
from embedded.ports import LOOPBACK


def describe(
    options: Options,
    environment: Mapping[str, str],
    *,
    queue_url: str,
    traces: str,
    tokens: Mapping[str, str],
    demo: Mapping[str, Any],
    pids: Mapping[str, int],
) -> dict[str, Any]:
    """Return the document of architecture.md, section 3, for services that run with *environment*.

    *demo* is what the seed file says. The ``client`` of one that an older version wrote is null: there is none.
    *traces* is where the collector of the stack shows traces; without one, ``traces`` is null.
    """
    host = f"{LOOPBACK}:{options.port}"

    def variable(name: str, default: str = "") -> str:
        return environment.get(f"{PREFIX}{name}", default)

    return {
        "graphql": f"http://{host}/graphql",
        "graphql_ws": f"ws://{host}/graphql",
        "rest": f"http://{host}",
        "console": f"http://{host}/console",
        "metrics": f"http://{LOOPBACK}:{options.metrics_port}/metrics",
        "traces": traces or None,
        "seller_id": SELLER,
        "other_seller_id": OTHER_SELLER,
        "issuer": variable("SECURITY__ISSUER"),
        "tokens": dict(tokens),
        "client": demo.get("client"),
        "customer_id": demo["customer_id"],
        "mongodb_uri": environment[MONGODB_URI],
        "mongodb_database": variable("MONGODB__DATABASE"),
        "kafka_brokers": ",".join(json.loads(environment[KAFKA_BROKERS])),
        "topics": {
            "created": variable("KAFKA__TOPICS__CUSTOMER_CREATE"),
            "updated": variable("KAFKA__TOPICS__CUSTOMER_UPDATE"),
            "deleted": variable("KAFKA__TOPICS__CUSTOMER_DELETE"),
        },
        "s3_endpoint": environment[S3_ENDPOINT],
        "sqs_endpoint": environment[SQS_ENDPOINT],
        "bucket": variable("AWS__S3__BUCKET"),
        "queue_url": queue_url,
        "aws": {
            "access_key_id": variable("AWS__S3__ACCESS_KEY"),
            "secret_access_key": variable("AWS__S3__SECRET_KEY"),
            "region": variable("AWS__S3__REGION", aws.REGION),
        },
        "clamd": _scanner(environment),
        "otp_outbox": variable("SECURITY__OTP_OUTBOX"),
        "pids": by_kind(pids),
    }


def _scanner(environment: Mapping[str, str]) -> str | None:
    """Return where the malware scanner listens, None where the services have none at a host and port."""
    host, port = (environment.get(f"{MALWARE}__{name}") for name in ("HOST", "PORT"))
    return f"{host}:{port}" if host and port else None


def by_kind(pids: Mapping[str, int]) -> dict[str, Any]:
    """Return process ids by what they do; the workers, which may be many, as a list."""
    workers = [pid for name, pid in pids.items() if name.startswith("worker-")]
    single = {
        name: pids[name] for name in ("serve", "relay", "mongod", "kafka", "aws", "openid", "traces", "clamd") if name in pids
    }
    return {"serve": single.pop("serve"), "worker": workers, **single}


def write(places: Places, document: Mapping[str, Any]) -> None:
    """Replace the file as a whole; only its owner can read it."""
    write_private(places.stack_file, json.dumps(document, indent=2) + "\n")

"""What the service stands on, looked at piece by piece: each finding says what was found and what to do about it."""

import shutil
import stat
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import httpx

from app.cli.event_topics import wishes
from app.cli.stack import run_directory
from app.database import open_database
from app.keys import read_key_file
from app.scanner import file_scanner
from app.sections import host_and_port
from app.settings import InvalidSettings, Settings
from app.stores import open_queue, open_store
from app.topics import event_topics
from auth.keys import UnusableKeys
from core.clock import SystemClock
from core.errors import ServiceError, StandaloneDatabase, Unavailable
from core.sealing import Sealer, UnusableMasterKey
from infra.kafka_topics import differences, open_topics
from infra.mongo import Mongo, missing_indexes
from repositories.customer_event import MongoOutbox
from repositories.migration import Migrations

CLOCK_DOUBTFUL, CLOCK_WRONG = 1.0, 5.0
"""Seconds between our clock and the database's: leases of imports last ten, and tokens have a leeway of thirty."""

EVENTS_LATE = 60.0
"""Seconds after which an event that is not on Kafka yet says that something is wrong; a relay takes one."""

DISK_TIGHT, DISK_FULL = 2 << 30, 200 << 20
"""Bytes: what the database of a new development stack takes in its first hours, and what it cannot start with."""


PORT_PATIENCE = 5.0
"""Seconds for whoever listens at a port to say who it is."""


class State(StrEnum):
    """How it is with one thing."""

    WELL = "well"
    DOUBTFUL = "doubtful"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one thing, and what to do; no advice where nothing is to be done."""

    name: str
    state: State
    found: str
    advice: str = ""


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Yield what is found, one after the other; nothing that is found keeps the rest from being looked at."""
    for finding in (*secrets(settings), *ports(settings), disk()):
        yield finding
    async for finding in database(settings):
        yield finding
    for look in (topics, bucket, queues, scanner):
        yield await look(settings)


def secrets(settings: Settings) -> Iterator[Finding]:
    """Look at the signing keys and the master key."""
    path = settings.security.key_file
    try:
        key = read_key_file(path).signing(SystemClock().now())
    except (InvalidSettings, UnusableKeys) as error:
        yield Finding("signing keys", State.BROKEN, str(error), f"customer-service keys new > {path} && chmod 600 {path}")
    else:
        if path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            yield Finding("signing keys", State.DOUBTFUL, f"{path} can be written by others", f"chmod go-w {path}")
        else:
            yield Finding("signing keys", State.WELL, f"{key.kid} signs")
    try:
        Sealer(settings.security.master_key.get_secret_value())
    except UnusableMasterKey as error:
        yield Finding("master key", State.BROKEN, str(error), "put its copy back; new data alone could live with a new one")
    else:
        yield Finding("master key", State.WELL, "holds 32 bytes")


def ports(settings: Settings) -> Iterator[Finding]:
    """Look who listens where the API and its metrics have to."""
    prometheus = settings.monitoring.prometheus
    yield _port("port of the API", settings.server.port, "/healthz", "status", "CUSTOMER_SERVICE_SERVER__PORT", "PORT")
    if prometheus.enabled:
        variable = "CUSTOMER_SERVICE_MONITORING__PROMETHEUS__PORT"
        yield _port("port of the metrics", prometheus.port, "/metrics", "mongodb_pool", variable, "METRICS_PORT")


def _port(name: str, listen_on: str, path: str, ours: str, variable: str, short: str) -> Finding:
    host, port = host_and_port(listen_on)
    address = f"{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"  # noqa: S104  to call, not to listen
    try:
        answer = httpx.get(f"http://{address}{path}", trust_env=False, timeout=PORT_PATIENCE)
    except httpx.ConnectError:
        return Finding(name, State.WELL, f"{address} is free")
    except httpx.HTTPError as error:
        found = f"at {address} somebody else listens ({type(error).__name__})"
    else:
        if answer.is_success and ours in answer.text:
            return Finding(name, State.WELL, f"this service answers at {address}")
        found = f"at {address} somebody else answers (HTTP status {answer.status_code})"
    return Finding(name, State.BROKEN, found, f"stop it, or choose another: {variable}=:{port + 1} ({short} with make run)")


def disk() -> Finding:
    """Look how much room is left where the development stack keeps its data, or else for temporary files."""
    place = run_directory() if run_directory().exists() else Path(tempfile.gettempdir())
    free = shutil.disk_usage(place).free
    found = f"{free / 1e9:.1f} GB are free at {place}"
    if free >= DISK_TIGHT:
        return Finding("disk", State.WELL, found)
    return Finding("disk", State.BROKEN if free < DISK_FULL else State.DOUBTFUL, found, f"make room: df -h {place}")


async def database(settings: Settings) -> AsyncIterator[Finding]:
    """Look at MongoDB, from its address to what waits in its outbox."""
    try:
        async with open_database(settings) as mongo:
            async for finding in _opened(mongo):
                yield finding
    except StandaloneDatabase as error:
        yield Finding("MongoDB", State.BROKEN, str(error), "mongosh --eval 'rs.initiate()'   # once it runs with --replSet rs0")
    except Unavailable as error:
        yield Finding("MongoDB", State.BROKEN, str(error), "start it, or say where it is: CUSTOMER_SERVICE_MONGODB_URI")


async def _opened(mongo: Mongo) -> AsyncIterator[Finding]:
    server = await mongo.describe()
    yield Finding("MongoDB", State.WELL, f"{server.kind}, version {server.version}")
    try:
        await mongo.try_transaction()
    except Unavailable as error:
        yield Finding("transactions", State.BROKEN, _why(error), "rs.status() in mongosh: is there a primary?")
    else:
        yield Finding("transactions", State.WELL, "one was committed")
    lacking = [*await missing_indexes(), *(f"migration {name}" for name in await Migrations(SystemClock()).pending())]
    if lacking:
        yield Finding("indexes", State.BROKEN, f"missing: {', '.join(lacking)}", "customer-service database prepare")
    else:
        yield Finding("indexes", State.WELL, "all are there, and no migration is pending")
    skew = abs(server.ahead)
    found = f"the database's is {skew:.2f} s {'ahead of' if server.ahead > 0 else 'behind'} ours"
    state = State.WELL if skew < CLOCK_DOUBTFUL else State.DOUBTFUL if skew < CLOCK_WRONG else State.BROKEN
    yield Finding("clock", state, found, "" if state is State.WELL else "timedatectl set-ntp true   # on both machines")
    yield await _outbox()


async def _outbox() -> Finding:
    outbox, now = MongoOutbox(SystemClock(), holder=""), SystemClock().now()
    oldest = await outbox.oldest()
    waits = 0.0 if oldest is None else (now - oldest).total_seconds()
    if waits < EVENTS_LATE:
        return Finding("outbox", State.WELL, "no event waits for long")
    found = f"{await outbox.backlog():,} events wait, the oldest for {waits:.0f} s"
    return Finding("outbox", State.DOUBTFUL, found, "is a relay running, and Kafka well? docs/runbook.md, The outbox is stuck")


async def topics(settings: Settings) -> Finding:
    """Look at Kafka and the topics of the events."""
    kafka = settings.kafka
    names = event_topics(kafka.topics)
    wanted = wishes(list(dict.fromkeys((names.created, names.updated, names.deleted))), kafka.topic_settings)
    try:
        async with open_topics(kafka.brokers) as manager:
            there = await manager.find([wish.name for wish in wanted])
    except Unavailable as error:
        advice = f"is it up at {', '.join(kafka.brokers)}? Else say where: CUSTOMER_SERVICE_KAFKA__BROKERS='[\"host:9092\"]'"
        return Finding("Kafka", State.BROKEN, str(error), advice)
    missing = [wish.name for wish in wanted if wish.name not in there]
    if missing:
        return Finding("Kafka", State.BROKEN, f"topics are missing: {', '.join(missing)}", "customer-service events topics")
    other = [f"{wish.name} {one}" for wish in wanted for one in differences(wish, there[wish.name])]
    if other:
        return Finding(
            "Kafka", State.DOUBTFUL, f"differs from kafka.topicSettings: {other[0]}", "customer-service events topics"
        )
    return Finding("Kafka", State.WELL, f"the topics are there: {', '.join(there)}")


async def bucket(settings: Settings) -> Finding:
    """Write, read and remove an object, as imports and documents do."""
    name, key = settings.aws.s3.bucket, f"doctor/{uuid.uuid4().hex}"
    try:
        async with open_store(settings) as store:
            async with store.write(key, content_type="text/plain") as upload:
                await upload.write(b"ok")
            there = await store.describe(key)
            await store.delete(key)
    except ServiceError as error:
        advice = (
            f"does {name} exist, and may we get, put and delete there? For a self-hosted one: customer-service database setup"
        )
        return Finding("object store", State.BROKEN, _why(error), advice)
    if there is None:
        return Finding("object store", State.BROKEN, f"what was written to {name} is not there", "is a lifecycle rule at work?")
    return Finding("object store", State.WELL, f"an object was written, read and removed in {name}")


async def scanner(settings: Settings) -> Finding:
    """Look whether somebody looks for malware."""
    clamd = file_scanner(settings)
    if clamd is None:
        found = "nobody looks for malware: files of documents are handed out UNSCANNED"
        return Finding("malware scanner", State.DOUBTFUL, found, "run clamd, and set malware.scanner to clamav")
    try:
        return Finding("malware scanner", State.WELL, await clamd.version())
    except Unavailable as error:
        where = settings.malware.socket or f"{settings.malware.host}:{settings.malware.port}"
        advice = f"is clamd up at {where}? docs/runbook.md, The scanner is away"
        return Finding("malware scanner", State.BROKEN, str(error), advice)


async def queues(settings: Settings) -> Finding:
    """Look at the queue of imports and its dead letters."""
    name = settings.aws.sqs.queues.customer_queue
    try:
        async with open_queue(settings) as queue:
            depths = await queue.depths()
    except ServiceError as error:
        advice = f"do {name} and {name}-dlq exist? For self-hosted ones: customer-service database setup"
        return Finding("queues", State.BROKEN, _why(error), advice)
    found = f"{depths['waiting']:,} messages wait, {depths['taken']:,} are taken, {depths['dead']:,} are dead letters"
    if depths["dead"]:
        return Finding("queues", State.DOUBTFUL, found, "read them: docs/runbook.md, A poison message")
    return Finding("queues", State.WELL, found)


def _why(error: BaseException) -> str:
    """Return what an error says, with what caused it."""
    return f"{error} ({error.__cause__})" if error.__cause__ is not None else str(error)

"""What the clients of S3 and SQS share: who calls, how patiently, and how failures are translated."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import aioboto3
import aiohttp
from aiobotocore.config import AioConfig
from aiobotocore.retries.standard import AioRetryHandler, AioRetryPolicy, AioStandardRetryConditions
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.retries.standard import ExponentialBackoff, RetryEventAdapter

from core.errors import Unavailable
from infra.breaker import Breaker
from infra.retry_budget import RetryBudget

_SERVER_ERRORS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsAccess:
    """Where a service is and who calls it.

    `endpoint` None means AWS itself; without keys, the machine's own role is used.
    """

    region: str
    endpoint: str | None = None
    access_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)

    def session(self) -> aioboto3.Session:
        """Return a session of this caller. Expensive (it reads service models from disk): one per process and service."""
        return aioboto3.Session(
            aws_access_key_id=self.access_key, aws_secret_access_key=self.secret_key, region_name=self.region
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a client waits, in seconds, and how often it tries.

    botocore's own defaults (60 s to connect, 60 s to read, 10 connections) would let one dead server stall a process.
    """

    connect: float
    read: float
    attempts: int

    @property
    def longest(self) -> float:
        """After so many seconds a call to a server that says nothing is over, the pauses between attempts included."""
        pauses: float = sum(2**number for number in range(self.attempts - 1))
        return self.attempts * (self.connect + self.read) + pauses

    def config(self) -> AioConfig:
        """Return that as clients take it: `repeating` repeats, and nothing below does."""
        return AioConfig(
            connect_timeout=self.connect,
            read_timeout=self.read,
            max_pool_connections=50,
            retries={"mode": "standard", "total_max_attempts": 1},
        )


FOR_A_CALLER = Patience(connect=1, read=3, attempts=2)
"""For who waits for the answer to an operation: a server that has gone silent is told of before the operation's deadline."""

FOR_A_WORKER = Patience(connect=2, read=10, attempts=3)
"""For who has nobody waiting."""


def repeating(client: Any, budget: RetryBudget, *, attempts: int) -> None:
    """Have *client*, one of aiobotocore's, send again what failed in passing, and *budget* allows.

    What is passing, and how long the pauses are (up to 1, 2, 4 s), is botocore's standard mode. Nothing above repeats.
    """
    # Its types ask for what the quota keeps its tokens in; what is called is this.
    quota: Any = _Quota(budget)
    service = client.meta.service_model.service_id.hyphenize()
    handler = AioRetryHandler(
        retry_policy=AioRetryPolicy(AioStandardRetryConditions(max_attempts=attempts), ExponentialBackoff()),
        retry_event_adapter=RetryEventAdapter(),
        retry_quota=quota,
    )
    client.meta.events.register(f"before-call.{service}", lambda **_: budget.earn())
    client.meta.events.register(f"needs-retry.{service}", handler.needs_retry)


class _Quota:
    """A budget as botocore asks for one."""

    def __init__(self, budget: RetryBudget) -> None:
        self._budget = budget

    def acquire_retry_quota(self, context: Any) -> bool:  # noqa: ARG002 - it is all the same what failed
        """Say whether a call may be repeated."""
        return self._budget.spend()


def breaker_of(system: str, *answers: type[Exception]) -> Breaker:
    """Return a breaker for *system*. By *answers*, and by what it says of a request of ours, it shows that it is well."""
    return Breaker(
        system,
        # Short: it is for those who wait at the moment; workers have pauses of their own.
        open_seconds=5,
        harmless=[*answers, ParamValidationError, (ClientError, _is_an_answer)],
    )


@contextmanager
def reaching(system: str, breaker: Breaker | None = None) -> Iterator[None]:
    """Translate every failure of a call to *system* ("The object store") into `Unavailable`.

    The message names no host and quotes no answer, for it may reach a client; the cause is chained for the log. A *breaker*
    leaves a system alone that does not answer.
    """
    try:
        with nullcontext() if breaker is None else breaker.guarding():
            yield
    except (ClientError, BotoCoreError, aiohttp.ClientError, TimeoutError, OSError) as error:
        raise Unavailable(f"{system} did not answer as it should. Try again in a moment.") from error


def error_code(error: ClientError) -> str:
    """Return the service's own name for what went wrong, such as ``NoSuchBucket``."""
    return error.response.get("Error", {}).get("Code", "")


def http_status(error: ClientError) -> int:
    """Return the HTTP status the service answered with, 0 if it said none."""
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


def _is_an_answer(error: BaseException) -> bool:
    return isinstance(error, ClientError) and 0 < http_status(error) < _SERVER_ERRORS

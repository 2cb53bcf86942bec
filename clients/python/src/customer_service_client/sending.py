"""How a request is sent, sent again or given up: decisions that are the same with and without `asyncio`."""

import random
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from customer_service_client.calls import Ask
from customer_service_client.errors import Conflict, NotFound, Refused, Unreachable
from customer_service_client.tokens import ClientCredentials, KeptToken

ATTEMPTS = 3
LONGEST_PAUSE = 30.0
TOKEN_PATH = "/api/v1/auth/access_token"  # noqa: S105 - where tokens are, not one

_UNAUTHORIZED, _NOT_FOUND, _CONFLICT, _PRECONDITION_FAILED, _TOO_MANY, _UNAVAILABLE = 401, 404, 409, 412, 429, 503
_REFUSED = 400

Headers = Callable[[], Mapping[str, str]]
"""Returns headers for one request: ``traceparent``, ``x-request-id``."""


class Sending:
    """What is known between the requests of one client."""

    def __init__(self, credentials: ClientCredentials | str, headers: Headers | None) -> None:
        self._credentials = credentials if isinstance(credentials, ClientCredentials) else None
        self._token = KeptToken(None if self._credentials is not None else str(credentials))
        self._headers = headers or dict

    @property
    def token(self) -> str | None:
        """The token to send; None when one has to be fetched first."""
        return self._token.current()

    def token_request(self) -> dict[str, Any]:
        """Return how a token is asked for.

        Raises:
            Refused: the token that was given does not hold, and there are no credentials to get another one.
        """
        if self._credentials is None:
            raise Refused(_UNAUTHORIZED, {"code": "UNAUTHENTICATED", "detail": "The access token is not valid, or no longer."})
        return {
            "url": TOKEN_PATH,
            "data": {"grant_type": "client_credentials"},
            "auth": (self._credentials.client_id, self._credentials.client_secret),
        }

    def keep_token(self, answer: httpx.Response) -> str:
        """Return the token of an answer, and keep it."""
        if answer.status_code >= _REFUSED:
            raise _refusal(answer)
        said = _json(answer)
        self._token.keep(said["access_token"], float(said["expires_in"]))
        return str(said["access_token"])

    def request(self, ask: Ask, token: str) -> dict[str, Any]:
        """Return what is sent for *ask*."""
        headers = {**self._headers(), **ask.headers, "authorization": f"Bearer {token}", "accept": "application/json"}
        sent: dict[str, Any] = {"method": ask.method, "url": ask.path, "headers": headers, "params": dict(ask.params)}
        if ask.body is not None:
            sent["json"] = ask.body
        return sent

    def pause(self, ask: Ask, attempt: int, outcome: httpx.Response | httpx.TransportError, token: str) -> float | None:
        """Return how many seconds to wait before the next attempt (the first one is number 1); None to make none."""
        if attempt >= ATTEMPTS:
            return None
        jitter = random.uniform(0.5, 1.0)  # noqa: S311 - so that clients do not come back in step
        if isinstance(outcome, httpx.TransportError):
            # Whoever was not connected has asked for nothing.
            again = ask.repeatable or isinstance(outcome, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
            return 0.2 * 2**attempt * jitter if again else None
        if outcome.status_code == _UNAUTHORIZED and self._credentials is not None and attempt == 1:
            self._token.forget(token)
            return 0.0
        if outcome.status_code == _TOO_MANY or (outcome.status_code == _UNAVAILABLE and ask.repeatable):
            told = outcome.headers.get("retry-after", "")
            seconds = float(told) if told.isdecimal() else 0.2 * 2**attempt
            return min(seconds, LONGEST_PAUSE) * (1 + jitter / 10)
        return None

    @staticmethod
    def result(outcome: httpx.Response | httpx.TransportError) -> Any:
        """Return what was answered, as JSON.

        Raises:
            Refused: the service said no.
            Unreachable: there was no answer that can be understood.
        """
        if isinstance(outcome, httpx.TransportError):
            raise Unreachable(f"Customer Service did not answer: {type(outcome).__name__}.") from outcome
        if outcome.status_code >= _REFUSED:
            raise _refusal(outcome)
        return _json(outcome) if outcome.content else None


def _refusal(answer: httpx.Response) -> Refused:
    try:
        said = answer.json()
    except ValueError:
        said = {}
    problem = said if isinstance(said, dict) else {}
    if answer.status_code == _NOT_FOUND and problem.get("code") == "NOT_FOUND":
        return NotFound(answer.status_code, problem)
    if answer.status_code == _PRECONDITION_FAILED or (answer.status_code == _CONFLICT and problem.get("code") == "CONFLICT"):
        return Conflict(answer.status_code, problem)
    return Refused(answer.status_code, problem)


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError as error:
        raise Unreachable("Something else than Customer Service answered: its answer is no JSON.") from error

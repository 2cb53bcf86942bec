"""How tests call the API: as somebody, through the real application, and seeing what it asks of the database."""

import itertools
import uuid
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import httpx
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from auth.principal import SCOPES, Scope
from auth.tokens import TokenIssuer
from core.vocabulary import PrincipalKind

BASE = "http://api.test"

Json = dict[str, Any]


class Tokens:
    """Mints access tokens that the application under test believes."""

    def __init__(self, issuer: TokenIssuer) -> None:
        self._issuer = issuer

    def operator(self, seller_id: str, scopes: Iterable[Scope] | None = None) -> str:
        """Return the token of a person who works for one seller."""
        return self._mint(PrincipalKind.OPERATOR, "ada", scopes, seller_id=seller_id)

    def customer(self, customer_id: str, seller_id: str) -> str:
        """Return the token of a customer."""
        return self._mint(PrincipalKind.CUSTOMER, customer_id, None, seller_id=seller_id)

    def service(self, scopes: Iterable[Scope] | None = None) -> str:
        """Return the token of a program that may act for every seller."""
        return self._mint(PrincipalKind.SERVICE, "oms", scopes)

    def _mint(self, kind: PrincipalKind, subject: str, scopes: Iterable[Scope] | None, *, seller_id: str | None = None) -> str:
        return self._issuer.issue(
            kind=kind,
            subject=subject,
            scopes=SCOPES[kind] if scopes is None else scopes,
            lifetime=timedelta(minutes=10),
            seller_id=seller_id,
        )


class Api:
    """Posts operations, as an operator of the test's own seller unless told otherwise."""

    def __init__(self, http: httpx.AsyncClient, operator: str) -> None:
        self.http = http
        self._operator = operator

    async def __call__(self, query: str, variables: Mapping[str, Any] | None = None, *, as_: str | None = "") -> Json:
        """Return data and errors. *as_* is an access token, None for none, and the operator's when left out."""
        headers = self.headers(as_)
        answer = await self.http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
        body: Json = answer.json()
        # What it cost and what is left of the quota differ from call to call.
        body.pop("extensions", None)
        return body

    async def data(self, query: str, variables: Mapping[str, Any] | None = None, *, as_: str | None = "") -> Json:
        """Return the data of an operation that has to go well."""
        answer = await self(query, variables, as_=as_)
        assert "errors" not in answer, answer["errors"]
        data: Json = answer["data"]
        return data

    async def code(self, query: str, variables: Mapping[str, Any] | None = None, *, as_: str | None = "") -> str:
        """Return the code of the one error of an operation that has to go wrong."""
        (error,) = (await self(query, variables, as_=as_))["errors"]
        return str(error["extensions"]["code"])

    def headers(self, as_: str | None = "") -> dict[str, str]:
        """Return the headers of a call."""
        token = self._operator if as_ == "" else as_
        return {} if token is None else {"authorization": f"Bearer {token}"}


_LOOKED_AT = frozenset({"otp_challenges", "revocations", "sellers", "vault_keys"})


class Commands(CommandListener):
    """Keeps what is asked of the database, command by command, while it is `listening`."""

    def __init__(self) -> None:
        self.listening = False
        self._started: list[CommandStartedEvent] = []

    def started(self, event: CommandStartedEvent) -> None:
        """Note one command."""
        if self.listening:
            self._started.append(event)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Expect nothing."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Expect nothing."""

    def forget(self) -> None:
        """Start over."""
        self._started.clear()

    def collections(self, *names: str) -> list[str]:
        """Return the collections that commands with these *names* went to, in order."""
        return [str(event.command[event.command_name]) for event in self._started if event.command_name in names]

    def of_requests(self, *names: str) -> list[str]:
        """Return what `collections` does, without what the process looks at by itself now and then."""
        return [collection for collection in self.collections(*names) if collection not in _LOOKED_AT]


def fresh(what: str) -> str:
    """Return a name that no other test has: ``seller-6f1c…``."""
    return f"{what}-{uuid.uuid4().hex[:12]}"


_numbers = itertools.count(1)


def some_email() -> str:
    """Return an e-mail address that no other customer of this process has."""
    return f"customer-{next(_numbers)}-{uuid.uuid4().hex[:6]}@example.com"


def codes(payload: Mapping[str, Any]) -> list[tuple[str, list[str] | None]]:
    """Return code and path of each of a payload's userErrors."""
    return [(error["code"], error["field"]) for error in payload["userErrors"]]


def error_code(answer: httpx.Response) -> str:
    """Return the code of the one error, which has a message and a request id too."""
    (error,) = answer.json()["errors"]
    assert error["message"]
    assert answer.headers["x-request-id"] == error["extensions"]["requestId"]
    return str(error["extensions"]["code"])

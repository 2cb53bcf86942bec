"""Who calls in tests that try every kind of caller, over whatever wire a field needs."""

from collections.abc import Iterable
from dataclasses import dataclass

from websockets.exceptions import ConnectionClosed

from auth.principal import Scope
from core.vocabulary import PrincipalKind
from tests.api import Api, Json, Tokens
from tests.graphql.catalogue import operation, seller_argument
from tests.graphql.socket import open_socket

CLOSED = "closed with"
REQUEST_ID = "walk"


@dataclass(frozen=True)
class Callers:
    """Calls root fields as somebody of one seller: over POST, and subscriptions over a WebSocket."""

    execute: Api
    tokens: Tokens
    served: str
    seller: str
    customer: str

    def token(self, kind: PrincipalKind | None, scopes: Iterable[Scope] = Scope, *, bound: bool = False) -> str | None:
        """Return a new token of one kind, with all scopes there are unless told otherwise; None for nobody."""
        if kind is None:
            return None
        subject = {PrincipalKind.CUSTOMER: self.customer, PrincipalKind.OPERATOR: "ada", PrincipalKind.SERVICE: "oms"}[kind]
        seller = self.seller if bound or kind is not PrincipalKind.SERVICE else None
        return self.tokens._mint(kind, subject, scopes, seller_id=seller)

    async def call(
        self, name: str, arguments: Json, token: str | None, *, spanning: bool = False, selection: str | None = None
    ) -> Json:
        """Return the answer of a root field, the first one of a subscription. *spanning* callers name the seller they mean."""
        if spanning and seller_argument(name):
            arguments = {"sellerId": self.seller, **arguments}
        query, variables = operation(name, arguments, selection)
        if not name.startswith("Subscription."):
            headers = {**self.execute.headers(token), "x-request-id": REQUEST_ID}
            answer = await self.execute.http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
            body: Json = answer.json()
            # What it cost and what is left of the quota differ from call to call.
            body.pop("extensions", None)
            return body
        async with open_socket(self.served) as socket:
            try:
                await socket.init(token)
            except ConnectionClosed as closed:
                code = None if closed.rcvd is None else closed.rcvd.code
                return {"errors": [{"message": f"{CLOSED} {code}", "extensions": {"code": "UNAUTHENTICATED"}}]}
            await socket.subscribe(query, variables)
            message = await socket.receive()
            found: Json = {"errors": message["payload"]} if message["type"] == "error" else message["payload"]
            found.pop("extensions", None)
            for error in found.get("errors") or ():
                # Over POST the caller chooses it, here the server does.
                error["extensions"]["requestId"] = REQUEST_ID
            return found


def error_codes(answer: Json) -> set[str]:
    """Return the codes of the errors of an answer."""
    return {error["extensions"]["code"] for error in answer.get("errors") or ()}

"""What is answered while a process has as much to do as it can: 503, in the words of each wire."""

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from app.admission import RETRY_SECONDS
from app.graphql import response
from core.request_facts import note
from core.request_id import request_id_of
from rest import problem

CODE = "OVERLOADED"
_MESSAGE = "The service has more to do than it can at present. Try again in a second, and a little later each time."
_RETRY = {"retry-after": str(RETRY_SECONDS)}


async def refuse_operation(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - an ASGI application
    """Refuse an operation of GraphQL, in the media type that the client likes best."""
    headers = Headers(scope=scope)
    request_id = _noted(headers)
    refusal = response.Refusal(HTTPStatus.SERVICE_UNAVAILABLE, _MESSAGE, code=CODE, headers=_RETRY)
    try:
        media_type = response.preferred(", ".join(headers.getlist("accept")))
    except response.Refusal:
        media_type = response.JSON
    answer = response.answer_to_refused(refusal, media_type, request_id)
    body = answer.encoded()
    told = {
        "content-type": f"{answer.media_type}; charset=utf-8",
        "content-length": str(len(body)),
        "cache-control": "no-store",
        "x-request-id": request_id,
        **answer.headers,
    }
    raw = [(name.encode(), value.encode()) for name, value in told.items()]
    await send({"type": "http.response.start", "status": answer.status.value, "headers": raw})
    await send({"type": "http.response.body", "body": body})


async def refuse_request(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a request of REST."""
    request_id = _noted(Headers(scope=scope))
    headers = {**_RETRY, "cache-control": "no-store", "x-request-id": request_id}
    answer = problem.Refusal(HTTPStatus.SERVICE_UNAVAILABLE, _MESSAGE, CODE, headers=headers).answer(request_id)
    await answer(scope, receive, send)


def _noted(headers: Headers) -> str:
    # Counted, and not logged: who has too much to do should not write a line for each that it does not do.
    request_id = request_id_of(headers.get("x-request-id"))
    note(code=CODE, request_id=request_id)
    return request_id

"""What a program sends to the token endpoint, read strictly: whatever arrives is a request, or a refusal of RFC 6749."""

import base64
import binascii
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qsl, quote, unquote_plus

from starlette.requests import ClientDisconnect, Request

from rest.bounded_body import FORM, TooLarge, read_at_most

MAX_BODY_BYTES = 8192
_MOST_FIELDS = 20
_LONGEST_ID = 256
_BASIC = "basic"


class Refusal(Exception):
    """An error answer of RFC 6749, section 5.2: a code from there, and a sentence in its alphabet."""

    def __init__(self, error: str, description: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(description)
        self.error = error
        self.status = status


class UnknownCaller(Refusal):
    """The client did not say who it is, or not in a way that can be checked."""

    def __init__(self, description: str = "The client id or the secret is wrong, or the client is disabled.") -> None:
        super().__init__("invalid_client", description, HTTPStatus.UNAUTHORIZED)


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A well-formed request. `basic` says that the credentials came in the header; they are not in *form* then."""

    client_id: str
    secret: str = field(repr=False)
    form: dict[str, str] = field(repr=False)
    basic: bool

    def headers(self) -> dict[str, str]:
        """Return the Authorization header, written anew from what was read, where the credentials came in it."""
        if not self.basic:
            return {}
        written = f"{quote(self.client_id, safe='')}:{quote(self.secret, safe='')}".encode("ascii")
        return {"Authorization": f"Basic {base64.b64encode(written).decode('ascii')}"}


async def read_token_request(request: Request) -> TokenRequest:
    """Read a request to the token endpoint.

    Raises:
        Refusal: with what is wrong; the body is not read further than `MAX_BODY_BYTES`.
    """
    _require_form(request)
    form = _parse(await _body(request))
    headers = request.headers.getlist("authorization")
    if len(headers) > 1:
        raise Refusal("invalid_request", "Send one Authorization header.")
    if headers:
        client_id, secret = _credentials(headers[0])
        if "client_secret" in form or form.get("client_id", client_id) != client_id:
            raise Refusal("invalid_request", "Authenticate in the header or in the form, not in both.")
    else:
        client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    if not client_id or not secret:
        raise UnknownCaller("Authenticate with client id and secret: HTTP Basic, or client_id and client_secret in the form.")
    if len(client_id) > _LONGEST_ID:
        raise UnknownCaller
    if "grant_type" not in form:
        raise Refusal("invalid_request", "Say which grant you mean: grant_type=client_credentials.")
    return TokenRequest(client_id, secret, form, basic=bool(headers))


def _require_form(request: Request) -> None:
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if media_type.strip().lower() != FORM or charset not in {"", "utf-8"}:
        raise Refusal("invalid_request", f"Send the request as {FORM}, in UTF-8.", HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refusal("invalid_request", "Send the request uncompressed.", HTTPStatus.UNSUPPORTED_MEDIA_TYPE)


async def _body(request: Request) -> bytes:
    try:
        return await read_at_most(request, MAX_BODY_BYTES)
    except TooLarge:
        message = f"A request has at most {MAX_BODY_BYTES} bytes."
        raise Refusal("invalid_request", message, HTTPStatus.REQUEST_ENTITY_TOO_LARGE) from None
    except ClientDisconnect:
        # Nobody is left to read this; without it the log would show a traceback.
        raise Refusal("invalid_request", "The request is incomplete.") from None


def _parse(body: bytes) -> dict[str, str]:
    """Return the parameters that have a value; those without count as absent (RFC 6749, section 3.2)."""
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise Refusal("invalid_request", f"The body is no form in UTF-8 with at most {_MOST_FIELDS} parameters.") from None
    form = dict(fields)
    if len(form) < len(fields):
        raise Refusal("invalid_request", "A parameter stands in the form twice.")
    return {name: value for name, value in form.items() if value}


def _credentials(header: str) -> tuple[str, str]:
    """Return id and secret of a Basic header, each decoded as section 2.3.1 has them encoded."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != _BASIC:
        raise UnknownCaller("Authenticate with client id and secret: HTTP Basic, or client_id and client_secret in the form.")
    try:
        client_id, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        if colon:
            return unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict")
    except (binascii.Error, ValueError):
        pass
    raise UnknownCaller("The Basic header is malformed: it holds id:secret in UTF-8 and base 64.")

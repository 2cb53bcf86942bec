"""The process of the development identity provider; `embedded.openid` knows its arguments.

OpenID Connect with the authorization code flow and PKCE, and nothing besides. Instead of a password it asks which operator one
wants to be. It listens on this machine only, and is part of no image.
"""

import base64
import hashlib
import hmac
import html
import json
import secrets
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from wsgiref.types import StartResponse, WSGIEnvironment

from joserfc import jwt
from joserfc.jwk import ECKey
from werkzeug.wrappers import Request, Response

from embedded.openid import CLIENT_ID, CLIENT_SECRET, OPERATORS
from embedded.ports import LOOPBACK
from embedded.wsgi import serve

_CODE_SECONDS = 60
_TOKEN_SECONDS = 300
_MOST_CODES = 100
_NO_STORE = {"Cache-Control": "no-store"}
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Sign in (development)</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:22rem;margin:20vh auto;padding:0 1rem}
a{display:block;margin:.75rem 0;padding:.75rem 1rem;border:1px solid;border-radius:.5rem;text-decoration:none}</style>
<main><h1>Who are you?</h1><p>This stands in for the sign-in of your company, in development only.</p>%s</main></html>"""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a code stands for until it is exchanged."""

    operator: str
    nonce: str
    challenge: str
    expires_at: float


class Provider:
    """The provider as a WSGI application."""

    def __init__(self, issuer: str, key: ECKey, callback: str) -> None:
        self._issuer = issuer
        self._key = key
        self._callback = callback
        self._grants: dict[str, Grant] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        match request.method, request.path:
            case "GET", "/.well-known/openid-configuration":
                return _json(self._description())
            case "GET", "/jwks":
                return _json({"keys": [{**self._key.as_dict(private=False), "use": "sig", "alg": "ES256"}]})
            case "GET", "/authorize":
                return self._authorize(request)
            case "POST", "/token":
                return self._token(request)
        return Response("There is nothing here.", 404)

    def _description(self) -> dict[str, Any]:
        return {
            "issuer": self._issuer,
            "authorization_endpoint": f"{self._issuer}/authorize",
            "token_endpoint": f"{self._issuer}/token",
            "jwks_uri": f"{self._issuer}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }

    def _authorize(self, request: Request) -> Response:
        asked = {name: request.args.get(name, "") for name in ("client_id", "redirect_uri", "response_type", "state", "nonce")}
        challenge = request.args.get("code_challenge", "")
        if (asked["client_id"], asked["redirect_uri"]) != (CLIENT_ID, self._callback):
            return Response("This is not the console that belongs to this stack.", 400)
        if asked["response_type"] != "code" or request.args.get("code_challenge_method") != "S256" or not challenge:
            return Response("Only the authorization code flow with PKCE (S256) is offered.", 400)
        operator = request.args.get("operator", "")
        if operator not in OPERATORS:
            return Response(
                _PAGE % "".join(_choice(request, name) for name in OPERATORS), content_type="text/html; charset=utf-8"
            )
        code = secrets.token_urlsafe(16)
        while len(self._grants) >= _MOST_CODES:
            self._grants.pop(next(iter(self._grants)))
        self._grants[code] = Grant(operator, asked["nonce"], challenge, time.monotonic() + _CODE_SECONDS)
        back = urlencode({"code": code, "state": asked["state"]})
        return Response(status=302, headers={**_NO_STORE, "Location": f"{self._callback}?{back}"})

    def _token(self, request: Request) -> Response:
        given = f"{request.authorization.username}:{request.authorization.password}" if request.authorization else ""
        if not hmac.compare_digest(given.encode(), f"{CLIENT_ID}:{CLIENT_SECRET}".encode()):
            return _json({"error": "invalid_client"}, 401)
        grant = self._grants.pop(request.form.get("code", ""), None)
        verifier = hashlib.sha256(request.form.get("code_verifier", "").encode()).digest()
        if (
            grant is None
            or grant.expires_at < time.monotonic()
            or request.form.get("redirect_uri") != self._callback
            or not hmac.compare_digest(base64.urlsafe_b64encode(verifier).rstrip(b"=").decode(), grant.challenge)
        ):
            return _json({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {
            "iss": self._issuer,
            "aud": CLIENT_ID,
            "sub": grant.operator,
            "seller_id": OPERATORS[grant.operator],
            "iat": now,
            "exp": now + _TOKEN_SECONDS,
            "nonce": grant.nonce,
        }
        token = jwt.encode({"alg": "ES256", "kid": self._key.kid}, claims, self._key, algorithms=["ES256"])
        return _json({"access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "id_token": token})


def _choice(request: Request, operator: str) -> str:
    address = f"/authorize?{urlencode({**request.args.to_dict(), 'operator': operator})}"
    return f'<a href="{html.escape(address)}">{operator.capitalize()}, operator of {OPERATORS[operator]}</a>'


def _json(content: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(content), status, headers=_NO_STORE, content_type="application/json")


def main(arguments: list[str]) -> None:
    """Serve until SIGTERM."""
    port, key_file, callback = arguments
    (key,) = json.loads(Path(key_file).read_text(encoding="utf-8"))["keys"]
    serve(int(port), Provider(f"http://{LOOPBACK}:{port}", ECKey.import_key(key), callback))


if __name__ == "__main__":
    main(sys.argv[1:])

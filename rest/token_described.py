"""What the description of the API says of the token endpoint: two kinds of requests, answered in two ways."""

from collections.abc import Mapping
from typing import Any

from rest.bounded_body import FORM, JSON
from rest.documented import answers

_FORM_SCHEMA = {
    "type": "object",
    "required": ["grant_type"],
    "properties": {
        "grant_type": {"type": "string", "enum": ["client_credentials"], "description": "The one grant there is."},
        "scope": {"type": "string", "description": "Separated by spaces; all that the client may have by default."},
        "client_id": {"type": "string", "description": "The id, unless it is in the Authorization header."},
        "client_secret": {"type": "string", "description": "The secret, unless it is in the Authorization header."},
    },
}

TOKEN_REQUEST: dict[str, Any] = {
    "security": [{"clientCredentials": []}, {}],
    "requestBody": {
        "required": True,
        "description": "A form for a program, JSON for a customer.",
        "content": {
            FORM: {"schema": _FORM_SCHEMA, "example": {"grant_type": "client_credentials"}},
            JSON: {
                "schema": {"$ref": "#/components/schemas/RefreshInput"},
                "example": {"refreshToken": "ses_01j9zs3w8zc8t9h2m5n7p8q4r6.0.3q2-7w"},
            },
        },
    },
}

_TOKEN_SCHEMA = {
    "type": "object",
    "required": ["access_token", "token_type", "expires_in", "scope"],
    "properties": {
        "access_token": {"type": "string", "description": "Send it with every call."},
        "token_type": {"type": "string", "enum": ["Bearer"], "description": "How to send it."},
        "expires_in": {"type": "integer", "description": "How long it holds, in seconds."},
        "scope": {"type": "string", "description": "What it allows, separated by spaces."},
    },
}
_ERROR_SCHEMA = {
    "type": "object",
    "required": ["error", "error_description"],
    "properties": {
        "error": {"type": "string", "description": "Why, as RFC 6749 names it."},
        "error_description": {"type": "string", "description": "Why, and what to do about it."},
    },
}
_ERRORS: Mapping[int, str] = {
    400: "invalid_scope",
    401: "invalid_client",
    413: "invalid_request",
    415: "invalid_request",
    429: "temporarily_unavailable",
    503: "temporarily_unavailable",
}


def _answers() -> dict[int | str, dict[str, Any]]:
    found = answers(200, 422, body=True, anybody=True)
    found[200]["content"] = {
        JSON: {
            "schema": {"anyOf": [_TOKEN_SCHEMA, {"$ref": "#/components/schemas/TokenPair"}]},
            "example": {"access_token": "eyJ…", "token_type": "Bearer", "expires_in": 600, "scope": "customers:read"},
        }
    }
    for status, error in _ERRORS.items():
        told = {"error": error, "error_description": "What to do about it."}
        found[status]["content"] = {JSON: {"schema": _ERROR_SCHEMA, "example": told}, **found[status]["content"]}
    return found


TOKEN_ANSWERS = _answers()
"""Problems to those who sent JSON, errors of OAuth to those who sent a form."""

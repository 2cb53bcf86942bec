"""What must never be in a log, taken out of whatever is about to be written there.

By the name it goes under, wherever it stands: in an entry, in what is nested there, in the text of an object or an error. And
by its look, for texts that others wrote: drivers quote values in their messages.
"""

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

from core.data_map import redacted_names

REDACTED = "[redacted]"

_SECRETS = (
    "token",
    "access_token",
    "refresh_token",
    "id_token",
    "client_secret",
    "authorization",
    "proxy-authorization",
    "cookie",
    "password",
    "secret",
    "api-key",
    "license_key",
    "master_key",
    "otp",
    "destination",
    "number",
    "document_number",
    "variables",
    # Whatever the map of personal data says of what is stored.
    *sorted(redacted_names()),
)
_PLAIN = re.compile(r"[^a-z0-9]")
_NAMES = frozenset(_PLAIN.sub("", name) for name in _SECRETS)
_NAMED = "|".join(sorted((re.sub(r"[_-]", "[_-]?", name) for name in _SECRETS), key=len, reverse=True))
_LOOKS: tuple[tuple[re.Pattern[str], str], ...] = (
    # What MongoDB says of a value that is taken, and Pydantic of one that is wrong.
    (re.compile(r"(dup key:\s*)\{.*?\}", re.DOTALL), r"\1{…}"),
    (re.compile(r"(full error:\s*)\{.*\}", re.DOTALL), r"\1{…}"),
    (re.compile(r"(input_value=).*?(, input_type=)", re.DOTALL), r"\1…\2"),
    (
        re.compile(rf"\b({_NAMED})(['\"]?\s*[=:]\s*)('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")", re.IGNORECASE),
        rf"\1\2{REDACTED}",
    ),
    (re.compile(r"\bbearer\s+[\w.~+/=-]+", re.IGNORECASE), f"Bearer {REDACTED}"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+(\.[\w-]*)?"), REDACTED),
    (re.compile(r"(\w://)[^/\s@]+@"), rf"\1{REDACTED}@"),
    (re.compile(r"[^\s@'\"<>(){}\[\],;:=]{1,64}@[\w-]+(\.[\w-]+)+"), REDACTED),
    (re.compile(r"\+[0-9][0-9 ().-]{5,20}[0-9]"), REDACTED),
)
_HARMLESS = (int, float, type(None))


def redact(_logger: object, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Return *entry* without secrets and personal data: a processor of structlog. What the caller holds stays as it is."""
    for key, value in entry.items():
        entry[key] = _without_secrets(key, value)
    return entry


def redacted(text: str) -> str:
    """Return *text* without what looks like a secret or like personal data."""
    for look, instead in _LOOKS:
        text = look.sub(instead, text)
    return text


def _without_secrets(key: object, value: object) -> object:
    if _PLAIN.sub("", str(key).lower()) in _NAMES:
        return REDACTED
    if isinstance(value, _HARMLESS):
        return value
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, Mapping):
        return {str(name): _without_secrets(name, inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_without_secrets("", inner) for inner in value]
    # What JSON does not know would be written as this text, in which models tell everything they hold.
    return redacted(repr(value))

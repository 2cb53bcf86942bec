"""The messages of ``graphql-transport-ws``: from a text frame to something of the right shape, or to the reason why not."""

import logging
from typing import Any

from core.strict_json import strict_json

_NEEDS_ID = frozenset({"subscribe", "complete"})
_MAY_HAVE_PAYLOAD = frozenset({"ping", "pong"})
_NOT_UTF8 = "Invalid UTF-8 sequence received from client."


class NotAMessage(Exception):
    """A frame that is no message of the protocol. The text says so in the few words that a closing frame has room for."""


def message_in(text: str | bytes) -> dict[str, Any]:
    """Return the message in a frame, read as strictly as the body of a POST.

    Raises:
        NotAMessage: it is not JSON, or not what the protocol knows.
    """
    try:
        message = strict_json(text if isinstance(text, bytes) else text.encode())
    except ValueError:
        raise NotAMessage("This is not JSON, or JSON that two readers could understand in two ways") from None
    if not isinstance(message, dict) or not _well_formed(message):
        raise NotAMessage("This is not a message of graphql-transport-ws")
    return message


def _well_formed(message: dict[str, Any]) -> bool:
    type_, payload = message.get("type"), message.get("payload")
    if not isinstance(type_, str):
        return False
    if type_ in _NEEDS_ID and not (isinstance(message.get("id"), str) and message["id"]):
        return False
    if type_ in _MAY_HAVE_PAYLOAD:
        return isinstance(payload, dict | None)
    return type_ != "subscribe" or (isinstance(payload, dict) and _names_a_document(payload))


def _names_a_document(payload: dict[str, Any]) -> bool:
    texts = [payload.get(key) for key in ("query", "documentId", "operationName")]
    objects = [payload.get(key) for key in ("variables", "extensions")]
    if not all(isinstance(one, str | None) for one in texts) or not all(isinstance(one, dict | None) for one in objects):
        return False
    # Without a query, one of the ways to name a stored document: whether it is there is the operation's own affair.
    return any(payload.get(key) is not None for key in ("query", "documentId", "extensions"))


class ClientsMistake(logging.Filter):
    """Lets the server tell in one line that a text frame was not UTF-8: it would print a traceback for each."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Take the traceback off the record, and let it pass."""
        if record.msg == _NOT_UTF8:
            record.levelno, record.levelname = logging.INFO, logging.getLevelName(logging.INFO)
            record.exc_info = None
        return True


CLIENTS_MISTAKE = ClientsMistake()

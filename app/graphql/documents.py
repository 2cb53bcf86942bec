"""Which document a request means: the one it carries, one that was stored for it, or one that somebody has sent before."""

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from app.graphql.document_guard import MAX_CHARACTERS
from core.errors import BadInput, PersistedQueryNotFound, PersistedQueryRequired

REMEMBERED_DOCUMENTS = 1_000
REMEMBERED_CHARACTERS = 2_000_000
"""Of all remembered documents together: 8 MB of memory at the worst."""

_VERSION = 1
_HASH_PREFIX = "sha256:"  # GraphQL over HTTP, appendix on persisted documents
NO_QUERY = 'Send a JSON object with a text "query", and if needed "variables" and "operationName".'
_MALFORMED = (
    'extensions.persistedQuery has to be {"version": 1, "sha256Hash": "…"}: the SHA-256 of the document, in hex digits.'
)
_MISMATCH = "The hash in extensions.persistedQuery is another document's: provided sha does not match query."
_NOT_STORED = "Only stored documents are served here. Ask for one by its id, as documentId."


class Documents:
    """Finds the text of the document that a request asks for, on whatever wire it came.

    Documents that clients register (automatic persisted queries) are shared by all callers: the key is the hash of the
    text, so nobody can change what another one's key means, and whoever knows a key knows the text already.
    """

    def __init__(self, stored: Mapping[str, str] | None = None, *, only_stored: bool = False) -> None:
        self._stored = dict(stored or {})
        self._by_hash = {_sha256(text): text for text in self._stored.values()}
        self._only_stored = only_stored
        self._remembered: OrderedDict[str, str] = OrderedDict()
        self._characters = 0

    def text(self, query: str | None, *, document_id: str | None = None, extensions: Mapping[str, Any] | None = None) -> str:
        """Return the document: *query* itself, the stored one called *document_id*, or the one with the hash in *extensions*.

        Raises:
            BadInput: none is named, two are, the hash is malformed, or it is another document's.
            PersistedQueryNotFound: nobody has stored or sent the one that is named.
            PersistedQueryRequired: only stored documents are served, and this is none.
        """
        digest = _digest(extensions)
        if document_id is not None:
            return self._called(document_id, alone=query is None and digest is None)
        if digest is not None and query is None:
            return self._hashed(digest)
        if self._only_stored:
            raise PersistedQueryRequired(_NOT_STORED)
        if not query:
            raise BadInput(NO_QUERY)
        if digest is not None:
            self._remember(digest, query)
        return query

    def _called(self, document_id: str, *, alone: bool) -> str:
        if not alone:
            raise BadInput('Send either "documentId", or "query", or a hash: a request has one document.')
        found = self._stored.get(document_id) or self._by_hash.get(document_id.removeprefix(_HASH_PREFIX))
        if found is None:
            raise PersistedQueryNotFound("No document is stored under this documentId.")
        return found

    def _hashed(self, digest: str) -> str:
        # By its id too: for Apollo's clients the hash is what the manifest calls the document.
        if stored := self._by_hash.get(digest) or self._stored.get(digest):
            return stored
        if self._only_stored:
            # Not "not found": clients would answer that by sending the document, which is refused as well.
            raise PersistedQueryRequired(_NOT_STORED)
        if digest not in self._remembered:
            # In this one word, which Apollo's clients look for.
            raise PersistedQueryNotFound("PersistedQueryNotFound")
        self._remembered.move_to_end(digest)
        return self._remembered[digest]

    def _remember(self, digest: str, query: str) -> None:
        if not hmac.compare_digest(_sha256(query).encode(), digest.encode()):
            raise BadInput(_MISMATCH)
        if len(query) > MAX_CHARACTERS:
            # It will be refused, and everybody after it too.
            return
        if digest not in self._remembered:
            self._remembered[digest] = query
            self._characters += len(query)
        self._remembered.move_to_end(digest)
        while len(self._remembered) > REMEMBERED_DOCUMENTS or self._characters > REMEMBERED_CHARACTERS:
            _, forgotten = self._remembered.popitem(last=False)
            self._characters -= len(forgotten)


def _sha256(text: str) -> str:
    try:
        return hashlib.sha256(text.encode()).hexdigest()
    except UnicodeEncodeError:
        raise BadInput("The document contains half of a character (a lone surrogate).") from None


def _digest(extensions: Mapping[str, Any] | None) -> str | None:
    """Return the hash that Apollo's clients send; None when there is none."""
    asked = (extensions or {}).get("persistedQuery")
    if asked is None:
        return None
    if not isinstance(asked, dict) or type(asked.get("version")) is not int or asked["version"] != _VERSION:
        raise BadInput(_MALFORMED)
    digest = asked.get("sha256Hash")
    if not isinstance(digest, str) or not digest:
        raise BadInput(_MALFORMED)
    return digest

"""Messages of other systems on the queue of imports: which file of whose is to be imported.

    {"sellerId": "demo", "bucket": "customer-documents", "filePath": "imports/demo/customers.csv"}

`mode`, `matchBy`, `validation` and `dryRun` may stand beside, as in GraphQL's `BulkImportInput`. Members may also be spelled
``seller_id``, ``file_path`` and so on, and the bucket ``bucketName``, as programs in other languages have it.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from auth.principal import Principal, Scope, is_seller_id
from core.drafts import BulkImportDraft, FileReference
from core.errors import BadInput
from core.vocabulary import BulkImportMatch, BulkImportMode, BulkImportValidation, PrincipalKind
from services.import_references import ImportReferences

E = TypeVar("E", bound=StrEnum)

SUBJECT = "import-queue"
"""Who asks: whoever may write to the queue. The history of the import names it."""

_UNDERSCORE = re.compile(r"_([a-z])")


def names_file(body: Mapping[str, object] | None) -> bool:
    """Say whether a message is one of these; those of this service itself have a `type`."""
    return body is not None and "type" not in body and "filePath" in _camel(body)


async def start_import(references: ImportReferences, message_id: str, body: Mapping[str, object]) -> None:
    """Start the import that a message asks for, once however often the message arrives.

    Raises:
        BadInput, Refused: no repetition would make the message any better; says what is wrong with it.
        Unavailable: a system that this needs did not answer. The message may come again.
    """
    given = _camel(body)
    seller_id, bucket, path = (_text(given, name) for name in ("sellerId", "bucket", "filePath"))
    if not is_seller_id(seller_id):
        raise BadInput("The message names no seller in sellerId.")
    caller = Principal(PrincipalKind.SERVICE, SUBJECT, frozenset({Scope.IMPORTS_WRITE}), seller_id)
    draft = BulkImportDraft(
        file_name=path,
        mode=_word(given, "mode", BulkImportMode.CREATE),
        match_by=_word(given, "matchBy", BulkImportMatch.EXTERNAL_ID),
        validation=_word(given, "validation", BulkImportValidation.LENIENT),
        dry_run=given.get("dryRun") is True,
    )
    await references.start(
        caller, FileReference(bucket, path), draft, seller_id=seller_id, idempotency_key=f"message:{message_id}"[:255]
    )


def _camel(body: Mapping[str, object]) -> dict[str, object]:
    spelled = {_UNDERSCORE.sub(lambda found: found[1].upper(), name): value for name, value in body.items()}
    if "bucket" not in spelled and "bucketName" in spelled:
        spelled["bucket"] = spelled["bucketName"]
    return spelled


def _text(given: Mapping[str, object], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value:
        message = f"The message has no text in {name}."
        raise BadInput(message)
    return value


def _word(given: Mapping[str, object], name: str, otherwise: E) -> E:
    value = given.get(name)
    if value is None:
        return otherwise
    try:
        return type(otherwise)(str(value).upper())
    except ValueError:
        message = f"The message has a {name} that nobody here knows."
        raise BadInput(message) from None

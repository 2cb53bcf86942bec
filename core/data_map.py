"""The one map of personal data: every field of every collection.

Erasure, export, masking, the redaction of logs and the grades of events read it; a test fails when a stored field is missing
here, or one is here that nobody stores.
"""

from collections.abc import Mapping

from core.personal_data import About, Collection, Ending, Field, Mask
from core.vocabulary import EventPrivacy

_FULL, _MASKED, _REFERENCE = EventPrivacy.FULL, EventPrivacy.MASKED, EventPrivacy.REFERENCE

_PLAIN = Field(about=About.NOTHING)
_GIVEN = Field(about=About.NOTHING, exported=True)
_LINK = Field(about=About.REFERENCE, stays=True)
_FACT = Field(about=About.REFERENCE, stays=True, exported=True)
_GONE = Field(about=About.REFERENCE, exported=True)
_BASIC = Field(about=About.REFERENCE, stays=True, exported=True, told=_REFERENCE)
_TOLD = Field(about=About.REFERENCE, stays=True, exported=True, told=_FULL)
_DIGEST = Field(about=About.DERIVED)
_WORD = Field(about=About.FREE_TEXT, mask=Mask.HIDDEN, exported=True)


def _personal(about: About, mask: Mask, told: EventPrivacy | None = _FULL, *, telling: bool = False) -> Field:
    return Field(about=about, mask=mask, told=told, exported=True, redacted=True, telling=telling)


_NAME = _personal(About.IDENTITY, Mask.PLAIN, _MASKED)
_PLACE = _personal(About.CONTACT, Mask.HIDDEN)


def _plain(*names: str) -> dict[str, Field]:
    return dict.fromkeys(names, _PLAIN)


_RECORD = dict.fromkeys(("id", "seller_id", "version", "created_at", "updated_at"), _FACT) | {
    "live": _LINK,
    "deleted_at": _FACT,
}
"""What every record of a seller has."""

_SESSION_SECRETS = ("generation", "digest", "previous_digest", "salt", "rotated_at")

COLLECTIONS: Mapping[str, Collection] = {
    "customers": Collection(
        purpose="Who the customers are.",
        ending=Ending.REPLACED,
        owner="id",
        fields={
            **_RECORD,
            "id": _BASIC,
            "seller_id": _BASIC,
            **dict.fromkeys(("version", "created_at", "updated_at"), _TOLD),
            "external_id": Field(
                about=About.CONTACT, mask=Mask.PLAIN, told=_REFERENCE, exported=True, redacted=True, telling=True
            ),
            "kind": _BASIC,
            "status": _BASIC,
            "email": _personal(About.CONTACT, Mask.EMAIL, _MASKED, telling=True),
            "email_verified": Field(about=About.REFERENCE, exported=True, told=_FULL),
            "phone": _personal(About.CONTACT, Mask.PHONE, _MASKED, telling=True),
            "phone_verified": Field(about=About.REFERENCE, exported=True, told=_FULL),
            **dict.fromkeys(("first_name", "last_name", "company"), _NAME),
            "date_of_birth": _personal(About.IDENTITY, Mask.HIDDEN),
            "locale": Field(about=About.IDENTITY, exported=True, told=_FULL),
            "tags": Field(about=About.FREE_TEXT, exported=True, told=_FULL),
            "attributes.key": Field(about=About.FREE_TEXT, exported=True, told=_FULL),
            "attributes.value": Field(about=About.FREE_TEXT, mask=Mask.HIDDEN, exported=True, told=_FULL),
            "full_name": Field(about=About.IDENTITY, exported=True, redacted=True, telling=True),
            "sort_name": Field(about=About.DERIVED, redacted=True),
            "search_words": Field(about=About.DERIVED, redacted=True),
            "document_keys": _DIGEST,
            **dict.fromkeys(("chain", "accesses", "access_chain"), _LINK),
            "source.import_id": _GONE,
            "source.row": _GONE,
            "merged_into": _BASIC,
            "erasure_due_at": _GONE,
            "erasure_asked_by": _GONE,
            "signed_in_at": _GONE,
            "retention_flagged_at": _GONE,
            "retention_due_at": _GONE,
            # Nothing of a hold is in an export: it may be there because of what the person is not to know yet.
            **dict.fromkeys(("legal_hold_at", "legal_hold_by"), Field(about=About.REFERENCE)),
            "legal_hold_reason": Field(about=About.FREE_TEXT, mask=Mask.HIDDEN, redacted=True),
            "erased_at": _FACT,
        },
    ),
    "addresses": Collection(
        purpose="Where customers live, and where things are sent.",
        ending=Ending.REMOVED,
        owner="customer_id",
        fields={
            **_RECORD,
            "id": _TOLD,
            "customer_id": _FACT,
            "kind": _TOLD,
            "is_default": _TOLD,
            "label": _PLACE,
            "recipient": _PLACE,
            "company": _PLACE,
            "line1": _personal(About.CONTACT, Mask.HIDDEN, telling=True),
            "line2": _PLACE,
            "city": _personal(About.CONTACT, Mask.PLAIN),
            "region": Field(about=About.CONTACT, exported=True, told=_FULL),
            "postal_code": _PLACE,
            "country_code": Field(about=About.CONTACT, exported=True, told=_FULL),
            "phone": _personal(About.CONTACT, Mask.PHONE, telling=True),
        },
    ),
    "documents": Collection(
        purpose="What proves who customers are. Files are in the object store.",
        ending=Ending.REMOVED,
        owner="customer_id",
        fields={
            **_RECORD,
            "id": _BASIC,
            "customer_id": _FACT,
            "type": Field(about=About.DOCUMENT, exported=True, told=_MASKED),
            "status": Field(about=About.DOCUMENT, exported=True, told=_MASKED),
            "number_sealed": Field(about=About.DOCUMENT, mask=Mask.LAST_FOUR),
            "number_box": Field(about=About.DOCUMENT, mask=Mask.LAST_FOUR, exported=True, telling=True),
            "number_last_four": Field(about=About.DOCUMENT, redacted=True),
            "number_key": _DIGEST,
            "number_key_next": _DIGEST,
            "issuing_country": Field(about=About.DOCUMENT, exported=True, told=_FULL),
            "issued_on": Field(about=About.DOCUMENT, exported=True, told=_FULL),
            "expires_on": Field(about=About.DOCUMENT, exported=True, told=_MASKED),
            "reminded": _GONE,
            "file.key": _LINK,
            "file.name": _WORD,
            "file.content_type": _GONE,
            "file.size": _GONE,
            "file.sha256": Field(about=About.DERIVED, exported=True),
            "file.scan.verdict": _GONE,
            "file.scan.finding": _GONE,
            "file.scan.scanned_at": _GONE,
            "file.scan.failures": _LINK,
            "file.scan.due_at": _LINK,
            "file_removed_at": _GONE,
            "upload.key": _LINK,
            "upload.name": _WORD,
            "upload.content_type": _GONE,
            "upload.size": _GONE,
            "upload.sha256": Field(about=About.DERIVED, exported=True),
            "upload.expires_at": _GONE,
            "rejection_code": Field(about=About.DOCUMENT, exported=True, told=_MASKED),
            "rejection_reason": Field(about=About.FREE_TEXT, exported=True, redacted=True),
        },
    ),
    "customer_keys": Collection(
        purpose="The key of each customer that document numbers are sealed with, itself encrypted.",
        ending=Ending.REMOVED,
        owner="id",
        fields=dict.fromkeys(("id", "seller_id", "wrapped", "wrapped_with", "created_at"), _LINK),
    ),
    "customer_events": Collection(
        purpose="What happened to customers: their history, and what is told to other systems.",
        ending=Ending.EMPTIED,
        owner="customer_id",
        fields={
            **dict.fromkeys(("id", "seller_id", "customer_id", "type", "version", "actor", "changed", "occurred_at"), _FACT),
            "data": _WORD,  # of a customer, in the grade that the service is configured for
            "reason": Field(about=About.FREE_TEXT, mask=Mask.HIDDEN),
            "changes": _WORD,  # fields of customers, addresses and documents, shown by the masks these have here
            "origin": Field(about=About.TECHNICAL, mask=Mask.HIDDEN),
            "salt": _DIGEST,  # without it, what is left of a digest fits anything
            "digest": _LINK,
            "hash": _LINK,
            "trace": _LINK,
            "pending": _LINK,
            "key_range": _LINK,
            "published_at": _FACT,
        },
    ),
    "customer_accesses": Collection(
        purpose="Who was given numbers and files of documents.",
        ending=Ending.EMPTIED,
        owner="customer_id",
        fields={
            **dict.fromkeys(("id", "seller_id", "customer_id", "number", "version", "actor", "occurred_at"), _FACT),
            **dict.fromkeys(("reads.document_id", "reads.part"), _FACT),
            "origin": Field(about=About.TECHNICAL, mask=Mask.HIDDEN),
            "salt": _DIGEST,
            "digest": _LINK,
            "hash": _LINK,
        },
    ),
    "sessions": Collection(
        purpose="Who is signed in, from where.",
        ending=Ending.REMOVED,
        owner="subject",
        fields={
            **_RECORD,
            **dict.fromkeys(
                ("kind", "subject", "scopes", "channel", "last_seen_at", "idle_until", "expires_at", "ended"), _FACT
            ),
            "user_agent": Field(about=About.TECHNICAL, exported=True, redacted=True),
            "ip_address": Field(about=About.TECHNICAL, exported=True, redacted=True),
            **dict.fromkeys(_SESSION_SECRETS, _PLAIN),
        },
    ),
    "otp_challenges": Collection(
        purpose="One-time codes that were asked for.",
        ending=Ending.REMOVED,
        owner="customer_id",
        fields={
            **dict.fromkeys(("id", "seller_id", "channel", "purpose", "customer_id", "attempts", "consumed_at"), _LINK),
            "account": _DIGEST,
            "code_digest": _DIGEST,
            "created_at": _LINK,
            "expires_at": _LINK,
            "delivery.state": _LINK,
            "delivery.sealed": _DIGEST,  # destination and code, encrypted, until it was sent
            "delivery.attempts": _LINK,
            "delivery.due_at": _LINK,
        },
    ),
    "merges": Collection(
        purpose="What merges moved, by names and ids, so that they can be undone for 30 days.",
        ending=Ending.REMOVED,
        owner="id",
        fields=dict.fromkeys(
            (
                *("id", "seller_id", "into_id", "taken", "tags", "attributes", "addresses.id", "addresses.was_default"),
                *("documents", "consents", "merged_at", "keep_until"),
            ),
            _LINK,
        ),
    ),
    "idempotency_records": Collection(
        purpose="Which calls were made already, for a day.",
        ending=Ending.EMPTIED,
        owner="customer_id",
        fields={**dict.fromkeys(("id", "seller_id", "customer_id", "created_at"), _LINK), "request_digest": _DIGEST},
    ),
    "consents": Collection(
        purpose="What customers have agreed to and taken back, and how that can be shown.",
        ending=Ending.REMOVED,
        owner="customer_id",
        fields={
            **_RECORD,
            **dict.fromkeys(("customer_id", "channel", "purpose", "state", "source"), _FACT),
            **dict.fromkeys(("text_version", "given_at", "recorded_by", "request_id"), _FACT),
            "reference": _WORD,
            "ip_address": Field(about=About.TECHNICAL, exported=True, redacted=True),
        },
    ),
    "data_exports": Collection(
        purpose="That somebody was given everything that is stored of them, and the archive of it until it is removed.",
        ending=Ending.REMOVED,
        owner="customer_id",
        fields={
            **_RECORD,
            **dict.fromkeys(("customer_id", "status", "requested_by", "started_at", "finished_at", "expires_at"), _FACT),
            "archive.key": _LINK,
            **dict.fromkeys(("archive.size", "archive.sha256"), _FACT),
            **dict.fromkeys(("due_at", "attempts", "forget_at"), _LINK),
        },
    ),
    "erasures": Collection(
        purpose="Files that are still to go: of erased customers, and such as were kept for long enough.",
        fields=dict.fromkeys(("id", "seller_id", "prefixes", "keys", "due_at", "until"), _LINK),
    ),
    "erasure_receipts": Collection(
        purpose="That somebody was erased, when, by whom, and what it took.",
        fields=dict.fromkeys(
            (
                *("id", "seller_id", "actor", "erased_at", "swept.collection", "swept.records"),
                *("key_destroyed", "files", "files_gone_at", "seal"),
            ),
            _LINK,
        ),
    ),
    "bulk_imports": Collection(
        purpose="Imports: which file, how it is read, how far it is.",
        fields={
            **dict.fromkeys(_RECORD, _PLAIN),
            **_plain("status", "mode", "match_by", "validation", "dry_run", "file_name", "declared_size"),
            **_plain("columns.source", "columns.target", "delimiter", "encoding", "source.key", "source.etag", "source.size"),
            **_plain("format.encoding", "format.bom_bytes", "format.delimiter", "format.header", "format.data_offset"),
            **_plain("format.newline", "counts.processed", "counts.created", "counts.updated", "counts.unchanged"),
            **_plain("counts.failed", "counts.warning", "bytes_done", "total_rows", "plan.segments", "plan.offset", "plan.row"),
            **_plain("plan.done", "ending.status", "ending.failure.code", "ending.failure.message", "nudge_at"),
            **_plain(
                "error_report_key", "masked_report_key", "result_report_key", "failure.code", "failure.message", "requested_by"
            ),
            **_plain("upload_expires_at", "started_at", "finished_at", "content_removed_at"),
        },
    ),
    "import_segments": Collection(
        purpose="Parts of files that are being imported.",
        fields=_plain(
            *("id", "seller_id", "import_id", "number", "start", "end", "first_row", "rows", "offset", "row"),
            *("counts.processed", "counts.created", "counts.updated", "counts.unchanged", "counts.failed", "counts.warning"),
            *("deferred", "done", "token", "attempts", "leased_until", "holder", "session"),
        ),
    ),
    "import_row_outcomes": Collection(
        purpose="Rows of files that were refused, as they came, and remarks about rows.",
        ending=Ending.BY_HAND,
        fields={
            "seller_id": _PLAIN,
            **dict.fromkeys(("id", "import_id", "row", "severity"), _GIVEN),
            **dict.fromkeys(("problems.column", "problems.severity", "problems.code"), _GIVEN),
            "problems.message": Field(about=About.FREE_TEXT, exported=True),
            "cells": Field(about=About.FREE_TEXT, redacted=True),
        },
    ),
    "import_keys": Collection(
        purpose="Which identifiers rows of an import have claimed, as digests.",
        ending=Ending.EXPIRES,
        fields={"id": _DIGEST, **_plain("seller_id", "import_id", "row", "created_at")},
    ),
    "import_digests": Collection(
        purpose="Which identifiers are in parts of a file, as 64-bit hashes.",
        ending=Ending.EXPIRES,
        fields={**_plain("id", "seller_id", "import_id", "number", "created_at"), "hashes": _DIGEST},
    ),
    "import_deferred_rows": Collection(
        purpose="Rows that wait for earlier ones.",
        ending=Ending.EXPIRES,
        fields={
            **_plain("id", "seller_id", "import_id", "row", "offset", "end", "outcome", "created_at"),
            "hashes": _DIGEST,
            "customer_id": _LINK,
        },
    ),
    "import_batch_results": Collection(
        purpose="Which row became which customer.",
        ending=Ending.EXPIRES,
        fields={**_plain("id", "seller_id", "import_id", "first_row", "outcomes", "created_at"), "customer_ids": _LINK},
    ),
    "leases": Collection(purpose="Which process does what.", fields=_plain("id", "holder", "until")),
    "migrations": Collection(purpose="Which steps the data has been through.", fields=_plain("id", "applied_at")),
    "sign_in_turns": Collection(
        purpose="That sign-ins of one person go one after the other.",
        ending=Ending.EXPIRES,
        fields=dict.fromkeys(("id", "sign_ins", "expires_at"), _LINK),
    ),
    "throttles": Collection(
        purpose="How often something was tried lately, by keyed digests.",
        ending=Ending.EXPIRES,
        fields={
            "id": _DIGEST,
            **_plain("hits.id", "hits.at", "hits.what", "admitted", "expires_at"),
        },
    ),
    "budgets": Collection(purpose="How much of an allowance is used.", fields=_plain("id", "used", "expires_at")),
    "known_networks": Collection(
        purpose="From which networks accounts have signed in, by keyed digests.",
        ending=Ending.EXPIRES,
        fields={"id": _DIGEST, "expires_at": _PLAIN},
    ),
    "revocations": Collection(
        purpose="Whose tokens no longer hold.",
        ending=Ending.EXPIRES,
        fields=dict.fromkeys(("id", "at", "expires_at"), _LINK),
    ),
    "retention_runs": Collection(
        purpose="How far the rounds of retention are, and what the last ones found.",
        fields=_plain(
            *("id", "stage", "place_at", "place_id", "step", "due_at", "began_at"),
            *(
                f"{report}.{name}"
                for report in ("counts", "last")
                for name in (
                    *("mode", "finished_at", "flagged", "unflagged", "anonymised", "files", "imports", "kept", "failed"),
                )
            ),
        ),
    ),
    "service_clients": Collection(
        purpose="Programs that may ask for tokens.",
        fields=_plain("id", "name", "secrets", "scopes", "seller_id", "created_at", "disabled_at"),
    ),
    "vault_keys": Collection(
        purpose="What customers' keys are wrapped by, and what blind indexes are made with; encrypted by the master key.",
        fields=_plain(
            *("id", "use", "state", "wrapped", "wrapped_by", "place", "created_at", "updated_at", "promoted_at", "settled_at")
        ),
    ),
    "sellers": Collection(
        purpose="What sellers have said for themselves.",
        fields=_plain(
            *("id", "told_at", "updated_at"),
            *(
                f"{said}.{rule}"
                for said in ("own", "told")
                for rule in (
                    *("default_country", "onboarding", "email", "phone", "documents", "addresses"),
                    *("required_documents", "otp_channels", "retention_mode", "retention_inactive_months"),
                    *("retention_grace_days", "retention_ended_file_days", "retention_verified_file_days"),
                    "retention_import_days",
                )
            ),
        ),
    ),
}
"""Every collection by its name."""

CUSTOMERS = COLLECTIONS["customers"].fields


def redacted_names() -> frozenset[str]:
    """Return the names under which a value is taken out of logs, wherever it stands."""
    return frozenset(
        name.rpartition(".")[2]
        for collection in COLLECTIONS.values()
        for name, field in collection.fields.items()
        if field.redacted
    )


def owned(ending: Ending) -> dict[str, str]:
    """Return the collections that an erasure treats like this and whose records say whose they are: name to that field."""
    return {name: one.owner for name, one in COLLECTIONS.items() if one.ending is ending and one.owner is not None}

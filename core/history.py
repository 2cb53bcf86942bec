"""What the history of a customer holds besides that something happened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from core.vocabulary import DocumentPart


@dataclass(frozen=True, slots=True)
class Kept:
    """What was changed into what (see `services.changes`), and where that came from, as both are stored."""

    changes: Mapping[str, Any] | None = None
    origin: Mapping[str, Any] | None = None


class Read(NamedTuple):
    """What was read of one document."""

    document_id: str
    part: DocumentPart


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What one request was given of a customer's documents. `number` counts those of the customer."""

    id: str
    customer_id: str
    number: int
    version: int
    actor: str
    occurred_at: datetime
    reads: Sequence[Read]
    origin: Mapping[str, Any] | None

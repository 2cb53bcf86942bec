"""How lists of customers are asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.vocabulary import AddressKind, CustomerKind, CustomerStatus, DocumentStatus, DocumentType


class CustomerSort(StrEnum):
    """Orders a list of customers can have; ids break ties."""

    CREATED_AT_ASC = "CREATED_AT_ASC"
    CREATED_AT_DESC = "CREATED_AT_DESC"
    UPDATED_AT_ASC = "UPDATED_AT_ASC"
    UPDATED_AT_DESC = "UPDATED_AT_DESC"
    NAME_ASC = "NAME_ASC"
    NAME_DESC = "NAME_DESC"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRange:
    """From a moment, up to but not including another."""

    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerFilter:
    """Conditions on customers, all of which have to hold. Values are normalised; None means "any"."""

    ids: Sequence[str] | None = None
    email: str | None = None
    phone: str | None = None
    external_id: str | None = None
    document_number: str | None = None
    status: Sequence[CustomerStatus] | None = None
    kind: CustomerKind | None = None
    tags: Sequence[str] | None = None
    created_at: TimeRange | None = None
    updated_at: TimeRange | None = None
    search: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressFilter:
    """Conditions on addresses, all of which have to hold; None means "any"."""

    customer_id: str | None = None
    kind: AddressKind | None = None
    country_code: str | None = None
    postal_code: str | None = None
    is_default: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentFilter:
    """Conditions on documents, all of which have to hold; `expires_before` is a date as text, None means "any"."""

    customer_id: str | None = None
    type: DocumentType | None = None
    status: DocumentStatus | None = None
    expires_before: str | None = None


class CustomerKeyKind(StrEnum):
    """By what one customer can be found, as the API spells it."""

    ID = "id"
    EMAIL = "email"
    PHONE = "phone"
    EXTERNAL_ID = "externalId"
    DOCUMENT_NUMBER = "documentNumber"


@dataclass(frozen=True, slots=True)
class CustomerKey:
    """One identifier of one customer."""

    kind: CustomerKeyKind
    value: str

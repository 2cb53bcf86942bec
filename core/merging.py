"""The words of merging: what can keep two customers from becoming one, and why two may be the same person."""

from enum import StrEnum


class MergeBlockCode(StrEnum):
    """Why two customers cannot be merged."""

    SAME_CUSTOMER = "SAME_CUSTOMER"
    NOT_FOUND = "NOT_FOUND"
    ALREADY_MERGED = "ALREADY_MERGED"
    ERASURE_PLANNED = "ERASURE_PLANNED"
    ON_LEGAL_HOLD = "ON_LEGAL_HOLD"
    TOO_MANY_TAGS = "TOO_MANY_TAGS"
    TOO_MANY_ATTRIBUTES = "TOO_MANY_ATTRIBUTES"
    TOO_MANY_ADDRESSES = "TOO_MANY_ADDRESSES"
    TOO_MANY_DOCUMENTS = "TOO_MANY_DOCUMENTS"


class DuplicateReason(StrEnum):
    """Why two customers may be one person."""

    SAME_NAME = "SAME_NAME"
    SIMILAR_NAME = "SIMILAR_NAME"
    SAME_PHONE = "SAME_PHONE"
    SAME_MAILBOX = "SAME_MAILBOX"
    SIMILAR_EMAIL = "SIMILAR_EMAIL"
    SAME_ADDRESS = "SAME_ADDRESS"
    SAME_DATE_OF_BIRTH = "SAME_DATE_OF_BIRTH"

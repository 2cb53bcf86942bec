"""By what customers are looked for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """One identifier of a customer, in any spelling."""

    kind: str
    value: str

    def as_json(self) -> dict[str, str]:
        """Return the key as the service reads it."""
        return {self.kind: self.value}


def by_id(value: str) -> Key:
    """Look for the id, ``cus_…``."""
    return Key("id", value)


def by_email(value: str) -> Key:
    """Look for an e-mail address."""
    return Key("email", value)


def by_phone(value: str) -> Key:
    """Look for a phone number; without calling code it is one of the seller's country."""
    return Key("phone", value)


def by_external_id(value: str) -> Key:
    """Look for the seller's own reference."""
    return Key("externalId", value)


def by_document_number(value: str) -> Key:
    """Look for the number of a document; needs the scope ``documents:read``."""
    return Key("documentNumber", value)

"""What can be said of a stored field: what it tells about a person, who is shown how much of it, and what becomes of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.vocabulary import EventPrivacy


class About(StrEnum):
    """What a field tells about a person."""

    NOTHING = "nothing"  # about the service, a seller, a program, a file as a whole
    REFERENCE = "reference"  # ids, states, versions, moments: they name a person to whoever has the rest
    IDENTITY = "identity"  # names, date of birth
    CONTACT = "contact"  # e-mail, phone, addresses
    DOCUMENT = "document"  # passports and the like, and their files
    FREE_TEXT = "free text"  # whatever somebody wrote there
    TECHNICAL = "technical"  # IP addresses, browsers
    DERIVED = "derived"  # made from the above: search words, keyed digests

    @property
    def personal(self) -> bool:
        """Whether it is personal data by itself."""
        return self not in {About.NOTHING, About.REFERENCE}


class Mask(StrEnum):
    """How a value is shown to those who may know whose it is, and not what it is."""

    PLAIN = "plain"  # as it is
    EMAIL = "email"  # a***@example.com
    PHONE = "phone"  # ***42
    INITIALS = "initials"  # A. L.
    LAST_FOUR = "last four"  # of a document's number, never more than half of it
    HIDDEN = "hidden"  # not at all


class Ending(StrEnum):
    """What an erasure does to the records of a collection."""

    REPLACED = "replaced"  # by a record of the fields that stay
    REMOVED = "removed"
    EMPTIED = "emptied"  # the record stays, its personal fields go
    EXPIRES = "expires"  # by itself, soon: see the collection's index with an end
    BY_HAND = "by hand"  # nothing tells which records are the person's; docs/erasure.md says what to do
    UNTOUCHED = "untouched"  # nothing in it is personal


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One stored field. `told` is the lowest grade of events that has it, None for those that no event has.

    `stays` says that it outlives an erasure where its record does, `exported` that the person is given it. `redacted` fields
    are taken out of logs by their name; `telling` ones name the person by themselves, so that a search for what is left looks
    for them.
    """

    about: About
    mask: Mask = Mask.PLAIN
    told: EventPrivacy | None = None
    stays: bool = False
    exported: bool = False
    redacted: bool = False
    telling: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """One collection: what it is for, in words for people, its fields by their stored names, and whose its records are.

    Parts of a field have dotted names (``file.name``). `owner` is the field that holds a customer's id, if one does.
    """

    purpose: str
    fields: Mapping[str, Field]
    ending: Ending = Ending.UNTOUCHED
    owner: str | None = None

    def names(self, chosen: Callable[[Field], bool]) -> tuple[str, ...]:
        """Return the names of the fields that are *chosen*, in their order."""
        return tuple(name for name, field in self.fields.items() if chosen(field))


def mask_email(email: str) -> str:
    """Keep the first character and the domain: ``l***@embraer.com.br``. How many were hidden does not show."""
    local, at, domain = email.rpartition("@")
    return f"{local[:1]}***{at}{domain}"


def mask_phone(phone: str) -> str:
    """Keep the last two digits: ``***55``."""
    return f"***{phone[-2:]}"


def initials(name: str) -> str:
    """Keep the first letter of every word: ``A. M.``."""
    return " ".join(f"{word[0]}." for word in name.split())


MASKED: Mapping[Mask, Callable[[str], str | None]] = {
    Mask.PLAIN: lambda value: value,
    Mask.EMAIL: mask_email,
    Mask.PHONE: mask_phone,
    Mask.INITIALS: initials,
    Mask.LAST_FOUR: lambda _: None,  # of what is encrypted; the last four characters are a field of their own
    Mask.HIDDEN: lambda _: None,
}
"""What is shown of a text under each mask; None for nothing."""

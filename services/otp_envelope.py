"""What a queued code's record hides: where the code goes and the code itself, encrypted until it is on its way."""

from typing import NamedTuple

import orjson

from core.sealing import SealBroken, Sealer


class Envelope(NamedTuple):
    """The two things that nobody but the courier may read. It does not print them."""

    destination: str
    code: str

    def __repr__(self) -> str:
        return "Envelope(...)"


def seal_delivery(sealer: Sealer, challenge_id: str, seller_id: str, destination: str, code: str) -> bytes:
    """Return destination and code as `StoredDelivery.sealed` holds them; good for this challenge of this seller only."""
    letter = orjson.dumps({"destination": destination, "code": code}).decode()
    return sealer.seal(letter, seller_id=seller_id, bound_to=challenge_id)


def open_delivery(sealer: Sealer, challenge_id: str, seller_id: str, sealed: bytes) -> Envelope:
    """Return what `seal_delivery` was given.

    Raises:
        SealBroken: the bytes were altered, sealed with another master key, or belong to another challenge or seller.
    """
    opened = sealer.open(sealed, seller_id=seller_id, bound_to=challenge_id)
    try:
        letter = orjson.loads(opened)
        return Envelope(letter["destination"], letter["code"])
    except (ValueError, KeyError, TypeError):
        # Genuine, but no envelope: something else was sealed under this id. Without the cause, which could quote it.
        raise SealBroken from None

"""JSON, read in the one way that no two readers can disagree about."""

import json
from collections.abc import Sequence
from typing import Any

import orjson

_NO_JSON = (
    "This is not JSON that every reader takes the same way: UTF-8 without a byte order mark, numbers within a double, whole "
    "characters, no more than a few hundred levels."
)

_BLANKS = b" \t\n\r"


def strict_json(data: bytes) -> object:
    """Return the value that *data* is the JSON of, read in the one way that no two readers can disagree about.

    An integer keeps all its digits. Refused are: other encodings than UTF-8, byte order marks, halves of characters, NaN,
    numbers beyond the range of a double, nesting beyond 1,024 levels, and objects with the same key twice.

    Raises:
        ValueError: with a sentence for the client that repeats nothing of the body.
    """
    try:
        # Knows the grammar to the letter, and takes 2 microseconds for a body of 1 KB; but of two equal keys the last wins.
        read = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise ValueError(_NO_JSON) from None
    if _is_all_of(data, read):
        return read
    try:
        # Another 5 microseconds.
        return _DECODER.decode(data.decode())
    except RecursionError:
        raise ValueError(_NO_JSON) from None


def _is_all_of(data: bytes, read: Any) -> bool:
    """Say whether nothing of *data* was lost in reading it, so that no key came twice.

    Known of what is written as orjson writes it, blanks apart: without them, too, both have as many members.
    """
    try:
        written = orjson.dumps(read)
    except orjson.JSONEncodeError:  # too deep
        return False
    return written == data or written.translate(None, _BLANKS) == data.translate(None, _BLANKS)


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("An object has the same key twice.")
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_object)

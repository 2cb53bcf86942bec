"""Cursors and the four paging arguments."""

import base64
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import to_milliseconds
from core.errors import BadInput
from core.paging import PageRequest, Position, SortValue, decode_cursor, encode_cursor, page_request

ID = "cus_01m828cffyepdakc5jnxq2y2qx"
MOMENTS = st.datetimes(datetime(1970, 1, 1), timezones=st.just(UTC)).map(to_milliseconds)  # noqa: DTZ001 - the strategy adds it
# Names to sort by have up to 256 characters; a NUL or a half of a surrogate pair never gets past the rules.
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=256)
VALUES = st.one_of(NAMES, st.integers(-(1 << 63), (1 << 63) - 1), MOMENTS)


def raw(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode()


@given(VALUES, NAMES.map(lambda name: name[:30]))
def test_a_cursor_comes_back_as_it_was(value: SortValue, id_: str) -> None:
    cursor = encode_cursor("name", Position(value, id_))

    assert Position(value, id_) == decode_cursor("name", cursor)
    assert type(value) is type(decode_cursor("name", cursor).value)


@pytest.mark.parametrize("character", ["a", "ß", "\U0001f600", '"', "\\"])
def test_the_longest_name_fits_into_a_cursor(character: str) -> None:
    position = Position(character * 256, ID)

    assert position == decode_cursor("customers/NAME_DESC", encode_cursor("customers/NAME_DESC", position))


GOOD = encode_cursor("name", Position("ada", ID))

HOSTILE = {
    "another list": encode_cursor("email", Position("ada", ID)),
    "another list by number": encode_cursor("version", Position(7, ID)),
    "another list by moment": encode_cursor("createdAt", Position(datetime(2026, 1, 1, tzinfo=UTC), ID)),
    "nothing": "",
    "padding only": "====",
    "cut off": GOOD[:-3],
    "begun late": GOOD[1:],
    "blank in it": f"{GOOD[:4]} {GOOD[4:]}",
    "line break": f"{GOOD}\n",
    "the other base 64": "++//",
    "accent": "é",
    "half of a pair": "\ud800",
    "NUL": "\x00",
    "no JSON": raw(b"name,ada"),
    "bad UTF-8": raw(b'["name","\xff","a"]'),
    "null": raw(b"null"),
    "number": raw(b"5"),
    "text": raw(b'"abc"'),
    "object": raw(b'{"name":1,"b":2,"c":3}'),
    "too short": raw(b'["name","a"]'),
    "too long": raw(b'["name","a","b","c"]'),
    "deep": raw(b"[" * 1500),
    "huge": "A" * 10_000_000,
    "no value": raw(b'["name",null,"a"]'),
    "truth": raw(b'["name",true,"a"]'),
    "fraction": raw(b'["name",1.5,"a"]'),
    "list as value": raw(b'["name",["a"],"a"]'),
    "operator as value": raw(b'["name",{"$gt":""},"a"]'),
    "operator as id": raw(b'["name","a",{"$gt":""}]'),
    "number as id": raw(b'["name","a",5]'),
    "larger than an integer of MongoDB": raw(b'["name",9223372036854775808,"a"]'),
    "smaller than an integer of MongoDB": raw(b'["name",-9223372036854775809,"a"]'),
    "more digits than Python converts": raw(b'["name",%s,"a"]' % (b"9" * 1400)),
    "moment that is a number": raw(b'["name",{"t":5},"a"]'),
    "moment that is none": raw(b'["name",{"t":"yesterday"},"a"]'),
    "moment before the first": raw(b'["name",{"t":"0001-01-01T00:00:00+14:00"},"a"]'),
    "moment after the last": raw(b'["name",{"t":"9999-12-31T23:59:59-14:00"},"a"]'),
}


@pytest.mark.parametrize("cursor", HOSTILE.values(), ids=HOSTILE)
def test_a_cursor_that_does_not_belong_here_is_bad_input(cursor: str) -> None:
    with pytest.raises(BadInput, match="does not belong to this list"):
        decode_cursor("name", cursor)


def decodes_or_is_bad_input(cursor: str) -> None:
    try:
        found = decode_cursor("name", cursor)
    except BadInput:
        return
    assert isinstance(found.value, str | int | datetime)


@given(st.text())
def test_any_text_as_a_cursor_is_bad_input_at_worst(cursor: str) -> None:
    decodes_or_is_bad_input(cursor)


@given(st.binary())
def test_any_bytes_as_a_cursor_are_bad_input_at_worst(content: bytes) -> None:
    decodes_or_is_bad_input(raw(content))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | st.floats(allow_nan=False) | NAMES,
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["t", "$gt"]), inner),
    max_leaves=5,
)


@given(st.lists(JSON, max_size=4))
def test_any_json_as_a_cursor_is_bad_input_at_worst(content: list[object]) -> None:
    decodes_or_is_bad_input(raw(orjson.dumps(["name", *content])))


def test_without_arguments_the_first_twenty_are_meant() -> None:
    assert PageRequest(size=20, backward=False, after=None, before=None) == page_request("name")


@pytest.mark.parametrize("size", [1, 99, 100])
def test_sizes_within_bounds(size: int) -> None:
    assert PageRequest(size=size, backward=False, after=None, before=None) == page_request("name", first=size)
    assert PageRequest(size=size, backward=True, after=None, before=None) == page_request("name", last=size)


@pytest.mark.parametrize("size", [0, -1, 101, 1 << 70])
@pytest.mark.parametrize("name", ["first", "last"])
def test_sizes_out_of_bounds(name: str, size: int) -> None:
    with pytest.raises(BadInput, match=f"^{name} has to be between 1 and 100; it is {size}"):
        page_request("name", **{name: size})  # type: ignore[arg-type]  # the name of a size


@pytest.mark.parametrize(("first", "last"), [(1, 1), (20, 20), (0, 0), (101, 5)])
def test_first_and_last_together(first: int, last: int) -> None:
    with pytest.raises(BadInput, match="either first or last"):
        page_request("name", first=first, last=last)


def test_cursors_become_places() -> None:
    place = Position("ada", ID)

    assert PageRequest(size=5, backward=True, after=place, before=place) == page_request(
        "name", last=5, after=GOOD, before=GOOD
    )


@pytest.mark.parametrize("name", ["after", "before"])
def test_an_empty_cursor_is_not_the_same_as_none(name: str) -> None:
    """
    A client that forgets to fill in its cursor would otherwise read the first page for ever.
    """
    with pytest.raises(BadInput):
        page_request("name", **{name: ""})  # type: ignore[arg-type]  # the name of a cursor

"""Sealed values and blind indexes."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.sealing import SealBroken, Sealer, UnusableMasterKey

KEY = base64.b64encode(bytes(range(32))).decode()
SEALER = Sealer(KEY)


@given(st.text(), st.text(), st.text())
def test_what_was_sealed_can_be_opened_by_its_owner(value: str, seller_id: str, record: str) -> None:
    sealed = SEALER.seal(value, seller_id=seller_id, bound_to=record)

    assert value == SEALER.open(sealed, seller_id=seller_id, bound_to=record)
    assert value == Sealer(KEY).open(sealed, seller_id=seller_id, bound_to=record)


def test_sealing_twice_gives_nothing_to_compare() -> None:
    first, second = (SEALER.seal("X1234567", seller_id="acme", bound_to="doc_1") for _ in range(2))

    assert first != second
    assert b"X1234567" not in first


@pytest.mark.parametrize(("seller_id", "record"), [("other", "doc_1"), ("acme", "doc_2"), ("", "doc_1"), ("acme", "")])
def test_a_seal_holds_for_one_record_of_one_seller(seller_id: str, record: str) -> None:
    sealed = SEALER.seal("X1234567", seller_id="acme", bound_to="doc_1")

    with pytest.raises(SealBroken):
        SEALER.open(sealed, seller_id=seller_id, bound_to=record)


def test_another_master_key_opens_nothing() -> None:
    sealed = SEALER.seal("X1234567", seller_id="acme", bound_to="doc_1")

    with pytest.raises(SealBroken):
        Sealer(base64.b64encode(bytes(32)).decode()).open(sealed, seller_id="acme", bound_to="doc_1")


def test_every_changed_bit_breaks_the_seal() -> None:
    sealed = SEALER.seal("X1", seller_id="acme", bound_to="doc_1")

    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(SealBroken):
            SEALER.open(bytes(changed), seller_id="acme", bound_to="doc_1")


@pytest.mark.parametrize("length", [0, 1, 7, 8, 11, 12, 13, 27, 28, 29])
def test_a_sealed_value_cut_short_is_broken(length: int) -> None:
    sealed = SEALER.seal("X1", seller_id="acme", bound_to="doc_1")

    with pytest.raises(SealBroken):
        SEALER.open(sealed[:length], seller_id="acme", bound_to="doc_1")


def test_a_blind_index_is_the_same_for_the_same_value_of_the_same_seller() -> None:
    index = SEALER.blind_index("X1234567", seller_id="acme")

    assert index == Sealer(KEY).blind_index("X1234567", seller_id="acme")
    assert 32 == len(bytes.fromhex(index).hex())
    others = {
        index,
        SEALER.blind_index("X1234567", seller_id="other"),
        SEALER.blind_index("X1234568", seller_id="acme"),
        Sealer(base64.b64encode(bytes(32)).decode()).blind_index("X1234567", seller_id="acme"),
    }
    assert 4 == len(others)


@pytest.mark.parametrize(
    ("master_key", "reason"),
    [
        ("not base 64!", "is not base 64"),
        ("AAA", "is not base 64"),
        ("schlüssel", "is not base 64"),
        ("", "does not hold 32 bytes"),
        (base64.b64encode(bytes(31)).decode(), "does not hold 32 bytes"),
        (base64.b64encode(bytes(33)).decode(), "does not hold 32 bytes"),
    ],
)
def test_a_bad_master_key_is_refused_with_advice_and_without_quoting_it(master_key: str, reason: str) -> None:
    with pytest.raises(UnusableMasterKey) as refusal:
        Sealer(master_key)

    assert reason in str(refusal.value)
    assert "openssl rand -base64 32" in str(refusal.value)
    assert not master_key or master_key not in str(refusal.value)

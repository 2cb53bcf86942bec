"""Keys of customers and of blind indexes: what opens what, and what nobody opens."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Unavailable
from core.sealing import SealBroken, Sealer
from core.vault import FIRST, IndexKey, KeyRing, Vault, WrappedKey, is_under

SEALER = Sealer(base64.b64encode(bytes(range(32))).decode())
OLD, NEW = IndexKey("x-1", b"1" * 32), IndexKey("x-2", b"2" * 32)


@given(st.text(), st.text())
def test_a_number_opens_with_the_key_of_its_customer_and_at_its_document(number: str, document: str) -> None:
    vault = Vault(SEALER)
    key, stored = vault.new_key("cus_1")

    sealed = key.seal(number, bound_to=document)

    assert number == Vault(SEALER).unwrap(stored, "cus_1").open(sealed, bound_to=document)
    with pytest.raises(SealBroken):
        key.open(sealed, bound_to=f"{document}2")
    with pytest.raises(SealBroken):
        vault.new_key("cus_1")[0].open(sealed, bound_to=document)


def test_a_stored_key_is_one_customers() -> None:
    _, stored = Vault(SEALER).new_key("cus_1")

    with pytest.raises(SealBroken):
        Vault(SEALER).unwrap(stored, "cus_2")


def test_without_the_master_key_no_stored_key_opens() -> None:
    _, stored = Vault(SEALER).new_key("cus_1")

    with pytest.raises(SealBroken):
        Vault(Sealer(base64.b64encode(bytes(32)).decode())).unwrap(stored, "cus_1")


def test_a_key_that_was_wrapped_anew_opens_what_it_sealed() -> None:
    vault = Vault(SEALER)
    key, stored = vault.new_key("cus_1")
    sealed = key.seal("X1234567", bound_to="doc_1")
    vault.ring = KeyRing(wrapping={"w-1": b"w" * 32}, wraps_with="w-1")

    anew = vault.rewrap(stored, "cus_1")

    assert (FIRST, "w-1") == (stored.wrapped_with, anew.wrapped_with)
    assert "X1234567" == vault.unwrap(anew, "cus_1").open(sealed, bound_to="doc_1")


def test_a_key_wrapped_by_one_that_is_not_known_may_open_later() -> None:
    vault = Vault(SEALER)

    with pytest.raises(Unavailable):
        vault.unwrap(WrappedKey(b"x" * 60, "w-9"), "cus_1")


def test_while_an_index_key_is_replaced_a_number_has_both_indexes() -> None:
    vault = Vault(SEALER)
    (first,) = vault.indexes("X1234567", seller_id="acme")
    vault.ring = KeyRing(next_index=OLD)

    both = vault.indexes("X1234567", seller_id="acme")

    assert (first, vault.index_by(OLD, "X1234567", seller_id="acme")) == both
    vault.ring = KeyRing(index=OLD)
    assert (both[1],) == vault.indexes("X1234567", seller_id="acme")


def test_an_index_says_under_which_key_it_is() -> None:
    vault = Vault(SEALER)
    made = {key: vault.index_by(key, "X1", seller_id="acme") for key in (IndexKey(FIRST), OLD, NEW)}

    assert [True] * 3 == [is_under(index, key) for key, index in made.items()]
    assert not any(is_under(index, other) for key, index in made.items() for other in made if other is not key)


def test_equal_numbers_of_two_sellers_look_unrelated() -> None:
    vault = Vault(SEALER)

    assert vault.index_by(OLD, "X1", seller_id="acme") != vault.index_by(OLD, "X1", seller_id="other")
    assert vault.index_by(OLD, "X1", seller_id="acme") != vault.index_by(NEW, "X1", seller_id="acme")


def test_nothing_that_may_be_printed_shows_a_key() -> None:
    ring = KeyRing(wrapping={"w-1": b"secret"}, wraps_with="w-1", index=IndexKey("x-1", b"secret"))

    assert "secret" not in f"{ring!r} {Vault(SEALER).new_key('cus_1')[0]!r}"

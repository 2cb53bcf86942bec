"""One mailbox, one spelling."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.errors import ErrorCode
from services.rules.email import _normalised, normalise_email
from tests.services.rules.test_text import ANY_TEXT

LETTERS = st.text(alphabet="aZéßİΣςǅﬀªµ.+-'", min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("value", "spelled"),
    [
        ("Ada@Example.COM", "ada@example.com"),
        (" ada+tag@example.com ", "ada+tag@example.com"),
        ("a@xn--bcher-kva.example", "a@bücher.example"),
        ("a@BÜCHER.example", "a@bücher.example"),
        ("stanisław.wójcik@wp.pl", "stanisław.wójcik@wp.pl"),
        ("stanis\u0142aw.wo\u0301jcik@wp.pl", "stanisław.wójcik@wp.pl"),
        ("a\u200bda@example.com", "ada@example.com"),
        ("o'reilly@shop.test", "o'reilly@shop.test"),
    ],
)
def test_spellings_of_one_mailbox_meet(value: str, spelled: str) -> None:
    assert (spelled, None) == normalise_email(value)


@pytest.mark.parametrize(
    "value",
    [
        "ada", "ada@", "@example.com", "a..b@example.com", "ada@localhost", "ada@example.com.", "ada\uff20example.com",
        "Ada <ada@example.com>", "ada@exam ple.com", "ada@example.com\x00", "\ud800@example.com", "ada@[127.0.0.1]",
        f"{'a' * 65}@example.com", f"a@{'b' * 63}.{'c' * 63}.{'d' * 63}.{'e' * 63}.com", "x" * 10_000_000,
    ],
    ids=lambda value: value[:20].encode("unicode-escape").decode(),
)  # fmt: skip
def test_what_is_no_address_is_refused_with_a_sentence(value: str) -> None:
    address, problem = normalise_email(value)

    assert address is None
    assert problem is not None
    assert ErrorCode.INVALID_EMAIL == problem.code
    assert 10 < len(problem.message) < 400


@given(ANY_TEXT | st.emails() | st.builds("{}@{}.com".format, LETTERS, LETTERS))
@example("ΑΣ@x.gr")
def test_normalising_never_raises_and_twice_is_once(value: str) -> None:
    address, problem = normalise_email(value)

    assert (address is None) is (problem is not None)
    if address is not None:
        assert (address, None) == normalise_email(address)
        assert (address, None) == normalise_email(address.upper()) or not address.isascii()


DOMAINS = st.lists(st.text(alphabet="aZ09-_", max_size=8), min_size=1, max_size=3).map(".".join)
ENDS = st.sampled_from(
    [
        "com",
        "CO.UK",
        "test",
        "x.test",
        "local",
        "LocalHost",
        "a.onion",
        "invalid",
        "example",
        "c",
        "x1",
        "1x",
        "xn--p1ai",
        "c-m",
    ]
)


@settings(max_examples=1000)
@given(
    st.builds(
        "{}{}{}.{}".format, st.text(alphabet="aZ09.-_+'!{~/\" (\u212a\n", max_size=66), st.sampled_from("@@"), DOMAINS, ENDS
    )
)
@example("a" * 63 + "@example.com")
@example("ada@example.com\n")
@example("ada@" + "a" * 64 + ".com")
def test_a_plain_address_is_what_the_library_says(value: str) -> None:
    assert _normalised(value) == normalise_email(value)

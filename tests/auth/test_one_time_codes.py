"""One-time codes, without anything around them."""

import base64
import secrets
from typing import cast

import pytest

from auth.one_time_codes import account_key, code_digest, new_challenge_id, new_code, typed_code
from core.sealing import Sealer
from core.vocabulary import OtpPurpose

SEALER = Sealer(base64.b64encode(bytes(32)).decode())


def test_codes_have_six_digits_leading_zeros_included(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(len(code) == 6 and code.isdecimal() for code in (new_code() for _ in range(200)))
    monkeypatch.setattr(secrets, "randbelow", lambda limit: {1_000_000: 7}[limit])
    assert "000007" == new_code()


def test_challenges_are_at_least_128_bits_and_never_the_same() -> None:
    made = {new_challenge_id() for _ in range(1000)}

    assert 1000 == len(made)
    assert all(len(base64.urlsafe_b64decode(one.removeprefix("otp_"))) >= 16 for one in made)


def test_the_digest_depends_on_everything_a_code_is_bound_to() -> None:
    def digest(code: str = "123456", challenge: str = "otp_a", account: str = "x", purpose: str = "LOGIN") -> bytes:
        return code_digest(SEALER, code, challenge_id=challenge, account=account, purpose=cast("OtpPurpose", Purpose(purpose)))

    class Purpose(str):
        __slots__ = ()

        @property
        def value(self) -> str:
            return str(self)

    digests = {
        digest(),
        digest(code="123457"),
        digest(challenge="otp_b"),
        digest(account="y"),
        digest(purpose="ERASE"),
    }

    assert 5 == len(digests)
    assert digest() == digest()


def test_the_digest_depends_on_the_master_key() -> None:
    other = Sealer(base64.b64encode(bytes([1]) * 32).decode())

    made = {
        code_digest(sealer, "123456", challenge_id="otp_a", account="x", purpose=OtpPurpose.LOGIN) for sealer in (SEALER, other)
    }

    assert 2 == len(made)


def test_the_name_of_an_account_depends_on_the_master_key() -> None:
    other = Sealer(base64.b64encode(bytes([1]) * 32).decode())

    assert account_key(SEALER, "acme", "a@example.com") != account_key(other, "acme", "a@example.com")


def test_accounts_of_two_sellers_differ_and_parts_do_not_run_together() -> None:
    assert account_key(SEALER, "acme", "a@example.com") != account_key(SEALER, "other", "a@example.com")
    assert account_key(SEALER, "acm", "ea@example.com") != account_key(SEALER, "acme", "a@example.com")


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("123456", "123456"),
        (" 123 456\n", "123456"),
        ("000000", "000000"),
        ("12345", None),
        ("1234567", None),
        ("", None),
        ("abcdef", None),
        ("१२३४५६", None),
        ("123456; --", None),
    ],
)
def test_what_people_type(typed: str, code: str | None) -> None:
    assert code == typed_code(typed)

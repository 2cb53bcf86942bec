"""Refresh tokens, without a database."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.refresh_tokens import RefreshTokens
from core.ids import IdKind, new_id
from core.sealing import Sealer

TOKENS = RefreshTokens(Sealer(base64.b64encode(bytes(32)).decode()))
SALT = bytes(range(32))


def test_a_token_says_whose_it_is_and_nothing_else_is_believed() -> None:
    session_id = new_id(IdKind.SESSION)
    token = TOKENS.first(session_id)

    assert token == TOKENS.read(token.text)
    assert (session_id, 0) == (token.session_id, token.generation)
    assert token.text not in repr(token)
    assert token.text.encode() not in token.digest


def test_the_successor_is_the_same_for_the_same_salt_and_no_other() -> None:
    token = TOKENS.first(new_id(IdKind.SESSION))

    assert TOKENS.successor(token, SALT) == TOKENS.successor(token, SALT)
    assert TOKENS.successor(token, SALT).digest != TOKENS.successor(token, SALT[::-1]).digest
    assert 1 == TOKENS.successor(token, SALT).generation
    again = TOKENS.read(TOKENS.successor(token, SALT).text)
    assert again is not None
    assert token.session_id == again.session_id


def test_the_successor_follows_from_the_secret_before() -> None:
    session_id = new_id(IdKind.SESSION)
    one, other = TOKENS.first(session_id), TOKENS.first(session_id)

    assert TOKENS.successor(one, SALT).secret != TOKENS.successor(other, SALT).secret


def test_a_token_moved_to_another_session_is_nobodys() -> None:
    one, other = (base64.urlsafe_b64decode(TOKENS.first(new_id(IdKind.SESSION)).text[3:]) for _ in range(2))

    assert TOKENS.read("rt_" + base64.urlsafe_b64encode(other[:26] + one[26:]).decode()) is None


def test_another_master_key_reads_nothing_of_ours() -> None:
    other = RefreshTokens(Sealer(base64.b64encode(bytes([1]) * 32).decode()))

    assert other.read(TOKENS.first(new_id(IdKind.SESSION)).text) is None


@pytest.mark.parametrize("place", [3, 20, 40, 45, 60, 90, 106])
def test_one_changed_character_makes_it_nobodys(place: int) -> None:
    text = TOKENS.first(new_id(IdKind.SESSION)).text
    changed = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]

    assert TOKENS.read(changed) is None


def test_tokens_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    token = TOKENS.first(new_id(IdKind.SESSION))
    compared: list[tuple[str, str]] = []

    def compare(made: str, given: str) -> bool:
        compared.append((made, given))
        return made == given

    monkeypatch.setattr("auth.refresh_tokens.secrets.compare_digest", compare)

    assert token == TOKENS.read(token.text)
    assert [(token.text, token.text)] == compared


@given(st.text() | st.from_regex(r"rt_[A-Za-z0-9_-]{104}", fullmatch=True))
def test_no_text_of_somebody_else_is_ours(text: str) -> None:
    assert TOKENS.read(text) is None


def test_two_sessions_begin_with_different_secrets() -> None:
    session_id = new_id(IdKind.SESSION)

    assert TOKENS.first(session_id).digest != TOKENS.first(session_id).digest

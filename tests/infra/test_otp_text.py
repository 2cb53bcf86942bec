"""The sentence that a customer reads: refused at start when it cannot be filled in, never at the moment of sending."""

from datetime import timedelta

import pytest

from infra.otp_text import SUBJECT, CodeText, UnusableTemplate
from tests.infra.providers import code_message


@pytest.mark.parametrize(("seconds", "minutes"), [(300.4, 5), (299, 5), (260, 4), (61, 1), (5, 1), (-1, 1)], ids=str)
def test_it_says_how_many_minutes_are_left(seconds: float, minutes: int) -> None:
    message = code_message()

    text = CodeText("{code}: {minutes} min, {{really}}").of(message, message.expires_at - timedelta(seconds=seconds))

    assert f"048151: {minutes} min, {{really}}" == text


def test_minutes_need_not_be_said() -> None:
    message = code_message()

    assert "048151!" == CodeText("{code}!").of(message, message.expires_at)


@pytest.mark.parametrize(
    "template",
    [
        "",
        "no code for {minutes}",
        "{code} {name}",
        "{code} {}",
        "{code.x}",
        "{code[0]}",
        "{code!r}",
        "{code:.0}",
        "{code} {",
        "}",
    ],
    ids=str,
)
def test_a_template_that_cannot_be_filled_in_is_refused(template: str) -> None:
    with pytest.raises(UnusableTemplate):
        CodeText(template)


def test_the_subject_does_not_give_the_code_away() -> None:
    assert "{" not in SUBJECT

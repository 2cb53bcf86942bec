"""What a queued code's record hides opens for its own challenge and seller only."""

import base64
import secrets

import pytest

from core.sealing import SealBroken, Sealer
from services.otp_envelope import Envelope, open_delivery, seal_delivery


@pytest.fixture(name="sealer")
def _sealer() -> Sealer:
    return Sealer(base64.b64encode(secrets.token_bytes(32)).decode())


def test_it_comes_out_as_it_went_in(sealer: Sealer) -> None:
    sealed = seal_delivery(sealer, "otp_1", "demo", "ünal@example.com", "048151")

    assert Envelope("ünal@example.com", "048151") == open_delivery(sealer, "otp_1", "demo", sealed)


def test_it_cannot_be_read_from_outside(sealer: Sealer) -> None:
    sealed = seal_delivery(sealer, "otp_1", "demo", "ada@example.com", "048151")

    assert b"048151" not in sealed
    assert b"ada" not in sealed


@pytest.mark.parametrize(("challenge", "seller"), [("otp_2", "demo"), ("otp_1", "other")])
def test_it_opens_for_nobody_else(sealer: Sealer, challenge: str, seller: str) -> None:
    sealed = seal_delivery(sealer, "otp_1", "demo", "ada@example.com", "048151")

    with pytest.raises(SealBroken):
        open_delivery(sealer, challenge, seller, sealed)


@pytest.mark.parametrize("letter", ["no json", "[]", "7", '{"code": "048151"}'])
def test_something_else_that_was_sealed_is_no_envelope(sealer: Sealer, letter: str) -> None:
    with pytest.raises(SealBroken) as caught:
        open_delivery(sealer, "otp_1", "demo", sealer.seal(letter, seller_id="demo", bound_to="otp_1"))

    assert (None, True) == (caught.value.__cause__, caught.value.__suppress_context__)


def test_an_open_envelope_does_not_print_itself() -> None:
    assert "048151" not in f"{Envelope('ada@example.com', '048151')!r} {Envelope('ada@example.com', '048151')}"

"""One-time codes: six digits, worth nothing without the challenge they were made for. Limits after NIST SP 800-63B-4."""

import re
import secrets
from typing import Final

from core.sealing import Sealer
from core.vocabulary import OtpPurpose

DIGITS: Final = 6
MAX_ATTEMPTS: Final = 5
"""Wrong codes per challenge (Twilio Verify, Ory Kratos and SuperTokens allow as many)."""

_CODE = re.compile(rf"[0-9]{{{DIGITS}}}")
_CHALLENGE_BYTES = 24  # 192 bits; OWASP ASVS 5.0 wants 128 for what stands for a session


def new_code() -> str:
    """Return six digits from the operating system's random generator, leading zeros included."""
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"


def new_challenge_id() -> str:
    """Return the secret that binds an answer to one request for a code."""
    return f"otp_{secrets.token_urlsafe(_CHALLENGE_BYTES)}"


def typed_code(text: str) -> str | None:
    """Return the six digits that somebody typed, blanks left out; None when it is no code at all."""
    code = "".join(text.split())
    return code if _CODE.fullmatch(code) else None


def account_key(sealer: Sealer, seller_id: str, destination: str) -> str:
    """Return the name under which attempts on one destination of one seller are counted. Nobody can read it back."""
    return sealer.mac("otp-account", seller_id, destination).hex()


def code_digest(sealer: Sealer, code: str, *, challenge_id: str, account: str, purpose: OtpPurpose) -> bytes:
    """Return what is stored of a code: a keyed digest of code, challenge, account (seller and destination) and purpose.

    Six digits are guessed in a second from a plain digest; without the key they cannot be.
    """
    return sealer.mac("otp-code", challenge_id, account, purpose.value, code)

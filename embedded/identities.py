"""Secrets and tokens of a development stack: made once, kept where only their owner can read them."""

import base64
import json
import os
import secrets
from datetime import timedelta
from pathlib import Path

from auth.keys import generate_key_set, load_key_set
from auth.principal import SCOPES
from auth.tokens import TokenIssuer
from core.clock import SystemClock
from core.vocabulary import PrincipalKind

SELLER = "demo"
OTHER_SELLER = "demo-two"
AUDIENCE = "customer-service"
_LIFETIME = timedelta(days=30)


def ensure_key_file(path: Path) -> Path:
    """Return *path*, holding a JWK Set that signs tokens; a new one when there is none."""
    if not path.exists():
        write_private(path, json.dumps(generate_key_set()))
    return path


def ensure_master_key(path: Path) -> str:
    """Return the 32 bytes in base 64 that *path* holds; new ones when there is none."""
    if not path.exists():
        write_private(path, base64.b64encode(secrets.token_bytes(32)).decode("ascii"))
    return path.read_text(encoding="ascii").strip()


def write_private(path: Path, text: str) -> None:
    """Replace *path* at once and as a whole by a file that only its owner can read."""
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)


class Mint:
    """Makes access tokens that the services of this stack believe, for a month."""

    def __init__(self, key_file: Path, *, issuer: str, audience: str) -> None:
        keys = load_key_set(json.loads(key_file.read_text(encoding="utf-8")))
        self._issuer = TokenIssuer(keys, issuer=issuer, audience=audience, clock=SystemClock())

    def mint(self, kind: PrincipalKind, subject: str, seller_id: str | None) -> str:
        """Return a token for *subject*: the customer itself for customers, any name for operators and services."""
        return self._issuer.issue(kind=kind, subject=subject, scopes=SCOPES[kind], lifetime=_LIFETIME, seller_id=seller_id)

    def for_stack(self, customer_id: str) -> dict[str, str]:
        """Return the tokens of ``stack.json``; *customer_id* is a customer of the first seller."""
        return {
            "operator": self.mint(PrincipalKind.OPERATOR, "dev-operator", SELLER),
            "other_operator": self.mint(PrincipalKind.OPERATOR, "dev-other-operator", OTHER_SELLER),
            "service": self.mint(PrincipalKind.SERVICE, "dev-service", None),
            "customer": self.mint(PrincipalKind.CUSTOMER, customer_id, SELLER),
        }

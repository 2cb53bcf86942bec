"""The signing keys of the settings, and what uses them."""

import orjson
from joserfc.jwk import KeySet

from app.settings import InvalidSettings, Settings
from auth.keys import UnusableKeys, load_key_set
from auth.tokens import TokenIssuer, TokenVerifier
from core.clock import Clock


def token_verifier(settings: Settings, clock: Clock) -> TokenVerifier:
    """Return what checks access tokens.

    Raises:
        InvalidSettings: the key file cannot be read, or holds no keys.
    """
    security = settings.security
    return TokenVerifier(_key_set(settings), issuer=security.issuer, audience=security.audience, clock=clock)


def token_issuer(settings: Settings, clock: Clock) -> TokenIssuer:
    """Return what signs access tokens.

    Raises:
        InvalidSettings: the key file cannot be read, or holds no keys.
    """
    security = settings.security
    return TokenIssuer(_key_set(settings), issuer=security.issuer, audience=security.audience, clock=clock)


def _key_set(settings: Settings) -> KeySet:
    try:
        return load_key_set(orjson.loads(settings.security.key_file.read_bytes()))
    except OSError as error:
        message = f"security.keyFile: {str(settings.security.key_file)!r} cannot be read: {error.strerror}."
        raise InvalidSettings(message) from error
    except (orjson.JSONDecodeError, UnusableKeys) as error:
        message = f"security.keyFile: {error}"
        raise InvalidSettings(message) from error

"""The signing keys of the settings, followed while the process runs, and what uses them."""

import os
from datetime import timedelta
from pathlib import Path

import orjson
import structlog

from app.settings import InvalidSettings, Settings
from auth.keys import KeyRing, UnusableKeys, load_key_set
from auth.tokens import TokenIssuer, TokenVerifier
from core.clock import Clock

_log = structlog.get_logger("keys")

LOOK_EVERY = timedelta(seconds=1)
"""How often the key file is looked at: a key that was thrown out verifies for that long at most.

Nothing else makes anybody look, a token with an unknown ``kid`` neither: within a second everybody knows all kids anyway.
"""

_Version = tuple[int, int, int]


class KeyFile:
    """The keys of a file, as the file is now: a rotation needs no restart.

    Looking costs one ``stat``, a few microseconds, and reading happens when the file was replaced. A file that has become
    unusable is reported once and tried again; the keys from before stay in use.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        """Read the file.

        Raises:
            InvalidSettings: it cannot be read, or holds no key that signs.
        """
        self._path = path
        self._clock = clock
        self._looked_at = clock.now()
        self._version = self._stat()
        self._ring = self._read()
        self._sound = True

    def current(self) -> KeyRing:
        """Return the keys as they were at most a second ago."""
        now = self._clock.now()
        # A clock that was set back counts as time that has passed.
        if abs(now - self._looked_at) >= LOOK_EVERY:
            self._looked_at = now
            # Before it is read: what is written while we read makes us read again.
            version = self._stat()
            if version != self._version or not self._sound:
                self._follow(report=version != self._version)
            self._version = version
        return self._ring

    def _follow(self, *, report: bool) -> None:
        try:
            self._ring = self._read()
        except InvalidSettings as error:
            self._sound = False
            if report:
                _log.error("the key file cannot be used; the keys from before stay in use", reason=str(error))
        else:
            self._sound = True
            _log.info("the signing keys were read again", kids=[key.kid for key in self._ring.keys])

    def _stat(self) -> _Version | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _read(self) -> KeyRing:
        ring = read_key_file(self._path)
        try:
            ring.signing(self._clock.now())
        except UnusableKeys as error:
            raise _unusable(error) from error
        return ring


def key_file(settings: Settings, clock: Clock) -> KeyFile:
    """Return the keys of the settings.

    Raises:
        InvalidSettings: the key file cannot be read, or holds no key that signs.
    """
    return KeyFile(settings.security.key_file, clock)


def token_verifier(settings: Settings, clock: Clock, keys: KeyFile | None = None) -> TokenVerifier:
    """Return what checks access tokens; with *keys*, by keys that are open already.

    Raises:
        InvalidSettings: the key file cannot be read, or holds no key that signs.
    """
    security = settings.security
    return TokenVerifier(keys or key_file(settings, clock), issuer=security.issuer, audience=security.audience, clock=clock)


def token_issuer(settings: Settings, clock: Clock, keys: KeyFile | None = None) -> TokenIssuer:
    """Return what signs access tokens; with *keys*, by keys that are open already.

    Raises:
        InvalidSettings: the key file cannot be read, or holds no key that signs.
    """
    security = settings.security
    return TokenIssuer(keys or key_file(settings, clock), issuer=security.issuer, audience=security.audience, clock=clock)


def read_key_file(path: Path) -> KeyRing:
    """Return the keys that a file holds now.

    Raises:
        InvalidSettings: it cannot be read, or is no JWK Set of ours.
    """
    try:
        return load_key_set(orjson.loads(path.read_bytes()))
    except OSError as error:
        message = f"security.keyFile: {str(path)!r} cannot be read: {error.strerror}."
        raise InvalidSettings(message) from error
    except (orjson.JSONDecodeError, UnusableKeys) as error:
        raise _unusable(error) from error


def write_key_file(path: Path, document: object) -> None:
    """Replace a key file at once and as a whole, by one that only its owner can read; a crash leaves the old or the new.

    Raises:
        OSError: it cannot be written there; the old one is as it was.
    """
    path = path.resolve()  # of a link, what it leads to
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    temporary.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            _keep_the_owner(file.fileno(), path)
            file.write(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _keep_the_owner(descriptor: int, path: Path) -> None:
    """Hand a new file to the owner of the old one: rotated by root, it still has to be read by the service."""
    if path.exists():
        old = path.stat()
        if (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
            os.fchown(descriptor, old.st_uid, old.st_gid)


def _unusable(error: Exception) -> InvalidSettings:
    message = f"security.keyFile: {error}"
    return InvalidSettings(message)

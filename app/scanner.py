"""The malware scanner of the settings, or what its absence means."""

import structlog

from app.settings import Settings
from infra.clamd import Clamd, ClamdAddress

_log = structlog.get_logger(__name__)


def file_scanner(settings: Settings) -> Clamd | None:
    """Return the scanner, None when there is none. Nothing is sent before it is used."""
    malware = settings.malware
    if not is_scanned(settings):
        return None
    return Clamd(ClamdAddress(host=malware.host, port=malware.port, socket=malware.socket), within=malware.timeout)


def is_scanned(settings: Settings) -> bool:
    """Say whether files of documents are scanned before anybody may read them."""
    return settings.malware.scanner == "clamav"


def note_absence(settings: Settings) -> None:
    """Warn where files of documents are handed out unscanned."""
    if not is_scanned(settings):
        _log.warning("files of documents are NOT scanned for malware", advice="run clamd, and set malware.scanner to clamav")

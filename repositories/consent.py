"""Every query about consents."""

from models.consent import Consent
from repositories.base import OwnedRepository


class ConsentRepository(OwnedRepository[Consent]):
    """Ledgers of consents of one tenant."""

    model = Consent

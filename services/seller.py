"""Which rules hold for which seller."""

from core.clock import Clock
from services.rules.policy import RulePolicy


class SellerPolicies:
    """The rules of each seller: so far, the same for all, from the settings."""

    def __init__(
        self, clock: Clock, *, email: bool, phone: bool, documents: bool, addresses: bool, default_country: str
    ) -> None:
        self._clock = clock
        self._email = email
        self._phone = phone
        self._documents = documents
        self._addresses = addresses
        self._default_country = default_country

    def of(self, seller_id: str) -> RulePolicy:  # noqa: ARG002
        """Return the rules that hold for one seller today."""
        return RulePolicy(
            email=self._email,
            phone=self._phone,
            documents=self._documents,
            addresses=self._addresses,
            default_country=self._default_country,
            today=self._clock.now().date(),
        )

"""What services may say of sellers, and learn of them."""

from auth.principal import Principal, Scope
from core.clock import Clock
from core.errors import Forbidden
from core.seller import SellerRules
from core.vocabulary import PrincipalKind
from repositories.retention_run import RetentionRuns
from services.seller_book import SellerBook


class SellerSettingsService:
    """Reads and changes what sellers have said, for verified services."""

    def __init__(self, book: SellerBook, clock: Clock) -> None:
        self._book = book
        self._clock = clock

    async def of(self, viewer: Principal) -> SellerRules:
        """Return what holds for the seller of *viewer*, as far as it has said anything."""
        viewer.require(Scope.CUSTOMERS_READ)
        seller_id = viewer.reach_of(None).seller_id
        await self._book.learn(seller_id)
        return self._book.known(seller_id)

    async def say(self, viewer: Principal, rules: SellerRules) -> SellerRules:
        """Store what the seller of *viewer* says, in place of what it said before, and return what holds then.

        What is said of retention may destroy customers, so that a change of it takes what erasing them does.

        Raises:
            Forbidden: for everybody but services; and without ``erasure`` where something else is said of retention.
        """
        viewer.require(Scope.CUSTOMERS_WRITE)
        if viewer.kind is not PrincipalKind.SERVICE:
            raise Forbidden("This is for services only.")
        seller_id = viewer.reach_of(None).seller_id
        changes = rules.retention != self._book.own(seller_id).retention
        if changes:
            viewer.require(Scope.ERASURE)
        known = await self._book.say(seller_id, rules)
        if changes:
            await RetentionRuns().hurry(seller_id, self._clock.now())
        return known

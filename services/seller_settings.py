"""What services may say of sellers, and learn of them."""

from auth.principal import Principal, Scope
from core.errors import Forbidden
from core.seller import SellerRules
from core.vocabulary import PrincipalKind
from services.seller_book import SellerBook


class SellerSettingsService:
    """Reads and changes what sellers have said, for verified services."""

    def __init__(self, book: SellerBook) -> None:
        self._book = book

    async def of(self, viewer: Principal) -> SellerRules:
        """Return what holds for the seller of *viewer*, as far as it has said anything."""
        viewer.require(Scope.CUSTOMERS_READ)
        seller_id = viewer.reach_of(None).seller_id
        await self._book.learn(seller_id)
        return self._book.known(seller_id)

    async def say(self, viewer: Principal, rules: SellerRules) -> SellerRules:
        """Store what the seller of *viewer* says, in place of what it said before, and return what holds then.

        Raises:
            Forbidden: for everybody but services.
        """
        viewer.require(Scope.CUSTOMERS_WRITE)
        if viewer.kind is not PrincipalKind.SERVICE:
            raise Forbidden("This is for services only.")
        return await self._book.say(viewer.reach_of(None).seller_id, rules)

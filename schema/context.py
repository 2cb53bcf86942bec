"""What every resolver gets: who calls, and whom to ask."""

from collections.abc import Sequence

import strawberry
from strawberry.fastapi import BaseContext

from auth.principal import Principal, Scope
from core.device import Device
from core.errors import NotFound, Unauthenticated
from loaders.registry import Lanes, Loaders
from models.customer import Customer
from models.row import Row
from models.stored import Fields
from services.registry import Services

_UNKNOWN = Device()


class Context(BaseContext):
    """The circumstances of one operation. On a WebSocket, a connection's own context makes one for each operation.

    What it loads goes through *lanes*, together with what others load at the same moment; without any, by itself. One that is
    made *of_one* operation is that operation's own.
    """

    def __init__(
        self,
        services: Services,
        *,
        request_id: str,
        principal: Principal | None = None,
        device: Device = _UNKNOWN,
        lanes: Lanes | None = None,
        of_one: bool = False,
    ) -> None:
        super().__init__()
        self._of_one = of_one
        self.device = device
        self.services = services
        self.request_id = request_id
        self.principal = principal
        self._lanes = lanes or Lanes()
        self._loaders: Loaders | None = None

    @property
    def viewer(self) -> Principal:
        """Who calls.

        Raises:
            Unauthenticated: when nobody has said who it is.
        """
        if self.principal is None:
            raise Unauthenticated("Send an access token: Authorization: Bearer ….")
        return self.principal

    @property
    def loaders(self) -> Loaders:
        """The loaders of this operation, inside what its caller may touch.

        Raises:
            Unauthenticated: nobody has said who it is, and without a caller there is no tenant.
        """
        if self._loaders is None:
            self._loaders = Loaders(self.viewer.reach(), self._lanes)
        return self._loaders

    async def owners(self, customer_ids: Sequence[str], fields: Fields) -> list[Row[Customer] | NotFound]:
        """Return the customers that things belong to; `NotFound` in place of each that was deleted a moment ago.

        They are read with these *fields* or with all.

        Raises:
            Forbidden: without the scope ``customers:read``.
        """
        self.may_read_customers()
        found = await self.loaders.customers(fields).load_many(list(customer_ids))
        return [NotFound("The customer this belongs to has just been deleted.") if one is None else one for one in found]

    def sign_in(self, principal: Principal) -> None:
        """Answer the rest of the operation to somebody who has just proved who it is."""
        self.principal = principal
        self.forget_loaded()

    def may_read_customers(self) -> None:
        """Refuse callers that may not see customers and their addresses.

        Raises:
            Forbidden: without the scope ``customers:read``.
        """
        self.viewer.require(Scope.CUSTOMERS_READ)

    def may_read_documents(self) -> None:
        """Refuse callers that may not see documents.

        Raises:
            Forbidden: without the scope ``documents:read``.
        """
        self.viewer.require(Scope.DOCUMENTS_READ)

    @property
    def sees_reasons(self) -> bool:
        """Whether the caller may read why customers were put on legal hold, and by whom that was taken back."""
        viewer = self.viewer
        return viewer.customer_id is None and Scope.LEGAL_HOLD in viewer.scopes and not viewer.sees_masked

    def may_see_legal_holds(self) -> None:
        """Refuse callers that may not know who is on legal hold.

        Raises:
            Forbidden: without the scope ``legal_hold``, and for customers.
        """
        self.viewer.require(Scope.LEGAL_HOLD)
        self.viewer.require_staff()

    def forget_loaded(self) -> None:
        """Start with empty loaders. Called before each event of a subscription, which may show something changed."""
        self._loaders = None

    def for_operation(self) -> "Context":
        """Return a context of the same caller for one operation."""
        return self if self._of_one else self.for_others()

    def for_others(self) -> "Context":
        """Return another context of the same caller, in which nothing has been loaded."""
        return Context(
            self.services, request_id=self.request_id, principal=self.principal, device=self.device, lanes=self._lanes
        )


Info = strawberry.Info[Context, None]

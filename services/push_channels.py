"""The channels that pages subscribe to for live updates, and who may."""

from collections.abc import AsyncGenerator

from auth.principal import Principal, Scope, is_seller_id
from core.errors import Forbidden
from core.ids import IdKind, is_id
from core.tenancy import EverySeller
from models.bulk_import import BulkImport
from repositories.unit_of_work import Repositories
from services.import_watching import LiveImports, watch_all

_SELLER = "private-seller-"
_IMPORT = "private-import-"

REFUSAL = "Your token does not open this channel, or there is none of this name."
"""One sentence for every refusal: it does not tell what exists."""


def seller_channel(seller_id: str) -> str:
    """Return the channel of everything that happens to a seller's customers and imports."""
    return f"{_SELLER}{seller_id}"


def import_channel(import_id: str) -> str:
    """Return the channel of one import."""
    return f"{_IMPORT}{import_id}"


async def require_channel(viewer: Principal, channel: str) -> None:
    """Refuse a caller who may not follow *channel*. Customers follow none: what is said there is about others too.

    A seller's channel takes `customers:read` and `imports:read`, an import's takes `imports:read`.

    Raises:
        Forbidden: another seller's channel, no scope, or no such channel; always in the same words.
    """
    if not await _may_follow(viewer, channel):
        raise Forbidden(REFUSAL)


async def _may_follow(viewer: Principal, channel: str) -> bool:
    try:
        viewer.require_staff()
        viewer.require(Scope.IMPORTS_READ)
        reach = viewer.reach()
        if channel.startswith(_SELLER):
            viewer.require(Scope.CUSTOMERS_READ)
            seller_id = channel.removeprefix(_SELLER)
            return is_seller_id(seller_id) and reach.spans(seller_id)
    except Forbidden:
        return False
    import_id = channel.removeprefix(_IMPORT)
    if not channel.startswith(_IMPORT) or not is_id(IdKind.BULK_IMPORT, import_id):
        return False
    return await Repositories(reach).bulk_imports.get(import_id) is not None


def every_import(live: LiveImports) -> AsyncGenerator[BulkImport]:
    """Yield the unfinished imports of all sellers, then each that changes, at most four times a second, without end."""
    return watch_all(live, EverySeller("live updates", audited=False))

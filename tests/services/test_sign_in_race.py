"""A customer that another process ends in the middle of a sign-in."""

from typing import Any

import pytest

from app.container import Container
from auth.principal import OPERATOR_SCOPES, Principal
from core.drafts import CustomerDraft
from core.errors import Refused
from core.vocabulary import CustomerStatus, PrincipalKind
from models.session import Session
from repositories.unit_of_work import UnitOfWork
from tests.api import some_email
from tests.outbox import Outbox
from tests.services.sign_in import SignIn


@pytest.mark.parametrize("end", ["suspend", "delete"])
async def test_a_customer_that_another_process_ends_meanwhile_does_not_get_in(
    container: Container, outbox: Outbox, seller: str, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The second sign-in verifies nothing, so it writes no customer: something else has to make the two meet.
    """
    at = SignIn(container, outbox)
    operator = Principal(kind=PrincipalKind.OPERATOR, subject="ada", scopes=OPERATOR_SCOPES, seller_id=seller)
    customers = container.services.customers
    customer = (await customers.create(operator, CustomerDraft(email=some_email()), seller_id=None)).customer
    await at.enter(seller, str(customer.email))
    at.clock.advance(seconds=31)
    # Turns are kept within a process: another one has its own.
    monkeypatch.setattr(at.sign_in, "_units", UnitOfWork(container.mongo.database.client))
    begin, ends = at.sessions.begin, [end]

    async def late(*args: Any, **kwargs: Any) -> Any:
        if not ends:
            return await begin(*args, **kwargs)
        if ends.pop() == "suspend":
            await customers.update(operator, customer.id, {"status": CustomerStatus.SUSPENDED})
        else:
            await customers.delete(operator, customer.id)
        return await begin(*args, **kwargs)

    monkeypatch.setattr(at.sessions, "begin", late)

    with pytest.raises(Refused):
        await at.enter(seller, str(customer.email))

    assert 0 == await Session.get_pymongo_collection().count_documents({"subject": customer.id, "live": True})

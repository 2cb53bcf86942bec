"""One event that stands for several of a customer."""

from datetime import UTC, datetime

from core.vocabulary import CustomerEventType
from events.customer import CustomerEvent
from services.customer_watching import JOINED
from services.live import Mailbox


def happened(version: int, *changed: str, type_: CustomerEventType = CustomerEventType.UPDATED) -> CustomerEvent:
    return CustomerEvent(
        id=f"evt_{version}",
        seller_id="s",
        customer_id="cus_1",
        type=type_,
        version=version,
        actor="operator:ada",
        changed=changed,
        occurred_at=datetime(2026, 11, 23, tzinfo=UTC),
        data={},
    )


async def test_it_is_the_latest_and_names_what_all_of_them_changed() -> None:
    mailbox = Mailbox(lambda _: True, JOINED)
    for event in (
        happened(2, "email", "phone"),
        happened(3, "phone", "tags"),
        happened(4, type_=CustomerEventType.DELETED),
    ):
        mailbox.put(event)

    assert happened(4, "email", "phone", "tags", type_=CustomerEventType.DELETED) == await mailbox.next()
    assert 0 == len(mailbox)

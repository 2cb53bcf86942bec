"""The keys of customers where they are needed: to seal a number, and to open some."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from core.drafts import DocumentDraft
from core.vault import CustomerKey, Vault
from models.customer import Customer
from models.document import Document
from repositories.customer_key import stored_key
from repositories.unit_of_work import Repositories
from services.records import RecordMaker

Numbers = list[str | Exception | None]
"""Numbers in clear, or what is shown of them: None where there is none, and why in the place of one that cannot be opened."""


async def key_of(
    work: Repositories, records: RecordMaker, customer: Customer, drafts: Collection[DocumentDraft], at: datetime
) -> tuple[CustomerKey | None, list[dict[str, Any]]]:
    """Return the key of a customer who gets new documents; a new one is yet to be stored, as the second value has it.

    Nothing at all where none of *drafts* has a number.

    Raises:
        Unavailable: what wraps the key is not known here.
    """
    if all(draft.number is None for draft in drafts):
        return None, []
    if customer.id in (found := await keys_of(work, records.vault, [customer.id])):
        return found[customer.id], []
    return records.key_for(drafts, seller_id=customer.seller_id, customer_id=customer.id, at=at)


async def keys_of(work: Repositories, vault: Vault, customer_ids: Collection[str]) -> dict[str, CustomerKey]:
    """Return the keys of those customers that have one, by customer.

    Raises:
        Unavailable: what wraps one of them is not known here.
    """
    return {id_: vault.unwrap(key, id_) for id_, key in (await work.keys.of_customers(customer_ids)).items()}


async def opened_numbers(work: Repositories, records: RecordMaker, documents: Sequence[Document]) -> Numbers:
    """Return the numbers of documents in clear, with one query for all keys; in the place of one that cannot be opened, why.

    Raises:
        Unavailable: as `keys_of`.
    """
    keys = await keys_of(work, records.vault, {one.customer_id for one in documents if one.number_box is not None})
    numbers: Numbers = []
    for one in documents:
        try:
            numbers.append(records.number_of(one, keys.get(one.customer_id)))
        except Exception as error:  # noqa: BLE001 - one that cannot be opened hides no other one
            numbers.append(error)
    return numbers


async def seal_for(
    work: Repositories, records: RecordMaker, heir: Customer, documents: Sequence[Document], at: datetime
) -> None:
    """Seal the numbers of documents that are about to change hands with the key of their *heir*, who may have had none.

    What was sealed with the key of the one who gave them could not be opened any more once that one is erased.
    """
    numbered = [one for one in documents if one.number_box is not None]
    key = (await keys_of(work, records.vault, [heir.id])).get(heir.id) if numbered else None
    for one, number in zip(numbered, await opened_numbers(work, records, numbered), strict=True):
        if isinstance(number, Exception):
            raise number
        if key is None:
            key, wrapped = records.vault.new_key(heir.id)
            await work.keys.insert_stored([stored_key(heir.id, heir.seller_id, wrapped, at)])
        if number is not None:
            await work.numbers.put(one, number_box=key.seal(number, bound_to=one.id))

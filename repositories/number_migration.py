"""The step that gives every customer with document numbers a key of its own, and seals these numbers with it."""

from datetime import datetime

from pymongo import ASCENDING

from core.vault import CustomerKey, Vault, WrappedKey
from models.customer_key import CustomerKey as StoredKey
from models.document import Document
from repositories.customer_key import stored_key
from repositories.errors import KeyTaken, translated

_SOME = 500


async def seal_with_customers_keys(vault: Vault, at: datetime) -> None:
    """Seal what the version before sealed with keys per seller, beside it: processes of that version read what they know.

    `customer-service vault tidy` removes the old seals once these processes are gone. May be run twice, and again after it got
    halfway.
    """
    documents = Document.get_pymongo_collection()
    left = {"number_sealed": {"$exists": True}, "number_box": {"$exists": False}}
    place = ""
    while True:
        with translated():
            found = await documents.find({"_id": {"$gt": place}, **left}).sort("_id", ASCENDING).limit(_SOME).to_list()
        if not found:
            return
        for one in found:
            number = vault.open_old(one["number_sealed"], seller_id=one["seller_id"], bound_to=one["_id"])
            key = await _key_of(vault, one["customer_id"], one["seller_id"], at)
            with translated():
                await documents.update_one(
                    {"_id": one["_id"], "customer_id": one["customer_id"], **left},
                    {"$set": {"number_box": key.seal(number, bound_to=one["_id"])}},
                )
        place = found[-1]["_id"]


async def _key_of(vault: Vault, customer_id: str, seller_id: str, at: datetime) -> CustomerKey:
    keys = StoredKey.get_pymongo_collection()
    with translated():
        found = await keys.find_one({"_id": customer_id})
    if found is None:
        key, wrapped = vault.new_key(customer_id)
        try:
            with translated():
                await keys.insert_one(stored_key(customer_id, seller_id, wrapped, at))
        except KeyTaken:
            # Somebody filed a number meanwhile.
            with translated():
                found = await keys.find_one({"_id": customer_id})
        if found is None:
            return key
    return vault.unwrap(WrappedKey(found["wrapped"], found["wrapped_with"]), customer_id)

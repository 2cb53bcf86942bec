"""What is stored of one person, by the map of personal data, and what of it names the person by itself."""

from collections.abc import Iterator
from typing import Any

from core.data_map import COLLECTIONS
from core.personal_data import Collection
from core.tenancy import EverySeller
from models.customer import Customer
from models.document import Document
from repositories.unit_of_work import Repositories
from services.customer_keys import opened_numbers
from services.records import RecordMaker

ACTOR = "system:privacy"


class PersonalValues:
    """Gathers what is stored of people, deleted records included, for operators of the service."""

    def __init__(self, records: RecordMaker) -> None:
        self._records = records
        self._work = Repositories(EverySeller(ACTOR))

    async def customer(self, customer_id: str) -> Customer | None:
        """Return a customer of whatever seller, deleted or not."""
        return await self._work.remains.customer(customer_id)

    async def telling(self, customer: Customer) -> list[str]:
        """Return the values that name a person by themselves, each once, document numbers in clear.

        Of the customer and of everybody who was merged into it: what an erasure destroys.
        """
        found: dict[str, None] = {}
        for one in [customer, *await self._work.remains.merged_into(customer)]:
            for collection, described in COLLECTIONS.items():
                if described.owner is not None and described.names(lambda field: field.telling):
                    records = await self._work.remains.records(one, collection, described.owner)
                    found.update(dict.fromkeys(self._plain(described, records)))
            documents = await self._work.remains.documents(one)
            found.update(dict.fromkeys(await self._numbers(documents)))
        return [value for value in found if value]

    def _plain(self, described: Collection, records: list[dict[str, Any]]) -> Iterator[str]:
        for record in records:
            for name in described.names(lambda field: field.telling):
                if isinstance(value := record.get(name), str):
                    yield value

    async def _numbers(self, documents: list[Document]) -> list[str]:
        numbers = await opened_numbers(self._work, self._records, documents)
        return [number for number in numbers if isinstance(number, str)]

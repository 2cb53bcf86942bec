"""Looks for values of somebody who was erased: in every record, every file and every event there is.

It goes by bytes, and believes nothing about where something is stored. What it cannot see is what stands in compressed or
encrypted files, and a value that was written otherwise than it is known here.
"""

import json
import re
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

from auth.one_time_codes import account_key
from core.files import ObjectChanged, ObjectMissing, ObjectTruncated
from core.sealing import Sealer
from repositories.raw_records import RawRecords
from services.ports import ObjectStore
from services.records import RecordMaker
from services.rules.document_number import lookup_numbers

SHORTEST = 5
"""Characters of a value that is looked for. Shorter ones stand everywhere."""


@dataclass(frozen=True, slots=True)
class Leftover:
    """Where a value was found: the collection, ``bucket`` or the topic, the record there, and which value by its place."""

    where: str
    what: str
    value: int


@dataclass(frozen=True, slots=True)
class Looked:
    """How much was looked at."""

    records: int
    files: int
    events: int


class EventLog(Protocol):
    """All events that are on Kafka at the moment."""

    def every(self) -> AsyncGenerator[tuple[str, str, bytes], None]:
        """Yield topic, place and bytes (key, headers and body) of each."""


class Needles:
    """Values, in all the forms in which they may be stored: as they are, in other cases, escaped, and as keyed digests."""

    def __init__(self, values: Sequence[str], seller_ids: Sequence[str], sealer: Sealer, records: RecordMaker) -> None:
        self._place: dict[bytes, int] = {}
        for place, value in enumerate(values):
            if len(value) >= SHORTEST:
                for form in self._forms(value, seller_ids, sealer, records):
                    self._place.setdefault(form, place)
        ordered = sorted(self._place, key=len, reverse=True)
        self._pattern = re.compile(b"|".join(map(re.escape, ordered)), re.IGNORECASE) if ordered else None
        self.longest = max(map(len, ordered), default=0)
        self._folded = {form.lower(): place for form, place in self._place.items()}

    def __len__(self) -> int:
        return len(set(self._place.values()))

    def found_in(self, raw: bytes) -> set[int]:
        """Return the places of the values that are in *raw*."""
        if self._pattern is None:
            return set()
        return {self._folded[found.lower()] for found in self._pattern.findall(raw)}

    @staticmethod
    def _forms(value: str, seller_ids: Sequence[str], sealer: Sealer, records: RecordMaker) -> Iterator[bytes]:
        for text in {value, value.lower(), value.upper(), value.casefold(), value.removeprefix("+")}:
            yield text.encode("utf-8", "surrogatepass")
            yield text.encode("utf-16-le", "surrogatepass")
            yield json.dumps(text)[1:-1].encode()
            yield quote(text, safe="").encode("utf-8", "surrogatepass")
        for seller_id in seller_ids:
            yield account_key(sealer, seller_id, value).encode()
            for number in lookup_numbers(value):
                yield from (index.encode() for index in records.number_indexes(number, seller_id=seller_id))


class LeftoverSearch:
    """Searches the database, the object store and the event log."""

    def __init__(self, needles: Needles, store: ObjectStore, log: EventLog) -> None:
        self._needles = needles
        self._store = store
        self._log = log
        self._records = self._files = self._events = 0

    @property
    def looked(self) -> Looked:
        """How much was looked at so far."""
        return Looked(self._records, self._files, self._events)

    async def run(self) -> AsyncGenerator[Leftover, None]:
        """Yield what is found.

        Raises:
            Unavailable: one of the three did not answer; nothing is proved then.
        """
        async with aclosing(RawRecords().every()) as records:
            async for collection, id_, raw in records:
                self._records += 1
                for value in self._needles.found_in(raw):
                    yield Leftover(collection, id_, value)
        async with aclosing(self._store.pages("")) as pages:
            async for keys in pages:
                for key in keys:
                    self._files += 1
                    for value in self._needles.found_in(key.encode()) | await self._in_file(key):
                        yield Leftover("bucket", key, value)
        async with aclosing(self._log.every()) as events:
            async for topic, place, raw in events:
                self._events += 1
                for value in self._needles.found_in(raw):
                    yield Leftover(topic, place, value)

    async def _in_file(self, key: str) -> set[int]:
        found: set[int] = set()
        stored = await self._store.describe(key)
        if stored is None:
            return found
        rest = b""
        try:
            async for chunk in self._store.read(key, etag=stored.etag):
                piece = rest + chunk
                found |= self._needles.found_in(piece)
                # What begins here may end in the next piece.
                rest = piece[-self._needles.longest :]
        except (ObjectMissing, ObjectChanged, ObjectTruncated):
            # Gone, or another one by now: what is there is looked at by the next search.
            return found
        return found

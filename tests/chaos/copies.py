"""A copy of a database as mongodump writes one, and its way back: a file of BSON for each collection, its indexes beside it."""

import json
from pathlib import Path
from typing import Any

import bson
from bson import json_util
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase

_AT_ONCE = 1000
_RAW: CodecOptions[RawBSONDocument] = CodecOptions(RawBSONDocument)


async def dump(database: AsyncDatabase[dict[str, Any]], directory: Path) -> None:
    """Write every collection of *database* to *directory*."""
    for name in await database.list_collection_names():
        collection: AsyncCollection[Any] = database.get_collection(name, codec_options=_RAW)
        with (directory / f"{name}.bson").open("wb") as file:
            async for record in collection.find():
                file.write(record.raw)
        indexes = [dict(one) async for one in await database[name].list_indexes()]
        (directory / f"{name}.metadata.json").write_text(json_util.dumps({"indexes": indexes}), encoding="utf-8")


async def restore(directory: Path, database: AsyncDatabase[dict[str, Any]]) -> None:
    """Bring back into an empty *database* what `dump` wrote, its indexes too."""
    for path in _files(directory):
        collection = database.get_collection(path.stem, codec_options=_RAW)
        records = bson.decode_all(path.read_bytes(), _RAW)
        for start in range(0, len(records), _AT_ONCE):
            await collection.insert_many(records[start : start + _AT_ONCE])
        indexes = json.loads((directory / f"{path.stem}.metadata.json").read_text(encoding="utf-8"))["indexes"]
        made = [
            {key: value for key, value in json_util.loads(json.dumps(one)).items() if key != "ns"}
            for one in indexes
            if one["name"] != "_id_"
        ]
        if made:
            await database.command({"createIndexes": path.stem, "indexes": made})


def _files(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.bson"))

"""The map of personal data, for people: what is stored of whom, who is shown how much, and what becomes of it."""

from collections.abc import Iterator, Mapping

from app.reference.markdown import page, table
from core.personal_data import Collection, Ending, Field, Mask

_INTRODUCTION = (
    "Everything that is stored, collection by collection, from [core/data_map.py](../../core/data_map.py), which the code "
    "itself goes by. What it means for people is in [Privacy](../privacy.md)."
)
_LEGEND = (
    "*Shown masked* is what a caller with `customers:read_masked` sees; an empty cell is the value itself. *In events* is the "
    "lowest grade of events that has it. *Given* says that the person is given it in an export, *stays* that it outlives an "
    "erasure of its owner."
)
_ENDINGS: Mapping[Ending, str] = {
    Ending.REPLACED: "replaced by a record without personal data",
    Ending.REMOVED: "removed",
    Ending.EMPTIED: "kept, its personal fields emptied",
    Ending.EXPIRES: "expires by itself",
    Ending.BY_HAND: "by retention, or by hand: nothing tells whose a record is",
    Ending.UNTOUCHED: "untouched, nothing in it is personal",
}


def personal_data_page(collections: Mapping[str, Collection]) -> str:
    """Return the page: an overview of the collections, then the fields of those that hold something of a person."""
    overview = table(
        ("Collection", "For", "Kinds of personal data", "An erasure"),
        (
            (_named(name, one), one.purpose, ", ".join(_kinds(one)) or "none", _ENDINGS[one.ending])
            for name, one in collections.items()
        ),
    )
    parts = (part for name, one in collections.items() if _has_fields_to_show(one) for part in _fields(name, one))
    return page("Personal data", _INTRODUCTION, "## Collections", overview, "## Fields", _LEGEND, *parts)


def _named(name: str, collection: Collection) -> str:
    return f"[`{name}`](#{name})" if _has_fields_to_show(collection) else f"`{name}`"


def _kinds(collection: Collection) -> list[str]:
    """The kinds of personal data in a collection, each once, in the order of its fields."""
    return list(dict.fromkeys(field.about.value for field in collection.fields.values() if field.about.personal))


def _has_fields_to_show(collection: Collection) -> bool:
    return bool(_kinds(collection)) or any(field.exported for field in collection.fields.values())


def _fields(name: str, collection: Collection) -> Iterator[str]:
    yield f"### {name}"
    yield table(
        ("Field", "About", "Shown masked", "In events", "Given", "Stays"),
        ((f"`{called}`", field.about.value, *_treatment(field)) for called, field in collection.fields.items()),
    )


def _treatment(field: Field) -> tuple[str, str, str, str]:
    return (
        "" if field.mask is Mask.PLAIN else field.mask.value,
        "" if field.told is None else f"`{field.told.value}`",
        "yes" if field.exported else "",
        "yes" if field.stays else "",
    )

"""The map of personal data: complete, and what everybody goes by."""

import types
from collections.abc import Iterator
from typing import Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from app.redaction import redact
from app.reference.personal_data import personal_data_page
from core.data_map import COLLECTIONS, redacted_names
from core.personal_data import About, Ending, Mask
from core.vocabulary import EventPrivacy
from events.customer import customer_data
from events.fields import CUSTOMER_FIELDS, LEFT_OF_ERASED, MASKED_FIELDS, PARTS
from models.customer import Customer
from models.registry import STORED_MODELS
from repositories.erasure import EMPTY

MODELS = {model.Settings.name: model for model in STORED_MODELS}


def part_of(annotation: Any) -> type[BaseModel] | None:
    """Return the model that a field holds, one of it or a list; None when it holds plain values."""
    if get_origin(annotation) in {Union, types.UnionType}:
        annotation = next(one for one in get_args(annotation) if one is not type(None))
    if get_origin(annotation) is list:
        (annotation,) = get_args(annotation)
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def stored_fields(model: type[BaseModel], before: str = "") -> Iterator[str]:
    """Yield the names of everything that a model stores, parts with dots."""
    for name, field in model.model_fields.items():
        if name == "revision_id":  # Beanie's, which we do not store
            continue
        part = part_of(field.annotation)
        if part is None:
            yield f"{before}{name}"
        else:
            yield from stored_fields(part, f"{before}{name}.")


def test_every_collection_is_in_the_map() -> None:
    assert MODELS.keys() == COLLECTIONS.keys()


@pytest.mark.parametrize("collection", sorted(MODELS))
def test_every_stored_field_is_in_the_map_and_no_other(collection: str) -> None:
    assert set(stored_fields(MODELS[collection])) == COLLECTIONS[collection].fields.keys()


def test_a_field_that_is_added_is_missed() -> None:
    class More(Customer):
        nickname: str | None = None

    assert {"nickname"} == set(stored_fields(More)) - COLLECTIONS["customers"].fields.keys()


@pytest.mark.parametrize("collection", sorted(COLLECTIONS))
def test_what_is_personal_does_not_stay_for_ever(collection: str) -> None:
    """
    No personal field outlives an erasure, and a collection with such fields says what becomes of them.
    """
    described = COLLECTIONS[collection]
    personal = described.names(lambda field: field.about.personal)

    assert () == described.names(lambda field: field.about.personal and field.stays)
    assert not personal or described.ending is not Ending.UNTOUCHED
    if described.ending is Ending.EXPIRES:
        ends = [index.document for index in getattr(MODELS[collection].Settings, "indexes", [])]
        assert [] != [one for one in ends if "expireAfterSeconds" in one]


def test_every_field_that_is_emptied_has_something_to_stand_there() -> None:
    emptied = {
        name: {field for field, one in described.fields.items() if not one.stays}
        for name, described in COLLECTIONS.items()
        if described.ending is Ending.EMPTIED
    }

    assert emptied == {name: set(values) for name, values in EMPTY.items()}


@pytest.mark.parametrize("collection", ["customers", "addresses", "documents"])
def test_events_tell_what_the_map_allows_and_no_more(collection: str) -> None:
    """
    All that the map has a grade for, and nothing else, is among the fields that events are written from.
    """
    lists = {"customers": [("", CUSTOMER_FIELDS), ("attributes.", PARTS["attributes"])]}
    written = {
        before + field.stored for before, fields in lists.get(collection, [("", PARTS.get(collection, ()))]) for field in fields
    }
    reference = {name for name, field in COLLECTIONS[collection].fields.items() if field.told is EventPrivacy.REFERENCE}

    allowed = set(COLLECTIONS[collection].names(lambda field: field.told is not None))
    assert allowed == written | reference


def test_a_masked_event_says_nothing_that_the_map_would_hide() -> None:
    values = {name: f"{name}@canary.example" for name in ("email", "phone", "first_name", "last_name", "company")}
    hidden = dict.fromkeys(("date_of_birth", "locale", "full_name", "sort_name"), "canary")
    customer = {"_id": "cus_1", "seller_id": "s", "kind": "INDIVIDUAL", "status": "ACTIVE", **values, **hidden}

    said = customer_data(customer, EventPrivacy.MASKED)

    assert {*MASKED_FIELDS, "id", "sellerId", "kind", "status"} == said.keys()
    assert "canary" not in str({name: value for name, value in said.items() if name != "email"})
    assert ("e***@canary.example", "***le", "f.") == (said["email"], said["phone"], said["firstName"])


def test_what_is_left_of_the_erased_is_what_stays() -> None:
    assert {"id", "sellerId", "kind", "status", "mergedInto"} == set(LEFT_OF_ERASED)


@pytest.mark.parametrize("name", sorted(redacted_names()))
def test_what_the_map_keeps_out_of_logs_is_redacted_wherever_it_stands(name: str) -> None:
    assert "canary" not in str(redact(None, "info", {"stored": {name: "canary"}, "text": f"Customer({name}='canary')"}))


def test_direct_identifiers_are_kept_out_of_logs_and_looked_for() -> None:
    """
    What names a person by itself: nobody marks such a field by accident as harmless.
    """
    telling = {f"{name}.{field}" for name, one in COLLECTIONS.items() for field in one.names(lambda field: field.telling)}

    assert {
        "customers.external_id", "customers.email", "customers.phone", "customers.full_name",
        "addresses.line1", "addresses.phone", "documents.number_box",
    } == telling  # fmt: skip


@pytest.mark.parametrize("mask", [mask for mask in Mask if mask is not Mask.PLAIN])
def test_every_mask_is_used(mask: Mask) -> None:
    used = {field.mask for one in COLLECTIONS.values() for field in one.fields.values()}

    assert mask in used | {Mask.INITIALS}  # the initials of what has no mask of its own, in events


def test_purposes_are_sentences_for_people() -> None:
    assert [] == [name for name, one in COLLECTIONS.items() if not one.purpose.endswith(".") or len(one.purpose) < 20]


def test_the_page_for_people_names_what_holds_personal_data() -> None:
    lines = personal_data_page(COLLECTIONS).splitlines()
    listed = {name: next(line for line in lines if line.startswith((f"| `{name}` |", f"| [`{name}`]"))) for name in COLLECTIONS}

    for name, described in COLLECTIONS.items():
        kinds = {field.about.value for field in described.fields.values() if field.about.personal}
        told = {about.strip() for about in listed[name].split("|")[3].split(",")}
        assert (kinds or {"none"}) == told
        if kinds:
            assert set(described.fields) <= {line.split("`")[1] for line in _section(lines, name) if line.startswith("| `")}


def _section(lines: list[str], name: str) -> list[str]:
    """The lines of a collection on the page."""
    begin = lines.index(f"### {name}") + 1
    end = next((at for at in range(begin, len(lines)) if lines[at].startswith("#")), len(lines))
    return lines[begin:end]


def test_kinds_of_data_know_whether_they_are_personal() -> None:
    assert {About.NOTHING, About.REFERENCE} == {about for about in About if not about.personal}

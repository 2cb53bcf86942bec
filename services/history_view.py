"""What a caller sees of a change: from what to what, and where it came from. By the map of personal data; no I/O."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from auth.principal import Principal, Scope
from core.history import Kept
from core.vocabulary import PrincipalKind
from services.masking import HIDDEN, seen_value
from services.records import changed_fields

_SPELLED = {"number_last_four": "number"}
_OWNED = ("addresses", "documents")


@dataclass(frozen=True, slots=True)
class SeenChange:
    """One field of a customer (``email``), or of an address or a document of it (``addresses.city``), which has the id *of*.

    Values are texts; of a list, and of true and false, their JSON. None is what was not there, or is not shown.
    """

    field: str
    of: str | None
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class SeenOrigin:
    """Where a change came from: a request, or a row of an import."""

    ip_address: str | None = None
    user_agent: str | None = None
    request_id: str | None = None
    import_id: str | None = None
    row: int | None = None


def changes_seen(viewer: Principal, kept: Kept) -> list[SeenChange]:
    """Return what *viewer* may see of a change, fields of the customer first.

    Documents are for callers with ``documents:read``. Who sees customers masked sees which fields of an address changed, and
    not into what.
    """
    before, after = ((kept.changes or {}).get(side, {}) for side in ("before", "after"))
    found = [*_of_customer(viewer, before, after)]
    for name in _OWNED:
        if name == "documents" and Scope.DOCUMENTS_READ not in viewer.scopes:
            continue
        hidden = name == "addresses" and viewer.sees_masked
        old, new = before.get(name, {}), after.get(name, {})
        for id_ in old | new:
            found += _of_owned(name, id_, old.get(id_, {}), new.get(id_, {}), hidden=hidden)
    return found


def origin_seen(viewer: Principal, actor: str, kept: Kept) -> SeenOrigin | None:
    """Return what *viewer* may see of where a change by *actor* came from; None where nothing is known of it.

    A customer sees addresses and browsers of its own only; who sees customers masked, of nobody.
    """
    if not kept.origin:
        return None
    hidden = viewer.sees_masked or (viewer.kind is PrincipalKind.CUSTOMER and viewer.actor != actor)
    told = {name: value for name, value in kept.origin.items() if not (hidden and name in {"ip_address", "user_agent"})}
    return SeenOrigin(**told)


def _of_customer(viewer: Principal, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[SeenChange]:
    for name in [name for name in {**before, **after} if name not in _OWNED]:
        old, new = before.get(name), after.get(name)
        if name == "attributes":
            yield from _of_attributes(old or [], new or [], hidden=viewer.sees_masked)
            continue
        if viewer.sees_masked:
            old, new = seen_value(name, old), seen_value(name, new)
        yield SeenChange(_spelled(name), None, _text(old), _text(new))


def _of_attributes(old: list[Any], new: list[Any], *, hidden: bool) -> Iterator[SeenChange]:
    before, after = ({one["key"]: HIDDEN if hidden else one["value"] for one in side} for side in (old, new))
    values = [{one["key"]: one["value"] for one in side} for side in (old, new)]
    for key in {**before, **after}:
        if values[0].get(key) != values[1].get(key):
            yield SeenChange(f"attributes.{key}", None, before.get(key), after.get(key))


def _of_owned(
    what: str, id_: str, before: Mapping[str, Any], after: Mapping[str, Any], *, hidden: bool
) -> Iterator[SeenChange]:
    for name in {**before, **after}:
        old, new = before.get(name), after.get(name)
        parts = {name: (old, new)}
        if name == "file":
            sides = old or {}, new or {}
            parts = {f"file.{part}": (sides[0].get(part), sides[1].get(part)) for part in ("name", "sha256")}
        elif name == "number_last_four":
            parts = {name: (old and f"••••{old}", new and f"••••{new}")}
        for part, (earlier, later) in parts.items():
            shown = (None, None) if hidden else (_text(earlier), _text(later))
            yield SeenChange(f"{what}.{_spelled(part)}", id_, *shown)


def _spelled(name: str) -> str:
    (spelled,) = changed_fields([_SPELLED.get(name, name)])
    return spelled


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)

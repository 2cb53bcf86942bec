"""Rows of files, and what is wrong with them, for those who may not know how to reach the customers in them. No I/O.

A cell is masked by what its column is for, as the map of personal data says of what it would become; and more strictly than
what is stored, because nobody has checked yet that a name is a name. What nobody can tell the purpose of is not shown.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from auth.principal import Principal, Scope
from core.data_map import CUSTOMERS
from core.drafts import AttributeDraft, CustomerDraft
from core.errors import ErrorCode, Refused
from core.personal_data import MASKED, Mask
from services.csv.columns import map_columns
from services.masking import HIDDEN, seen_value

_NAMED = frozenset(CUSTOMERS) | {"full_name"}
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_MANY_DIGITS = 5
"""Digits that make a text more than a name: a phone number, a document's, a postal code."""

_PLAIN_CODES = frozenset(
    {
        ErrorCode.REQUIRED,
        ErrorCode.TOO_LONG,
        ErrorCode.TAKEN,
        ErrorCode.DUPLICATE_ROW,
        ErrorCode.MISSING_COLUMN,
        ErrorCode.UNPROCESSED,
        ErrorCode.INTERNAL,
    }
)
"""Codes whose messages never quote what stands in a row."""

UNTOLD = "What is wrong here quotes the row: the column and the code say as much as you may see without customers:read."


def sees_rows(viewer: Principal) -> bool:
    """Say whether a caller may see rows of files as they came: they are customers' data."""
    return Scope.CUSTOMERS_READ in viewer.scopes


def masked_message(code: ErrorCode, message: str) -> str:
    """Return what is wrong with a row, without what stands in it."""
    return message if code in _PLAIN_CODES else UNTOLD


def masked_draft(viewer: Principal, draft: CustomerDraft) -> CustomerDraft:
    """Return the customer that a row would make as *viewer* may see it: no addresses, and documents with their scope only."""
    texts = ("external_id", "email", "phone", "first_name", "last_name", "company")
    shown: dict[str, Any] = {name: _shown(name, value) for name in texts if (value := getattr(draft, name)) is not None}
    return replace(
        draft,
        **shown,
        date_of_birth=None,
        attributes=tuple(AttributeDraft(key=one.key, value=HIDDEN) for one in draft.attributes),
        addresses=(),
        documents=draft.documents if Scope.DOCUMENTS_READ in viewer.scopes else (),
    )


class RowMask:
    """Masks the rows of a file with this *header*, whose columns go where their names or *chosen* (pairs) say."""

    def __init__(self, header: Sequence[str], chosen: Sequence[tuple[str, str]]) -> None:
        self._targets: Sequence[str | None]
        try:
            self._targets = map_columns(header, chosen).targets
        except Refused:
            # An import that ended because of its columns: nobody knows what is in them.
            self._targets = [None] * len(header)

    def cells(self, cells: Sequence[str] | None) -> Sequence[str] | None:
        """Return as many cells; of a row that does not fit its header none can be told apart, and none is shown."""
        if cells is None or len(cells) != len(self._targets):
            return None if cells is None else [HIDDEN if cell else "" for cell in cells]
        return [_shown(target, cell) for target, cell in zip(self._targets, cells, strict=True)]


def _shown(target: str | None, cell: str) -> str:
    text = cell.strip()
    if not text:
        return ""
    if target not in _NAMED:
        return HIDDEN
    mask = CUSTOMERS[target].mask
    if mask is Mask.EMAIL:
        return MASKED[mask](text) or HIDDEN if _ADDRESS.fullmatch(text) else HIDDEN
    if mask is Mask.PHONE:
        return MASKED[mask](text) or HIDDEN if sum(map(str.isdigit, text)) > _MANY_DIGITS and text[-2:].isdigit() else HIDDEN
    if mask is not Mask.PLAIN:
        return HIDDEN
    if target == "external_id":
        return seen_value(target, text) or HIDDEN
    return HIDDEN if "@" in text or sum(map(str.isdigit, text)) >= _MANY_DIGITS else cell

"""Many customers in one call: each by itself, so that one that is refused costs no other anything."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from auth.principal import Principal, Scope
from core.drafts import CustomerDraft
from core.errors import ErrorCode, Problem, Refused, Unavailable
from services.customer import CustomerService
from services.customer_creating import CustomerSaved, require_idempotency_key

MAX_CUSTOMERS = 100
"""In one call. Larger numbers are imported."""

_LATER = Problem(
    ErrorCode.UNPROCESSED,
    "The database stopped answering before this customer's turn. Send it again, with the same key.",
)


@dataclass(frozen=True, slots=True)
class CustomerOutcome:
    """What became of one customer of a call: it was stored, or there are problems."""

    saved: CustomerSaved | None = None
    problems: Sequence[Problem] = ()


class CustomerBulk:
    """Creates many customers for a verified caller."""

    def __init__(self, customers: CustomerService) -> None:
        self._customers = customers

    async def create(
        self,
        viewer: Principal,
        drafts: Sequence[CustomerDraft | Sequence[Problem]],
        *,
        seller_id: str | None,
        idempotency_key: str | None = None,
    ) -> list[CustomerOutcome]:
        """Create customers one after the other, in a transaction each; the first of two that want the same gets it.

        What could not be read stands among *drafts* as its problems, and is their outcome. Repeated with the same key, the
        call answers with the customers that the first one made, and tries again those that it did not.

        Raises:
            Refused: there are none, or too many of them, or the key is none.
            Forbidden: the caller may create none, or none with documents.
            Unavailable: the database did not answer for the first of them.
        """
        # Before anything else: where nothing can be read, nothing would be asked for that refuses the caller.
        viewer.require(Scope.CUSTOMERS_WRITE)
        viewer.require_staff()
        if not 1 <= len(drafts) <= MAX_CUSTOMERS:
            message = f"A call takes 1 to {MAX_CUSTOMERS} customers; there are {len(drafts)}. Import a file of more."
            raise Refused.because(ErrorCode.TOO_MANY if drafts else ErrorCode.REQUIRED, message, "customers")
        require_idempotency_key(idempotency_key)
        if any(isinstance(draft, CustomerDraft) and draft.documents for draft in drafts):
            viewer.require(Scope.DOCUMENTS_WRITE)
        outcomes: list[CustomerOutcome] = []
        for number, draft in enumerate(drafts):
            if not isinstance(draft, CustomerDraft):
                outcomes.append(CustomerOutcome(problems=draft))
                continue
            try:
                saved = await self._customers.create(
                    viewer, draft, seller_id=seller_id, idempotency_key=_key_of(idempotency_key, number)
                )
            except Refused as refusal:
                outcomes.append(CustomerOutcome(problems=refusal.problems))
            except Unavailable:
                if not any(one.saved for one in outcomes):
                    raise
                outcomes.extend(CustomerOutcome(problems=[_LATER]) for _ in drafts[number:])
                break
            else:
                outcomes.append(CustomerOutcome(saved))
        return outcomes


def _key_of(key: str | None, number: int) -> str | None:
    """Return the key of one customer of a call: its place in the call is part of it."""
    return None if key is None else hashlib.sha256(f"{key}\x1f{number}".encode("utf-8", "surrogatepass")).hexdigest()

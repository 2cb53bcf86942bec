"""Root fields about merges: unpack, call one service method, repack."""

from typing import Annotated

import strawberry

from resolvers.outcome import attempt
from schema.context import Info
from schema.customer import Customer, CustomerPayload
from schema.merging import MergePreview, UnmergePayload

Into = Annotated[strawberry.ID, strawberry.argument(description="The id of the customer that stays, `cus_…`.")]
From = Annotated[strawberry.ID, strawberry.argument(name="from", description="The id of the customer that goes, `cus_…`.")]


@strawberry.type
class MergingQuery:
    @strawberry.field(
        description="What `mergeCustomers` would do with two customers of a seller at this moment: what moves, where they "
        "differ, and what keeps them apart. It is worked out by what merges them, and says what the merge does as long as "
        "neither changes. Needs `customers:read`; not for customers."
    )
    async def merge_preview(self, info: Info, into: Into, from_: From) -> MergePreview:
        """Return what a merge would do."""
        return MergePreview.of(await info.context.services.merging.preview(info.context.viewer, into, from_))


@strawberry.type
class MergingMutation:
    @strawberry.mutation(
        description="Make one of two customers of a seller: all addresses and documents of `from` belong to `into` afterwards, "
        "under the same ids, and `from` is deleted, its sessions ended. `into` keeps its id, kind, status, default "
        "addresses and every value of its own, and takes from `from` what it lacks: externalId, e-mail and phone "
        "(verified or not, as they were), names, company, date of birth and locale, tags, and attributes under other "
        "keys. Where both have different values, that of `from` is given up: it is free for others, and stays with the "
        "deleted record only. LEGAL_HOLD while `from` is on hold; TOO_MANY when `into` would have more than 250 tags, "
        "100 attributes, 100 addresses or 100 documents; nothing is changed then. `mergePreview` tells it beforehand, "
        "`unmergeCustomers` undoes it for 30 days, and `customer` answers to the id of `from` with `into`. Needs "
        "`customers:write`, and `documents:write` when `from` has documents; not for customers."
    )
    async def merge_customers(
        self,
        info: Info,
        into: Into,
        from_: From,
        expected_into_version: Annotated[
            int | None,
            strawberry.argument(description="The version of `into` that you saw. If it has another one, you get CONFLICT."),
        ] = None,
        expected_from_version: Annotated[
            int | None,
            strawberry.argument(description="The version of `from` that you saw. If it has another one, you get CONFLICT."),
        ] = None,
    ) -> CustomerPayload:
        """Merge two customers."""
        call = info.context.services.merging.merge(
            info.context.viewer, into, from_, expected_into=expected_into_version, expected_from=expected_from_version
        )
        record, errors = await attempt(call)
        customer = None if record is None else Customer.from_model(record)
        return CustomerPayload(customer=customer, document_uploads=[], user_errors=errors)

    @strawberry.mutation(
        description="Undo a merge within 30 days: the customer that was merged away is live again with its values, and with "
        "the addresses and documents it brought, as they are now. The customer it was merged into gives back what it took "
        "over and did not change since; what was changed by hand, and what was added, stays with it. STATE when it is too "
        "late, or when the survivor was merged, deleted, or is going to be erased; TAKEN when an identifier is somebody "
        "else's by now, and then nothing is changed. Sessions stay ended. A customer that was not merged is left as it "
        "is, so that repeating the call changes nothing. Needs `customers:write`, and `documents:write` when there are "
        "documents to give back; not for customers."
    )
    async def unmerge_customers(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The id of the customer that was merged away, `cus_…`.")],
    ) -> UnmergePayload:
        """Undo a merge."""
        done, errors = await attempt(info.context.services.unmerging.unmerge(info.context.viewer, id))
        return UnmergePayload(
            customer=None if done is None else Customer.from_model(done.customer),
            survivor=None if done is None or done.survivor is None else Customer.from_model(done.survivor),
            user_errors=errors,
        )

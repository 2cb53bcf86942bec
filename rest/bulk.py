"""Many customers at once over REST: unpack, call one service method, repack."""

from http import HTTPStatus

from fastapi import Response
from starlette.requests import Request

from auth.principal import Principal
from rest.bounded_body import JSON
from rest.bulk_shapes import BulkInput, BulkOutcome, CustomerOutcome, CustomersInFile, StartedImport
from rest.caller import SellerCaller, charge
from rest.customer import IdempotencyKey
from rest.customer_shapes import CreatedCustomer
from rest.customer_view import values_of
from rest.document_shapes import DocumentUpload
from rest.facade import Facade, UsedFacade
from rest.problem import FieldProblem
from services.customer_bulk import CustomerOutcome as Outcome


async def create_customers(
    request: Request,
    facade: UsedFacade,
    viewer: SellerCaller,
    body: BulkInput,
    idempotency_key: IdempotencyKey = None,
) -> BulkOutcome | Response:
    """Create up to 100 customers in one call, or import a CSV file that lies in the object store.

    With `customers`, each is created or refused by itself, in their order, and the answer (200) has an outcome for each: one
    that is refused costs no other anything. Repeated with the same `Idempotency-Key`, the call creates only what is missing.
    With `bucket` and `filePath` the file is handed to the workers (202), as a message on the queue of imports does it. It has
    to lie below `imports/` and the seller's id in the bucket of this service. Needs `customers:write` or `imports:write`; not
    for customers.
    """
    if isinstance(body, CustomersInFile):
        record = await facade.services.import_references.start(
            viewer, body.to_reference(), body.to_draft(), seller_id=viewer.seller_id, idempotency_key=idempotency_key
        )
        told = StartedImport.from_model(record).model_dump_json(by_alias=True)
        return Response(told, HTTPStatus.ACCEPTED, media_type=JSON)
    charge(request, len(body.customers))
    outcomes = await facade.services.customer_bulk.create(
        viewer, body.to_drafts(), seller_id=viewer.seller_id, idempotency_key=idempotency_key
    )
    return await _told(facade, viewer, outcomes)


async def _told(facade: Facade, viewer: Principal, outcomes: list[Outcome]) -> BulkOutcome:
    saved = [one.saved for one in outcomes if one.saved is not None]
    values = iter(await values_of(facade, viewer, [one.customer for one in saved]))
    told = [
        CustomerOutcome(
            index=index,
            outcome="FAILED" if one.saved is None else "CREATED",
            customer=None
            if one.saved is None
            else CreatedCustomer(**next(values), document_uploads=[DocumentUpload.of(each) for each in one.saved.uploads]),
            errors=[FieldProblem.of(problem) for problem in one.problems],
        )
        for index, one in enumerate(outcomes)
    ]
    return BulkOutcome(created=len(saved), failed=len(outcomes) - len(saved), outcomes=told)

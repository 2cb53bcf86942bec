"""How tests read customers."""

from typing import Any

from tests.api import Api

LIST = """query($filter: CustomerFilter, $sort: CustomerSort, $first: Int, $after: String, $last: Int, $before: String,
  $seller: ID) {
  customers(filter: $filter, sort: $sort, first: $first, after: $after, last: $last, before: $before, sellerId: $seller) {
    totalCount nodes { id } edges { cursor node { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
BY = "query($key: CustomerKey!, $seller: ID) { customerBy(key: $key, sellerId: $seller) { id } }"
EXISTS = """query($email: String, $phone: String, $externalId: String, $documentNumber: String) {
  customerExists(email: $email, phone: $phone, externalId: $externalId, documentNumber: $documentNumber) {
    customerId matchedBy } }"""


async def ids(execute: Api, **variables: Any) -> list[str]:
    """Return the ids of one page of customers."""
    return [node["id"] for node in (await execute.data(LIST, variables))["customers"]["nodes"]]

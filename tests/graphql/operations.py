"""Operations that many tests send, and the shortest ways to something to test with."""

import hashlib
from typing import Any

import httpx

from tests.api import Api, Json, some_email

PROFILE = """id sellerId externalId kind status email emailVerified phone phoneVerified firstName lastName fullName company
  dateOfBirth locale tags attributes { key value } version createdAt updatedAt"""
ADDRESS = """id customerId kind isDefault label recipient company line1 line2 city region postalCode countryCode phone formatted
  version createdAt updatedAt"""
DOCUMENT = """id customerId type category status number issuingCountry issuedOn expiresOn rejectionReason version createdAt
  updatedAt file { name contentType size sha256 downloadUrl downloadUrlExpiresAt }"""
UPLOAD = "upload { url method headers { name value } expiresAt maxBytes }"
ERRORS = "userErrors { code message field currentVersion }"

CREATE = f"""mutation($input: CustomerInput!, $key: String, $seller: ID) {{
  createCustomer(input: $input, idempotencyKey: $key, sellerId: $seller) {{
    customer {{ {PROFILE} addresses {{ {ADDRESS} }} documents {{ {DOCUMENT} }} }}
    documentUploads {{ documentId {UPLOAD} }} {ERRORS} }} }}"""
UPDATE = f"""mutation($id: ID!, $patch: CustomerPatch!, $version: Int) {{
  updateCustomer(id: $id, patch: $patch, expectedVersion: $version) {{ customer {{ {PROFILE} }} {ERRORS} }} }}"""
UPSERT = f"""mutation($key: CustomerKey!, $input: CustomerInput!) {{
  upsertCustomer(key: $key, input: $input) {{ created customer {{ {PROFILE} }} {ERRORS} }} }}"""
DELETE = f"mutation($id: ID!) {{ deleteCustomer(id: $id) {{ deletedId {ERRORS} }} }}"
READ = f"query($id: ID!) {{ customer(id: $id) {{ {PROFILE} addresses {{ {ADDRESS} }} documents {{ {DOCUMENT} }} }} }}"
HISTORY = """query($id: ID!) { customer(id: $id) { version history(first: 100) { nodes {
  id type actor changed version occurredAt } } } }"""

CREATE_ADDRESS = f"""mutation($customer: ID!, $input: AddressFields!) {{
  createAddress(customerId: $customer, input: $input) {{ address {{ {ADDRESS} }} {ERRORS} }} }}"""
UPDATE_ADDRESS = f"""mutation($id: ID!, $patch: AddressPatch!, $version: Int) {{
  updateAddress(id: $id, patch: $patch, expectedVersion: $version) {{ address {{ {ADDRESS} }} {ERRORS} }} }}"""
DELETE_ADDRESS = f"mutation($id: ID!) {{ deleteAddress(id: $id) {{ deletedId {ERRORS} }} }}"
SET_DEFAULT = f"mutation($id: ID!) {{ setDefaultAddress(id: $id) {{ address {{ {ADDRESS} }} {ERRORS} }} }}"

CREATE_DOCUMENT = f"""mutation($customer: ID!, $input: DocumentFields!) {{
  createDocument(customerId: $customer, input: $input) {{ document {{ {DOCUMENT} }} {UPLOAD} {ERRORS} }} }}"""
REQUEST_UPLOAD = f"""mutation($id: ID!, $file: FileFields!) {{
  requestDocumentUpload(id: $id, file: $file) {{ document {{ {DOCUMENT} }} {UPLOAD} {ERRORS} }} }}"""
COMPLETE = f"mutation($id: ID!) {{ completeDocumentUpload(id: $id) {{ document {{ {DOCUMENT} }} {ERRORS} }} }}"
REVIEW = f"""mutation($id: ID!, $approve: Boolean!, $reason: String) {{
  reviewDocument(id: $id, approve: $approve, reason: $reason) {{ document {{ {DOCUMENT} }} {ERRORS} }} }}"""
DELETE_DOCUMENT = f"mutation($id: ID!) {{ deleteDocument(id: $id) {{ deletedId {ERRORS} }} }}"

IMPORT = """id sellerId status mode matchBy validation dryRun fileName fileSize totalRows processedRows createdRows updatedRows
  unchangedRows failedRows warningRows unprocessedRows progress rowsPerSecond estimatedCompletionAt requestedBy createdAt
  startedAt finishedAt failure { code message } errorReport { url expiresAt }
  errors(first: 100) { pageInfo { hasNextPage } edges { node { row column severity code message } } }"""
CREATE_IMPORT = f"""mutation($input: BulkImportInput!, $seller: ID) {{
  createBulkImport(input: $input, sellerId: $seller) {{ bulkImport {{ {IMPORT} }} {UPLOAD} {ERRORS} }} }}"""
START_IMPORT = f"mutation($id: ID!) {{ startBulkImport(id: $id) {{ bulkImport {{ {IMPORT} }} {ERRORS} }} }}"
CANCEL_IMPORT = f"mutation($id: ID!) {{ cancelBulkImport(id: $id) {{ bulkImport {{ {IMPORT} }} {ERRORS} }} }}"
RETRY_IMPORT = f"mutation($id: ID!) {{ retryBulkImport(id: $id) {{ bulkImport {{ {IMPORT} }} {ERRORS} }} }}"
READ_IMPORT = f"query($id: ID!) {{ bulkImport(id: $id) {{ {IMPORT} }} }}"

BERLIN: Json = {"kind": "SHIPPING", "line1": "Torstraße 1", "city": "Berlin", "postalCode": "10119", "countryCode": "DE"}
LONDON: Json = {
    "kind": "BILLING",
    "line1": "12 St James's Square",
    "city": "London",
    "postalCode": "SW1Y 4JH",
    "countryCode": "GB",
}

PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"

UNKNOWN_IDS = ("", "1", "cus_1", "cus_", "' OR 1=1", '{"$gt": ""}', "ü" * 5, "x" * 2000, "ses_01m82c4ykgergbr9bz5f1r0xgf")
"""Texts that name nothing: malformed, and of a kind that cannot be asked for here."""


async def create(execute: Api, as_: str = "", **input_: Any) -> Json:
    """Create a customer and return it; it gets an e-mail address unless it is given one."""
    data = await execute.data(CREATE, {"input": {"email": some_email(), **input_}}, as_=as_)
    assert data["createCustomer"]["userErrors"] == []
    customer: Json = data["createCustomer"]["customer"]
    return customer


async def payload(execute: Api, mutation: str, variables: Json, as_: str | None = "") -> Json:
    """Run a mutation with one field and return what became of it."""
    (found,) = (await execute.data(mutation, variables, as_=as_)).values()
    result: Json = found
    return result


async def read(execute: Api, id_: str) -> Json:
    """Return a customer that is there."""
    customer: Json = (await execute.data(READ, {"id": id_}))["customer"]
    return customer


async def events(execute: Api, id_: str) -> list[Json]:
    """Return what happened to a customer, oldest first, without who read its documents."""
    nodes: list[Json] = (await execute.data(HISTORY, {"id": id_}))["customer"]["history"]["nodes"]
    return [one for one in nodes[::-1] if one["type"] != "DOCUMENT_READ"]


def announced(content: bytes = PDF, content_type: str = "application/pdf", **more: Any) -> Json:
    """Return the announcement of a file with this content."""
    return {
        "name": "scan.pdf",
        "contentType": content_type,
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        **more,
    }


async def send(upload: Json, content: bytes) -> int:
    """Send a file to an upload target, as a browser would; return the HTTP status."""
    headers = {header["name"]: header["value"] for header in upload["headers"]}
    async with httpx.AsyncClient(trust_env=False) as http:
        return (await http.request(upload["method"], upload["url"], headers=headers, content=content)).status_code


async def fetch(url: str) -> httpx.Response:
    """Download a file by a presigned link."""
    async with httpx.AsyncClient(trust_env=False) as http:
        return await http.get(url)

"""Examples for the description of the API: one story, from a new customer to its sign-in."""

from collections.abc import Mapping
from typing import Any

_CUSTOMER = "cus_01j9zs3w8xf4bt6s9h2m5n7p8q"
_ADDRESS = "adr_01j9zs3w8ye2tvd6m8x1p7r5q4"
_DOCUMENT = "doc_01j9zs3w8zc8t9h2m5n7p8q4r6"
_SESSION = "ses_01j9zs5c2mfqz8w1k3x6y9b4d7"
_AT = "2026-11-22T17:30:00.000Z"
_CURSOR = "WyJDUkVBVEVEX0FUX0RFU0MiLHsidCI6IjIwMjYtMTEtMjJUMTc6MzA6MDAuMDAwWiJ9XQ"

_NEW_ADDRESS = {
    "kind": "SHIPPING",
    "line1": "1600 Pennsylvania Avenue NW",
    "city": "Washington",
    "region": "DC",
    "postalCode": "20500",
    "countryCode": "US",
}
_NEW_CUSTOMER = {
    "externalId": "walk-1",
    "email": "Grace@Example.com",
    "phone": "+1 202 707 5000",
    "firstName": "Grace",
    "lastName": "Hopper",
    "addresses": [_NEW_ADDRESS],
    "documents": [
        {
            "type": "PASSPORT",
            "number": "P1234567",
            "issuingCountry": "US",
            "file": {"name": "passport.png", "contentType": "image/png", "size": 84213},
        }
    ],
}
_STORED_ADDRESS = {
    "id": _ADDRESS,
    "customerId": _CUSTOMER,
    "isDefault": True,
    "label": None,
    "recipient": None,
    "company": None,
    "line2": None,
    "phone": None,
    "formatted": ["1600 Pennsylvania Avenue NW", "WASHINGTON, DC 20500", "UNITED STATES"],
    "version": 1,
    "createdAt": _AT,
    "updatedAt": _AT,
    **_NEW_ADDRESS,
}
_STORED_DOCUMENT = {
    "id": _DOCUMENT,
    "customerId": _CUSTOMER,
    "type": "PASSPORT",
    "category": "IDENTITY",
    "status": "AWAITING_UPLOAD",
    "number": "••••4567",
    "issuingCountry": "US",
    "issuedOn": None,
    "expiresOn": None,
    "file": None,
    "fileRemovedAt": None,
    "scan": None,
    "rejectionCode": None,
    "rejectionReason": None,
    "version": 1,
    "createdAt": _AT,
    "updatedAt": _AT,
}
_STORED_CUSTOMER = {
    "id": _CUSTOMER,
    "sellerId": "demo",
    "externalId": "walk-1",
    "kind": "INDIVIDUAL",
    "status": "ACTIVE",
    "email": "grace@example.com",
    "emailVerified": False,
    "phone": "+12027075000",
    "phoneVerified": False,
    "firstName": "Grace",
    "lastName": "Hopper",
    "fullName": "Grace Hopper",
    "company": None,
    "dateOfBirth": None,
    "locale": None,
    "tags": [],
    "attributes": [],
    "version": 1,
    "createdAt": _AT,
    "updatedAt": _AT,
    "erasureDueAt": None,
    "addresses": [_STORED_ADDRESS],
    "documents": [_STORED_DOCUMENT],
}
_UPLOADS = [
    {
        "documentId": _DOCUMENT,
        "upload": {
            "url": "https://customer-documents.s3.amazonaws.com/documents/demo/…",
            "method": "PUT",
            "headers": [{"name": "Content-Type", "value": "image/png"}],
            "expiresAt": "2026-11-22T17:40:00.000Z",
            "maxBytes": 84213,
        },
    }
]
_CREATED_CUSTOMER = {**_STORED_CUSTOMER, "documentUploads": _UPLOADS}
_PAGE = {"hasNextPage": False, "hasPreviousPage": False, "startCursor": _CURSOR, "endCursor": _CURSOR}
_TOKENS = {
    "accessToken": "eyJ…",
    "refreshToken": f"{_SESSION}.0.3q2-7w",
    "tokenType": "Bearer",
    "expiresIn": 600,
    "sessionId": _SESSION,
}

SENT: Mapping[str, Any] = {
    "CustomerInput": _NEW_CUSTOMER,
    "CustomerPatch": {"lastName": "Murray Hopper", "tags": ["vip"]},
    "CustomerUpsert": {"key": {"externalId": "walk-1"}, "input": {"firstName": "Grace", "lastName": "Hopper"}},
    "CustomersInCall": {"customers": [_NEW_CUSTOMER, {"externalId": "walk-2", "company": "Analytical Engines Ltd"}]},
    "CustomersInFile": {"bucket": "customer-documents", "filePath": "imports/demo/customers.csv", "mode": "UPSERT"},
    "NewAddress": {**_NEW_ADDRESS, "customerId": _CUSTOMER, "kind": "BILLING"},
    "AddressPatch": {"label": "Home", "isDefault": True},
    "OtpRequest": {"sellerId": "demo", "channel": "EMAIL", "destination": "grace@example.com"},
    "LoginInput": {"challengeId": "otp_3kq9", "code": "123456"},
    "LogoutInput": {"everywhere": True},
    "RefreshInput": {"refreshToken": _TOKENS["refreshToken"]},
}
"""What callers send, by the name of its schema."""

ANSWERED: Mapping[str, Any] = {
    "Customer": _STORED_CUSTOMER,
    "CreatedCustomer": _CREATED_CUSTOMER,
    "Customers": {"nodes": [_STORED_CUSTOMER], "pageInfo": _PAGE, "totalCount": None},
    "Address": _STORED_ADDRESS,
    "Listed_Address_": {"nodes": [_STORED_ADDRESS], "pageInfo": _PAGE},
    "BulkOutcome": {
        "created": 1,
        "failed": 1,
        "outcomes": [
            {"index": 0, "outcome": "CREATED", "customer": _CREATED_CUSTOMER, "errors": []},
            {
                "index": 1,
                "outcome": "FAILED",
                "customer": None,
                "errors": [
                    {"code": "TAKEN", "message": "Another customer already has this e-mail address.", "field": ["email"]}
                ],
            },
        ],
    },
    "StartedImport": {
        "id": "imp_01j9zs6h4zrv5n8q2m7x1c3k9t",
        "sellerId": "demo",
        "status": "QUEUED",
        "mode": "UPSERT",
        "matchBy": "EXTERNAL_ID",
        "validation": "LENIENT",
        "dryRun": False,
        "fileName": "customers.csv",
        "fileSize": 48211,
        "requestedBy": "operator:ada",
        "createdAt": _AT,
    },
    "OtpSent": {"challengeId": "otp_3kq9", "expiresIn": 300, "resendAfter": 30},
    "TokenPair": _TOKENS,
    "LoggedIn": {"tokens": _TOKENS, "customer": {**_STORED_CUSTOMER, "emailVerified": True, "version": 2}},
    "LoggedOut": {"revokedSessionIds": [_SESSION]},
}
"""What is answered, by the name of its schema."""

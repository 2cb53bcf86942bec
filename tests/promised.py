"""The endpoints that the description of the service names."""

PROMISED = {
    "POST /api/v1/sellers/{seller_id}/customers",
    "POST /api/v1/sellers/{seller_id}/customers/bulk",
    "PUT /api/v1/sellers/{seller_id}/customers/{customer_id}",
    "GET /api/v1/sellers/{seller_id}/customers/{customer_id}",
    "GET /api/v1/sellers/{seller_id}/customers",
    "DELETE /api/v1/sellers/{seller_id}/customers/{customer_id}",
    "GET /api/v1/customers/{customer_id}",
    "POST /api/v1/addresses",
    "PUT /api/v1/addresses/{address_id}",
    "GET /api/v1/addresses/{address_id}",
    "GET /api/v1/addresses",
    "POST /api/v1/auth/login",
    "POST /api/v1/auth/logout",
    "POST /api/v1/auth/access_token",
    "POST /api/v1/auth/otp",
    "POST /internal/api/v1/sellers/{seller_id}/customers",
    "POST /internal/api/v1/sellers/{seller_id}/customers/upsert",
    "PUT /internal/api/v1/sellers/{seller_id}/customers/{customer_id}",
    "GET /internal/api/v1/sellers/{seller_id}/customers/{customer_id}",
    "GET /internal/api/v1/sellers/{seller_id}/customers",
    "DELETE /internal/api/v1/sellers/{seller_id}/customers/{customer_id}",
}
"""What was promised, word for word."""

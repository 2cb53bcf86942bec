"""A typed client of Customer Service for other services."""

from customer_service_client.clients import AsyncCustomerService, CustomerService
from customer_service_client.errors import Conflict, CustomerServiceError, FieldError, NotFound, Refused, Unreachable
from customer_service_client.keys import Key, by_document_number, by_email, by_external_id, by_id, by_phone
from customer_service_client.shapes import Address, Customer, Page
from customer_service_client.tokens import ClientCredentials

__all__ = [
    "Address",
    "AsyncCustomerService",
    "ClientCredentials",
    "Conflict",
    "Customer",
    "CustomerService",
    "CustomerServiceError",
    "FieldError",
    "Key",
    "NotFound",
    "Page",
    "Refused",
    "Unreachable",
    "by_document_number",
    "by_email",
    "by_external_id",
    "by_id",
    "by_phone",
]

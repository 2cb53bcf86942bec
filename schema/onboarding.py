"""Onboarding, as clients see it."""

import asyncio
from collections.abc import Sequence
from typing import Self, TypeVar

import strawberry
from pydantic import BaseModel

from loaders.records import OwnedRecords
from models.customer import Customer
from schema.context import Info
from schema.enums import OnboardingStep
from services.rules.onboarding import ABOUT_DOCUMENTS, OnboardingProgress

T = TypeVar("T", bound=BaseModel)


@strawberry.type(description="How far a customer has come with what the seller's settings require.")
class Onboarding:
    complete: bool = strawberry.field(description="Whether every required step is done. True when none is required.")
    done: list[OnboardingStep] = strawberry.field(description="The required steps that are done, in their order.")
    remaining: list[OnboardingStep] = strawberry.field(description="The required steps that are not done, in their order.")

    @classmethod
    async def of(cls, customers: Sequence[Customer], info: Info) -> list[Self]:
        """Return the progress of each customer; what no required step of it looks at is not loaded.

        Raises:
            Forbidden: without the scope ``customers:read``.
        """
        service, viewer, loaders = info.context.services.onboarding, info.context.viewer, info.context.loaders
        required = [service.required(viewer, customer) for customer in customers]
        addresses, documents = await asyncio.gather(
            _of_some(loaders.addresses_by_customer, customers, [OnboardingStep.ADDRESS_ADDED in steps for steps in required]),
            _of_some(loaders.documents_by_customer, customers, [bool(ABOUT_DOCUMENTS & steps) for steps in required]),
        )
        return [
            cls._from(service.progress(viewer, customer, addresses.get(customer.id) or (), documents.get(customer.id) or ()))
            for customer in customers
        ]

    @classmethod
    def _from(cls, progress: OnboardingProgress) -> Self:
        return cls(complete=progress.complete, done=list(progress.done), remaining=list(progress.remaining))


async def _of_some(
    loader: OwnedRecords[tuple[str, str], T], customers: Sequence[Customer], wanted: Sequence[bool]
) -> dict[str, list[T] | None]:
    """Return by customer's id what belongs to those of the customers for whom it is wanted."""
    some = [customer for customer, is_wanted in zip(customers, wanted, strict=True) if is_wanted]
    found = await loader.load_many([(customer.seller_id, customer.id) for customer in some])
    return {customer.id: one for customer, one in zip(some, found, strict=True)}

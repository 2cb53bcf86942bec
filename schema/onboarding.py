"""Onboarding, as clients see it."""

import asyncio
from typing import Self

import strawberry

from models.customer import Customer
from schema.context import Info
from schema.enums import OnboardingStep
from services.rules.onboarding import ABOUT_DOCUMENTS


@strawberry.type(description="How far a customer has come with what the seller's settings require.")
class Onboarding:
    complete: bool = strawberry.field(description="Whether every required step is done. True when none is required.")
    done: list[OnboardingStep] = strawberry.field(description="The required steps that are done, in their order.")
    remaining: list[OnboardingStep] = strawberry.field(description="The required steps that are not done, in their order.")

    @classmethod
    async def load(cls, info: Info, customer: Customer) -> Self:
        """Return a customer's progress; what no required step looks at is not loaded.

        Raises:
            Forbidden: without the scope ``customers:read``.
        """
        service, viewer, loaders = info.context.services.onboarding, info.context.viewer, info.context.loaders
        required = service.required(viewer, customer)
        owner = customer.seller_id, customer.id

        addresses, documents = await asyncio.gather(
            loaders.addresses_by_customer.load(owner) if OnboardingStep.ADDRESS_ADDED in required else _nothing(),
            loaders.documents_by_customer.load(owner) if ABOUT_DOCUMENTS & required else _nothing(),
        )
        progress = service.progress(viewer, customer, addresses or (), documents or ())
        return cls(complete=progress.complete, done=list(progress.done), remaining=list(progress.remaining))


async def _nothing() -> None:
    return None

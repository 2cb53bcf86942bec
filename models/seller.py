"""How it is stored what sellers have said for themselves."""

from datetime import datetime

import beanie
from pydantic import BaseModel, ConfigDict
from pymongo import ASCENDING, IndexModel

from core.vocabulary import DocumentType, OnboardingStep, OtpChannel, RetentionMode


class StoredRules(BaseModel):
    """The members of `core.seller.SellerRules`; a value that a newer version wrote and this one does not know is an error."""

    model_config = ConfigDict(extra="ignore")

    default_country: str | None = None
    onboarding: tuple[OnboardingStep, ...] | None = None
    email: bool | None = None
    phone: bool | None = None
    documents: bool | None = None
    addresses: bool | None = None
    required_documents: tuple[DocumentType, ...] | None = None
    otp_channels: tuple[OtpChannel, ...] | None = None
    retention_mode: RetentionMode | None = None
    retention_inactive_months: int | None = None
    retention_grace_days: int | None = None
    retention_ended_file_days: int | None = None
    retention_verified_file_days: int | None = None
    retention_import_days: int | None = None


class Seller(beanie.Document):
    """What one seller has said, to us (`own`) and to the tenant service (`told`), which knows better."""

    model_config = ConfigDict(extra="ignore")

    id: str  # type: ignore[assignment]  # Beanie declares an ObjectId; ours is the seller's
    own: StoredRules | None = None
    told: StoredRules | None = None
    told_at: datetime | None = None
    updated_at: datetime

    class Settings:
        name = "sellers"
        indexes = [IndexModel([("updated_at", ASCENDING)], name="by_update")]

"""What a seller may say for itself, wherever it says it."""

from dataclasses import dataclass, fields
from typing import Any

from core.vocabulary import DocumentType, OnboardingStep, OtpChannel, RetentionMode


@dataclass(frozen=True, slots=True, kw_only=True)
class SellerRules:
    """What one seller has said for itself. None: what holds for all.

    `email`, `phone`, `documents` and `addresses` switch the checks of these on or off; `required_documents` are the types that
    have to be filed before the steps about documents are done; `otp_channels` are those that codes may go over. What begins
    with `retention_` is a member of `core.retention.RetentionPolicy`.
    """

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

    def over(self, others: "SellerRules") -> "SellerRules":
        """Return what is said here, and of the rest what *others* say."""
        said = {one.name: getattr(self, one.name) for one in fields(self)}
        return SellerRules(**{name: getattr(others, name) if value is None else value for name, value in said.items()})

    @property
    def retention(self) -> dict[str, Any]:
        """What is said of retention, by the names of `core.retention.RetentionPolicy`."""
        named = ((one.name, getattr(self, one.name)) for one in fields(self) if one.name.startswith(_RETENTION))
        return {name.removeprefix(_RETENTION): value for name, value in named if value is not None}


_RETENTION = "retention_"


NOTHING_SAID = SellerRules()

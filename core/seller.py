"""What a seller may say for itself, wherever it says it."""

from dataclasses import dataclass, fields

from core.vocabulary import DocumentType, OnboardingStep, OtpChannel


@dataclass(frozen=True, slots=True, kw_only=True)
class SellerRules:
    """What one seller has said for itself. None: what holds for all.

    `email`, `phone`, `documents` and `addresses` switch the checks of these on or off; `required_documents` are the types that
    have to be filed before the steps about documents are done; `otp_channels` are those that codes may go over.
    """

    default_country: str | None = None
    onboarding: tuple[OnboardingStep, ...] | None = None
    email: bool | None = None
    phone: bool | None = None
    documents: bool | None = None
    addresses: bool | None = None
    required_documents: tuple[DocumentType, ...] | None = None
    otp_channels: tuple[OtpChannel, ...] | None = None

    def over(self, others: "SellerRules") -> "SellerRules":
        """Return what is said here, and of the rest what *others* say."""
        said = {one.name: getattr(self, one.name) for one in fields(self)}
        return SellerRules(**{name: getattr(others, name) if value is None else value for name, value in said.items()})


NOTHING_SAID = SellerRules()

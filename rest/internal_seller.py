"""What sellers have said for themselves, for services that tell us: where there is no tenant service, or beside it."""

from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, Depends
from pydantic import Field

from core.errors import ErrorCode, Refused
from core.retention import LONGEST_DAYS, LONGEST_MONTHS
from core.seller import SellerRules
from core.vocabulary import DocumentType, OnboardingStep, OtpChannel, RetentionMode
from rest.caller import SellerCaller, only_services
from rest.documented import answers
from rest.facade import UsedFacade
from rest.route import RestRoute
from rest.shape import Shape, StrictBool
from services.rules.country import country_codes

router = APIRouter(
    prefix="/internal/api/v1", route_class=RestRoute, tags=["internal sellers"], dependencies=[Depends(only_services)]
)

T = TypeVar("T")

Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$", examples=["AE"])]


class Switches(Shape):
    """Which checks are on; a member that is absent is as the service is configured."""

    email: StrictBool | None = Field(None, description="Whether e-mail addresses are checked.")
    phone: StrictBool | None = Field(None, description="Whether phone numbers are checked.")
    documents: StrictBool | None = Field(None, description="Whether numbers of documents are checked.")
    addresses: StrictBool | None = Field(None, description="Whether addresses are checked by the rules of their countries.")


class OtpPolicy(Shape):
    """How customers get their codes."""

    channels: list[OtpChannel] | None = Field(None, description="Over which channels, of those that the service offers.")


class Retention(Shape):
    """For how long what is stored is kept; 0: for good. A member that is absent is as the service is configured."""

    mode: Literal["DRY_RUN", "ACTIVE"] | None = Field(
        None, description="DRY_RUN reports what would be removed, ACTIVE removes it."
    )
    inactive_months: int | None = Field(
        None, ge=0, le=LONGEST_MONTHS, description="After so many months without activity a customer is flagged."
    )
    grace_days: int | None = Field(None, ge=1, le=LONGEST_DAYS, description="So many days after that it is anonymised.")
    ended_file_days: int | None = Field(
        None, ge=0, le=LONGEST_DAYS, description="Days that files of documents stay after these expired or were rejected."
    )
    verified_file_days: int | None = Field(
        None, ge=0, le=LONGEST_DAYS, description="Days that files of documents stay after these were approved."
    )
    import_days: int | None = Field(
        None, ge=0, le=LONGEST_DAYS, description="Days that files, reports and refused rows of imports stay after their end."
    )


class SellerSettings(Shape):
    """What a seller says for itself. What is absent holds as the service is configured."""

    default_country: Country | None = Field(None, description="Where phone numbers without calling code belong.")
    onboarding: list[OnboardingStep] | None = Field(None, description="What its customers have to have done; [] for nothing.")
    required_documents: list[DocumentType] | None = Field(
        None, description="Documents that all have to be filed before the steps about documents are done."
    )
    validation: Switches = Field(Switches(), description="Which checks are on.")
    otp: OtpPolicy = Field(OtpPolicy(), description="How its customers get their codes.")
    retention: Retention = Field(
        Retention(), description="For how long what is stored of its customers is kept; a change of it also needs `erasure`."
    )

    def to_rules(self) -> SellerRules:
        """Return what is said.

        Raises:
            Refused: there is no such country.
        """
        periods = self.retention.model_dump()
        mode = periods.pop("mode")
        if self.default_country is not None and self.default_country not in country_codes():
            raise Refused.because(ErrorCode.INVALID, "This is the code of no country.", "defaultCountry")
        return SellerRules(
            default_country=self.default_country,
            onboarding=_tuple(self.onboarding),
            required_documents=_tuple(self.required_documents),
            otp_channels=_tuple(self.otp.channels),
            **self.validation.model_dump(),
            **{f"retention_{name}": value for name, value in periods.items()},
            retention_mode=None if mode is None else RetentionMode(mode),
        )

    @classmethod
    def of(cls, rules: SellerRules) -> "SellerSettings":
        """Return *rules* as callers see them."""
        return cls(
            default_country=rules.default_country,
            onboarding=_list(rules.onboarding),
            required_documents=_list(rules.required_documents),
            validation=Switches(email=rules.email, phone=rules.phone, documents=rules.documents, addresses=rules.addresses),
            otp=OtpPolicy(channels=_list(rules.otp_channels)),
            retention=Retention.model_validate(rules.retention),
        )


@router.put(
    "/sellers/{seller_id}/settings",  # noqa: FAST003 - the caller is bound to it
    summary="Say what holds for a seller (internal)",
    operation_id="upsertSeller",
    responses=answers(200, 422, body=True),
)
async def upsert_seller_settings(facade: UsedFacade, viewer: SellerCaller, body: SellerSettings) -> SellerSettings:
    """Store what a seller says for itself, in place of what it said before; every process knows within seconds.

    What the tenant service tells of the seller, if one is configured, goes before it; the answer is what holds. Needs
    `customers:write`.
    """
    return SellerSettings.of(await facade.services.sellers.say(viewer, body.to_rules()))


@router.get(
    "/sellers/{seller_id}/settings",  # noqa: FAST003 - the caller is bound to it
    summary="Get what holds for a seller (internal)",
    operation_id="getSeller",
    responses=answers(200),
)
async def get_seller_settings(facade: UsedFacade, viewer: SellerCaller) -> SellerSettings:
    """Return what a seller has said for itself, to us or to the tenant service. Needs `customers:read`."""
    return SellerSettings.of(await facade.services.sellers.of(viewer))


def _tuple(values: list[T] | None) -> tuple[T, ...] | None:
    return None if values is None else tuple(dict.fromkeys(values))


def _list(values: tuple[T, ...] | None) -> list[T] | None:
    return None if values is None else list(values)

"""The states of a referral, and the codes that say why it moved and how it ended."""

from __future__ import annotations

from enum import StrEnum


class ReferralStatus(StrEnum):
    """Where a referral stands."""

    DRAFT = "draft"
    REQUESTED = "requested"
    WAITLISTED = "waitlisted"
    ACCEPTED = "accepted"
    IN_PROGRESS = "in_progress"
    ON_HOLD = "on_hold"
    DECLINED = "declined"
    LAPSED = "lapsed"
    FAILED = "failed"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"
    ENTERED_IN_ERROR = "entered_in_error"


class BasisKind(StrEnum):
    """On what the resident's data goes to a provider: Act 14(2), or a consent."""

    ARTICLE_14_2 = "article_14_2"
    CONSENT = "consent"


class OnBehalfChannel(StrEnum):
    """How a worker heard the provider's answer."""

    PHONE = "phone"
    FAX = "fax"
    VISIT = "visit"


class DeclineReason(StrEnum):
    """Why a provider does not take a referral on."""

    AT_CAPACITY = "at_capacity"
    OUT_OF_AREA = "out_of_area"
    NOT_ELIGIBLE = "not_eligible"
    CANNOT_REACH = "cannot_reach"
    RESIDENT_REFUSED = "resident_refused"
    DUPLICATE = "duplicate"
    OTHER = "other"


class HoldReason(StrEnum):
    """Why a service, or a whole case, rests for a while."""

    HOSPITALISED = "hospitalised"
    AWAY = "away"
    RESIDENT_ASKED = "resident_asked"
    PROVIDER_PAUSED = "provider_paused"
    OTHER = "other"


class CancelReason(StrEnum):
    """Why the sender takes a request back."""

    NO_LONGER_NEEDED = "no_longer_needed"
    ENTERED_TWICE = "entered_twice"
    REDIRECTED = "redirected"
    CASE_CLOSED = "case_closed"
    OTHER = "other"


class WithdrawReason(StrEnum):
    """Why the resident's side ends a referral."""

    RESIDENT_ASKED = "resident_asked"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    DIED = "died"
    OTHER = "other"


class FailReason(StrEnum):
    """Why a service that was accepted came to nothing."""

    PROVIDER_UNABLE = "provider_unable"
    RESIDENT_UNREACHABLE = "resident_unreachable"
    DIED = "died"
    OTHER = "other"


class ReferralOutcome(StrEnum):
    """How a service that started ended."""

    ENDED_AS_PLANNED = "ended_as_planned"
    ENDED_EARLY = "ended_early"
    TRANSFERRED = "transferred"


class Disposition(StrEnum):
    """What happens instead of a referral that came to nothing; all but the first also settle."""

    RE_REFER = "re_refer"
    ALTERNATIVE = "alternative"
    REFUSED = "refused"
    NO_LONGER_NEEDED = "no_longer_needed"
    UNMET_NEED = "unmet_need"

"""What people read when something is refused, in English and Korean, by stable code."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "not_found": ("Not found", "찾을 수 없습니다"),
    "forbidden": ("Not for this role", "이 역할로는 할 수 없습니다"),
    "unauthenticated": ("Sign in first", "먼저 로그인하십시오"),
    "invalid_credentials": ("Sign-in failed", "로그인하지 못했습니다"),
    "invalid": ("The request cannot be right", "요청이 올바르지 않습니다"),
    "malformed": ("The request cannot be read", "요청을 읽을 수 없습니다"),
    "conflict": ("Not possible now", "지금은 할 수 없습니다"),
    "not_allowed_in_state": ("Not possible in this state", "현재 상태에서는 할 수 없습니다"),
    "stale": ("It was changed meanwhile", "그사이에 변경되었습니다"),
    "precondition_required": ("Say which version you saw", "어느 판을 보았는지 밝히십시오"),
    "body_too_large": ("The body is too large", "본문이 너무 큽니다"),
    "busy": ("Busy; try again", "지금은 바쁩니다. 다시 시도하십시오"),
    "in_flight": ("The same request is being carried out", "같은 요청을 처리하고 있습니다"),
    "idempotency_key_reused": (
        "This key was used for another request",
        "이 키는 다른 요청에 이미 쓰였습니다",
    ),
    "possible_duplicate": ("Possibly registered already", "이미 등록된 대상자일 수 있습니다"),
    "open_case_exists": ("There is an open case", "진행 중인 사례가 있습니다"),
    "open_referral_exists": ("There is an open referral", "진행 중인 의뢰가 있습니다"),
    "referrals_open": ("Referrals are open", "진행 중인 의뢰가 남아 있습니다"),
    "referral_open": ("A referral of it is open", "진행 중인 의뢰가 있습니다"),
    "disposition_owed": ("A disposition is owed", "후속 조치를 먼저 정해야 합니다"),
    "already_settled": ("Already settled", "이미 정리된 서비스입니다"),
    "plan_not_approved": ("The plan is not approved", "계획이 승인되지 않았습니다"),
    "version_changed": ("Not the submitted version", "제출된 판이 아닙니다"),
    "own_draft": ("Not on one's own draft", "본인이 작성한 계획은 결정할 수 없습니다"),
    "provider_answers": ("The provider answers", "제공기관이 답해야 합니다"),
    "service_in_use": ("The service is in use", "진행 중인 서비스는 뺄 수 없습니다"),
    "not_overdue": ("Not overdue", "기한이 지나지 않았습니다"),
    "statutory_limit": ("The law allows no later day", "법정 기한을 넘길 수 없습니다"),
    "guidance_required": ("Say what the resident was told", "안내한 내용을 적으십시오"),
    "consent_required": ("A consent is needed", "동의가 필요합니다"),
    "consent_not_valid": ("The consent does not carry this", "동의가 유효하지 않습니다"),
    "date_in_future": ("A date in the future", "미래의 날짜입니다"),
    "birth_date_in_future": ("A birth date in the future", "생년월일이 미래입니다"),
    "ends_before_start": ("It ends before it starts", "종료일이 시작일보다 앞섭니다"),
    "note_required": ("A note is needed", "설명을 적으십시오"),
    "offering_required": ("Name the offering", "제공기관을 지정하십시오"),
    "outside_area": ("Outside the offering's area", "제공 지역 밖입니다"),
    "open_case_transfer": (
        "Only a transfer changes the centre",
        "진행 중인 사례가 있어 이관으로만 바꿀 수 있습니다",
    ),
    "already_answered": ("Answered before", "이미 답한 알림입니다"),
    "already_withdrawn": ("Withdrawn before", "이미 철회된 동의입니다"),
    "centre_out_of_scope": ("Not a centre you serve", "담당하는 읍면동이 아닙니다"),
    "unknown_consent": ("No such consent", "그런 동의가 없습니다"),
    "rrn_not_collected": (
        "Registration numbers are not kept here",
        "이곳은 주민등록번호를 보관하지 않습니다",
    ),
    "cursor_invalid": ("The cursor is not valid", "커서가 올바르지 않습니다"),
    "method_not_allowed": ("Not with this method", "이 방법으로는 요청할 수 없습니다"),
    "nothing_to_replace": ("Nothing is to be replaced", "대신할 의뢰가 없습니다"),
    "slot_taken": ("Another run is doing this", "다른 실행이 이미 하고 있습니다"),
    "already_there": ("It is there already", "이미 그 읍면동에 있습니다"),
    "standard_exists": ("There is such a standard", "같은 범위의 기준이 이미 있습니다"),
    "standard_needed": ("This standard is needed", "없앨 수 없는 기준입니다"),
    "district_out_of_scope": ("Not your district", "담당하는 구·군이 아닙니다"),
    "unknown_service": ("No such service", "그런 서비스가 없습니다"),
    "unknown_district": ("No such district", "그런 구·군이 없습니다"),
    "field_of_service": ("Not the service's field", "서비스의 분야가 아닙니다"),
    "scope_never_applies": (
        "A clock of the case is about no service",
        "사례 기한에는 서비스나 분야를 정할 수 없습니다",
    ),
    "kind_fixed": ("Due on a day of its own", "정해진 날짜가 기한입니다"),
    "amount_out_of_range": ("Too short or too long", "기간이 허용 범위를 벗어났습니다"),
    "never_lapses": ("Nothing lapses there", "무응답 종료가 없는 기한입니다"),
    "lapse_before_due": ("It would lapse before it is due", "기한보다 먼저 종료될 수 없습니다"),
    "tier_out_of_range": ("There is no such tier", "그런 상향 단계가 없습니다"),
    "tier_twice": ("A tier has one moment", "같은 단계가 두 번 있습니다"),
    "escalation_not_rising": ("Tiers rise", "상향 단계는 순서대로 늦어져야 합니다"),
    "escalation_unit": ("Not in hours", "시간 단위로 정할 수 없습니다"),
    "year_unknown": ("Outside the known years", "달력에 없는 연도입니다"),
    "internal_error": ("Something failed here", "처리 중 오류가 발생했습니다"),
}


def say(code: str, detail: str, language: str) -> tuple[str, str]:
    """Title and detail of a refusal. Details in Korean repeat the title where none is written."""
    english, korean = TEXTS.get(code, TEXTS["invalid"])
    if language == "ko":
        return korean, korean
    return english, detail or english

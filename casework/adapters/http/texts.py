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
    "not_on_agenda": ("Not on the agenda", "그 회의의 안건이 아닙니다"),
    "not_held_yet": ("The meeting was not held yet", "아직 열리지 않은 회의입니다"),
    "plan_not_submitted": ("The plan is not submitted", "제출되지 않은 계획이 있습니다"),
    "submitted_after_meeting": ("Submitted after the meeting", "회의 뒤에 제출된 계획이 있습니다"),
    "duplicate_member": ("The same member twice", "같은 참석자가 두 번 있습니다"),
    "agenda_full": ("The agenda is full", "안건이 너무 많습니다"),
    "username_taken": ("There is such an account", "이미 있는 계정입니다"),
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
    "month_closed": ("The month is closed", "이미 마감된 달입니다"),
    "month_not_over": ("The month is not over", "아직 끝나지 않은 달입니다"),
    "month_invalid": ("Not a month", "올바른 달이 아닙니다"),
    "period_too_long": ("The period is too long", "기간이 너무 깁니다"),
    "whole_months": ("Whole months only", "월 단위로만 조회할 수 있습니다"),
    "not_for_the_city": ("Not for the whole city", "시 전체에서는 조회할 수 없습니다"),
    "not_told_by": ("Not told by this", "이 조건으로는 구분되지 않는 수치입니다"),
    "district_required": ("Name the district", "구·군을 지정하십시오"),
    "slot_taken": ("Another run is doing this", "다른 실행이 이미 하고 있습니다"),
    "already_there": ("It is there already", "이미 그 읍면동에 있습니다"),
    "not_dead": ("Not a dead letter", "다시 보낼 수 있는 메시지가 아닙니다"),
    "url_unusable": ("The address cannot be called", "호출할 수 없는 주소입니다"),
    "internal_error": ("Something failed here", "처리 중 오류가 발생했습니다"),
}


def say(code: str, detail: str, language: str) -> tuple[str, str]:
    """Title and detail of a refusal. Details in Korean repeat the title where none is written."""
    english, korean = TEXTS.get(code, TEXTS["invalid"])
    if language == "ko":
        return korean, korean
    return english, detail or english

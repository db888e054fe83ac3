"""What the pages say, Korean and English."""

from __future__ import annotations

from typing import Final

WORDS: Final[dict[str, tuple[str, str]]] = {
    # Front page
    "front_heading": ("통합돌봄 사례관리", "Case management for integrated community care"),
    "front_text": (
        "신청부터 조사, 계획, 의뢰, 제공까지 한 사례로 관리하는 HTTP API입니다. "
        "화면은 아직 없습니다.",
        "An HTTP API from the application to the assessment, the plan, the referrals and the "
        "services. It has no screens of its own yet.",
    ),
    "front_docs": ("API 문서", "Documentation of the API"),
    "front_document": ("OpenAPI 문서 (JSON)", "OpenAPI document (JSON)"),
    "front_accounts": ("시연 계정", "Accounts of the demo"),
    "front_sign_in": (
        "API 문서의 Authorize에서 사용자 이름과 비밀번호로 로그인합니다. 모두 가상의 계정입니다.",
        "Sign in with user name and password under Authorize in the documentation. "
        "All of them are invented.",
    ),
    "front_password": ("비밀번호", "Password"),
    "front_role_worker": ("읍면동 담당자", "Worker of a community centre"),
    "front_role_supervisor": ("구·군 책임자", "Supervisor of a district"),
    "front_role_assessor": ("조사자", "Assessor of a district"),
    "front_role_city": ("시", "City"),
    "front_role_auditor": ("접속기록 점검자", "Auditor"),
    "front_role_admin": ("관리자", "Administrator"),
    # Frame
    "title": ("통합돌봄 의뢰 회신", "Answer a care referral"),
    "other_language": ("English", "한국어"),
    "skip": ("본문으로 건너뛰기", "Skip to the content"),
    "nav": ("화면 이동", "Pages"),
    "requests": ("의뢰", "Requests"),
    "places": ("빈자리", "Free places"),
    "month": ("월별 실적", "Month"),
    "leave": ("나가기", "Leave"),
    "done": ("저장했습니다.", "Saved."),
    "sent": (
        "인증번호를 보냈습니다. 10분 안에 입력하십시오.",
        "A code was sent. Enter it within ten minutes.",
    ),
    "left": ("나갔습니다. 이 화면을 닫으셔도 됩니다.", "You have left. You may close this page."),
    "refused_heading": ("이 링크로는 열 수 없습니다", "This link opens nothing"),
    "refused_text": (
        "주소가 잘못되었거나 기한이 지났거나 더 이상 쓸 수 없는 링크입니다. "
        "의뢰를 보낸 행정복지센터에 새 링크를 요청하십시오.",
        "The address is wrong, or the link has expired or is no longer good. "
        "Ask the community centre that sent it for a new one.",
    ),
    "form_used": (
        "이 화면에서 이미 다른 내용을 저장했습니다. 확인하고 다시 저장하십시오.",
        "Something else was saved from this page before. Look at it, and save again.",
    ),
    "error_heading": ("처리하지 못했습니다", "That did not work"),
    "back": ("돌아가기", "Back"),
    # Getting in
    "enter_heading": ("인증번호 확인", "Confirm with a code"),
    "enter_text": (
        "개인정보를 보호하기 위해, 기관의 등록된 연락처로 보내는 여섯 자리 인증번호를 입력해야 "
        "의뢰 내용을 볼 수 있습니다.",
        "To protect personal data, the request is shown after you enter a six-digit code, "
        "which is sent to your agency's registered contact.",
    ),
    "send_code": ("인증번호 받기", "Send a code"),
    "send_code_again": ("인증번호 다시 받기", "Send another code"),
    "code": ("인증번호 (숫자 6자리)", "Code (6 digits)"),
    "confirm": ("확인", "Confirm"),
    "code_wrong": (
        "인증번호가 맞지 않거나 시간이 지났습니다.",
        "The code is not right, or no longer good.",
    ),
    "too_many_codes": (
        "인증번호를 너무 자주 요청했습니다. 한 시간 뒤에 다시 시도하십시오.",
        "Codes were asked for too often. Try again in an hour.",
    ),
    # Requests
    "requests_heading": ("우리 기관에 온 의뢰", "What your agency is asked"),
    "nothing": ("볼 수 있는 의뢰가 없습니다.", "There is no request to show."),
    "service": ("서비스", "Service"),
    "status": ("상태", "Status"),
    "priority": ("긴급도", "Priority"),
    "resident": ("대상자", "Resident"),
    "birth_date": ("생년월일", "Born"),
    "sex": ("성별", "Sex"),
    "address": ("주소", "Address"),
    "phone": ("전화", "Telephone"),
    "message": ("전달 사항", "Message"),
    "asked": ("요청 내용", "What is asked"),
    "from_to": ("기간", "Period"),
    "due": ("기한", "Due"),
    "expected_start_on": ("시작 예정일", "Expected start"),
    "started_on": ("시작일", "Started"),
    "hold_until": ("보류 기한", "On hold until"),
    "place_offered": ("빈자리 안내", "A place is free since"),
    "way_in": ("출입 방법", "How to get in"),
    "coming": ("함께 방문하는 서비스", "Who else comes to the home"),
    "withheld": (
        "동의가 철회되어 대상자 정보를 볼 수 없습니다.",
        "Consent was withdrawn; the resident's data is no longer shown.",
    ),
    "answer": ("회신", "Answer"),
    "later": ("지금은 회신하지 않음", "Nothing now"),
    "save": ("저장", "Save"),
    "no_actions": ("지금 할 수 있는 일이 없습니다.", "There is nothing to do now."),
    # Fields of an answer
    "field_expected_start_on": ("시작 예정일", "Expected start"),
    "field_expected_on": ("예상 가능일", "Expected on"),
    "field_started_on": ("시작한 날", "Started on"),
    "field_ended_on": ("끝난 날", "Ended on"),
    "field_until": ("언제까지", "Until"),
    "field_full_until": (
        "언제까지 빈자리가 없습니까 (정원 초과일 때)",
        "No free place until (where there is none)",
    ),
    "field_reason": ("사유", "Reason"),
    "field_outcome": ("종료 구분", "How it ended"),
    "field_kind": ("무엇이 달라졌습니까", "What changed"),
    "field_note": ("설명 (선택)", "Note (optional)"),
    "field_reported_on": ("보고일", "Reported on"),
    "choose": ("선택하십시오", "Choose"),
    # Places
    "places_heading": ("빈자리 알리기", "State free places"),
    "places_text": (
        "지금 비어 있는 자리 수를 적으십시오. 비워 두면 바뀌지 않습니다.",
        "Say how many places are free now. What is left empty stays as it was.",
    ),
    "capacity": ("정원", "capacity"),
    "as_of": ("기준", "as of"),
    "stale": ("오래된 수치입니다. 다시 적어 주십시오.", "out of date; please state it anew"),
    "full_until": ("정원 초과로 표시된 기한", "marked full until"),
    "field_available": ("빈자리 수", "Free places"),
    # Month
    "month_heading": ("월별 제공 실적", "What was delivered"),
    "month_text": (
        "계획대로 제공했으면 그대로 저장하십시오. 다른 경우에만 수량과 사유를 적으십시오.",
        "If all went as planned, save as it is. Change the quantity only where it did not.",
    ),
    "month_none": ("이 달에 제공한 서비스가 없습니다.", "Nothing ran in this month."),
    "planned": ("계획", "planned"),
    "delivered": ("제공 수량", "Delivered"),
    "reason_if_different": ("계획과 다른 사유", "Why, if different"),
    "recorded": ("저장됨", "recorded"),
    "month_before": ("이전 달", "Month before"),
    "month_after": ("다음 달", "Month after"),
}
CODES: Final[dict[str, tuple[str, str]]] = {
    "action.accept": ("수락", "Accept"),
    "action.waitlist": ("대기", "Waiting list"),
    "action.decline": ("거절", "Decline"),
    "action.start": ("서비스 시작", "Service has started"),
    "action.report": ("진행 보고", "Report progress"),
    "action.hold": ("일시 중지", "Put on hold"),
    "action.resume": ("다시 시작", "Resume"),
    "action.complete": ("서비스 종료", "Service has ended"),
    "action.fail": ("제공하지 못함", "It came to nothing"),
    "action.signal": ("변화 알림", "Something changed"),
    "status.requested": ("회신 대기", "waits for your answer"),
    "status.waitlisted": ("대기", "on the waiting list"),
    "status.accepted": ("수락함", "accepted"),
    "status.in_progress": ("제공 중", "in progress"),
    "status.on_hold": ("일시 중지", "on hold"),
    "status.declined": ("거절함", "declined"),
    "status.lapsed": ("기한 지나 종료", "lapsed"),
    "status.failed": ("제공하지 못함", "came to nothing"),
    "status.completed": ("종료", "ended"),
    "status.cancelled": ("의뢰 취소", "cancelled by the sender"),
    "status.withdrawn": ("철회", "withdrawn"),
    "status.entered_in_error": ("잘못 입력됨", "entered in error"),
    "priority.routine": ("보통", "routine"),
    "priority.urgent": ("긴급", "urgent"),
    "priority.emergency": ("응급", "emergency"),
    "sex.female": ("여", "female"),
    "sex.male": ("남", "male"),
    "per.once": ("1회", "once"),
    "per.day": ("매일", "a day"),
    "per.week": ("매주", "a week"),
    "per.month": ("매월", "a month"),
    "reason.at_capacity": ("정원 초과", "no free place"),
    "reason.out_of_area": ("지역 밖", "out of our area"),
    "reason.not_eligible": ("비대상", "not eligible"),
    "reason.cannot_reach": ("연락 두절", "cannot be reached"),
    "reason.resident_refused": ("본인 거부", "the resident refuses"),
    "reason.duplicate": ("중복", "served already"),
    "reason.hospitalised": ("입원", "in hospital"),
    "reason.away": ("장기 부재", "away"),
    "reason.resident_asked": ("본인 요청", "the resident asked"),
    "reason.provider_paused": ("기관 사정", "our own pause"),
    "reason.provider_unable": ("제공 불가", "we cannot provide it"),
    "reason.resident_unreachable": ("대상자 연락 두절", "the resident cannot be reached"),
    "reason.died": ("사망", "died"),
    "reason.resident_absent": ("부재", "was not at home"),
    "reason.more_needed": ("추가 필요", "more was needed"),
    "reason.other": ("기타 (설명 필요)", "other (say what)"),
    "outcome.ended_as_planned": ("계획대로 종료", "as planned"),
    "outcome.ended_early": ("조기 종료", "early"),
    "outcome.transferred": ("이전", "transferred"),
    "signal.hospitalised": ("입원", "in hospital"),
    "signal.fall": ("낙상", "a fall"),
    "signal.nobody_home": ("부재", "nobody at home"),
    "signal.worse": ("악화", "worse"),
    "signal.died": ("사망", "died"),
    "signal.other": ("기타", "something else"),
}


def told(title: str, field: str | None, language: str) -> str:
    """What is wrong, and in which field, where it has a name on a page."""
    key = f"field_{field}"
    return f"{title} ({word(key, language)})" if key in WORDS else title


def word(key: str, language: str) -> str:
    """A word of the pages."""
    return WORDS[key][0 if language == "ko" else 1]


def named(kind: str, code: object, language: str) -> str:
    """A code in words; one that nobody has put into words is shown as it is."""
    found = CODES.get(f"{kind}.{code}")
    return str(code) if found is None else found[0 if language == "ko" else 1]

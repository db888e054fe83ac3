"""What people write down, in their words. Nothing here is about anyone."""

from __future__ import annotations

from typing import Final

GOALS: Final = (
    "집에서 안전하게 생활하기",
    "복약을 규칙적으로 하기",
    "넘어지지 않고 지내기",
    "하루 두 끼 이상 챙겨 먹기",
    "가족의 돌봄 부담 덜기",
    "병원 진료를 거르지 않기",
)
CONTENTS: Final = {
    "medical": "가정 방문 진료와 건강 상태 확인",
    "health": "건강 상태 점검과 운동 지도",
    "nursing": "신체활동과 위생 관리 지원",
    "care": "일상생활과 가사 지원",
    "housing": "안전한 주거 환경 마련",
    "family": "돌보는 가족의 휴식과 상담",
}
# Per unit of a service: how much, and how often at most.
AMOUNTS: Final = {
    "visit": ((1, 2), "week"),
    "session": ((1, 2), "month"),
    "hour": ((2, 6), "week"),
    "day": ((1, 3), "week"),
    "meal": ((3, 7), "week"),
    "trip": ((1, 2), "month"),
    "item": ((1, 2), "once"),
    "case": ((1, 1), "once"),
    "month": ((1, 1), "month"),
}
URGENT_REASONS: Final = ("퇴원 직후 돌볼 사람이 없음", "주 돌봄자의 갑작스러운 부재")
GUIDANCE: Final = "혼자 생활이 가능하여 치매안심센터와 경로식당 이용을 안내함"
WITHOUT_MEETING: Final = "서비스가 시급하여 회의 없이 서면으로 결정함"
RETURNED: Final = ("서비스 기간을 구체적으로 적을 것", "가족 의견을 추가로 확인할 것")
ASSESSORS: Final = {"nhis_assessment": "국민건강보험공단 조사원", "local_survey": "구·군 조사원"}
MESSAGES: Final = ("오전 방문을 원하십니다.", "귀가 어두우셔서 크게 말씀해 주세요.", None, None)
CONFERENCE: Final = (
    {"name": "가상 위원 1", "agency": "구·군 통합돌봄팀"},
    {"name": "가상 위원 2", "agency": "보건소"},
    {"name": "가상 위원 3", "agency": "국민건강보험공단"},
    {"name": "가상 위원 4", "agency": "종합사회복지관"},
)
NOTES: Final = (
    ("call", "본인", "전화로 안부를 확인함. 식사와 수면에 큰 변화 없음."),
    ("visit", "본인", "가정 방문. 문턱 낙상 위험이 있어 안내함."),
    ("call", "가족", "가족과 통화하여 서비스 일정을 조율함."),
    ("message", "제공기관", "제공기관에 방문 시간을 다시 확인함."),
)
FINDINGS: Final = (
    "서비스가 계획대로 제공되고 있으며 만족도가 높음.",
    "기력이 다소 떨어져 다음 점검에서 식사 지원을 다시 살피기로 함.",
    "가족의 부담이 줄었고 추가 요청은 없음.",
)
SIGNAL_NOTES: Final = {
    "hospitalised": "골절로 입원하심",
    "fall": "화장실에서 넘어지셨으나 크게 다치지 않음",
    "nobody_home": "약속한 시간에 문을 열어 주지 않음",
    "worse": "거동이 지난달보다 힘들어지심",
    "died": "별세하셨다는 연락을 받음",
    "other": "연락처가 바뀌었다고 알려 옴",
}
SIGNAL_ANSWER: Final = "본인과 통화하여 상황을 확인하고 담당 기관에 알림"
ON_BEHALF: Final = ("phone", "phone", "fax", "visit")
UNABLE: Final = "담당 인력이 없어 계속할 수 없음"

"""The columns of each kind of file: what they are called in Korean and English, how they are read.

A heading is known by its field's name, its Korean name, or one of the other words for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from casework.domain.errors import Invalid
from casework.domain.exchange import import_cells as cells
from casework.domain.exchange.import_cells import squeezed, word
from casework.domain.exchange.importing import FileKind

SEX: Final = {"남": "male", "남자": "male", "남성": "male", "m": "male", "여": "female",
              "여자": "female", "여성": "female", "f": "female", "기타": "other"}  # fmt: skip
MOBILITY: Final = {"자립": "independent", "독립": "independent", "독립보행": "independent",
                   "제한": "limited", "부분도움": "limited", "거동불편": "limited",
                   "와상": "housebound", "외출불가": "housebound",
                   "거동불가": "housebound"}  # fmt: skip
CHANNEL: Final = {"본인": "self", "가족": "family", "친족": "family", "후견인": "guardian",
                  "기관": "institution", "공단": "nhis", "건보공단": "nhis", "퇴원": "discharge",
                  "발굴": "outreach", "직권": "ex_officio", "직권신청": "ex_officio"}  # fmt: skip
GROUND: Final = {"장기요양 등급외": "ltc_rejected", "장기요양 기각": "ltc_rejected",
                 "활동지원 기각": "activity_support_rejected", "퇴원": "discharged",
                 "복지위기": "welfare_crisis", "재난": "disaster",
                 "혼자 생활 곤란": "cannot_live_alone"}  # fmt: skip
DETERMINATION: Final = {"전문의료": "specialist_medical", "요양병원": "nursing_hospital",
                        "장기요양": "long_term_care", "통합돌봄": "community_care",
                        "지역사회돌봄": "community_care",
                        "지역돌봄": "community_care"}  # fmt: skip
LEVEL: Final = {"없음": "none", "낮음": "none", "일부": "some", "보통": "some", "높음": "high",
                "많음": "high"}  # fmt: skip
PER: Final = {"1회": "once", "한번": "once", "회": "once", "일": "day", "매일": "day",
              "주": "week", "매주": "week", "주당": "week", "월": "month", "매월": "month",
              "월당": "month"}  # fmt: skip
REFERRAL_STATE: Final = {
    "의뢰됨": "requested", "의뢰중": "requested", "의뢰": "requested", "요청": "requested",
    "대기": "waitlisted", "대기중": "waitlisted", "수락": "accepted", "수락됨": "accepted",
    "제공중": "in_progress", "이용중": "in_progress", "진행중": "in_progress",
    "보류": "on_hold", "보류중": "on_hold", "중단": "on_hold", "거절": "declined",
    "거절됨": "declined", "완료": "completed", "종결": "completed", "종료": "completed",
    "제공실패": "failed", "실패": "failed", "철회": "withdrawn", "취소": "cancelled",
}  # fmt: skip
PRIORITY: Final = {"일반": "routine", "긴급": "urgent", "응급": "emergency"}
REFERRAL_REASON: Final = {
    "정원초과": "at_capacity", "지역밖": "out_of_area", "비대상": "not_eligible",
    "연락두절": "cannot_reach", "대상자연락두절": "resident_unreachable",
    "본인거부": "resident_refused", "중복": "duplicate", "입원": "hospitalised", "부재": "away",
    "본인요청": "resident_asked", "기관사정": "provider_paused", "불필요": "no_longer_needed",
    "중복입력": "entered_twice", "다른기관으로": "redirected", "동의철회": "consent_withdrawn",
    "사망": "died", "제공불가": "provider_unable", "기타": "other",
}  # fmt: skip
OUTCOME: Final = {"계획대로": "ended_as_planned", "정상종결": "ended_as_planned",
                  "조기": "ended_early", "조기종결": "ended_early", "이전": "transferred",
                  "전원": "transferred"}  # fmt: skip
DISPOSITION: Final = {"대체서비스": "alternative", "대체": "alternative", "거절": "refused",
                      "불필요": "no_longer_needed", "미충족욕구": "unmet_need",
                      "미충족": "unmet_need"}  # fmt: skip
PROVIDER_KIND: Final = {
    "의원": "clinic", "방문의원": "clinic", "재택의료센터": "home-centre", "병원": "hospital",
    "한의원": "korean-medicine", "치과": "dental", "치과의원": "dental", "약국": "pharmacy",
    "보건소": "health-centre", "보건지소": "health-centre", "방문요양센터": "home-care",
    "장기요양기관": "home-care", "주야간보호센터": "day-care", "복지관": "welfare-centre",
    "종합복지관": "welfare-centre", "장애인복지관": "disability", "주거복지센터": "housing",
    "자활센터": "self-support", "가족센터": "family", "공단지사": "nhis-branch",
}  # fmt: skip
FIELDS_KO: Final = {"medical": "의료", "health": "보건", "nursing": "요양", "care": "돌봄",
                    "housing": "주거", "family": "가족"}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: its field, what a template calls it, other words for it, how a cell is read."""

    name: str
    ko: str
    also: tuple[str, ...] = ()
    read: cells.Reader = cells.text
    required: bool = False
    example: str = ""


def _column(
    name: str,
    ko: str,
    also: str = "",
    read: cells.Reader = cells.text,
    example: str = "",
    *,
    required: bool = False,
) -> Column:
    return Column(
        name=name, ko=ko, also=tuple(also.split()), read=read, required=required, example=example
    )


_NAME = _column("name", "성명", "이름 대상자명 대상자 성함 fullname", example="가상주민")
_BIRTH = _column("birth_date", "생년월일", "생일 출생일 birthday dob", cells.day, "1941.5.6.")
_EXTERNAL = _column("external_id", "관리번호", "외부번호 접수번호 externalid", cells.code, "")
_RESIDENT_ID = _column("resident_id", "대상자ID", "대상자번호", cells.code)
_CENTRE = _column("centre_code", "읍면동", "행정동 읍면동코드 동 centre center", example="우1동")


def _must(column: Column) -> Column:
    return Column(
        name=column.name, ko=column.ko, also=column.also, read=column.read, required=True,
        example=column.example,
    )  # fmt: skip


PROVIDERS: Final = (
    _column("slug", "기관코드", "코드", cells.code, "haeundae-visit", required=True),
    _column("name", "기관명", "제공기관명 명칭", example="가상 방문의원", required=True),
    _column("kind", "기관유형", "유형 종류", word(PROVIDER_KIND), "방문의원", required=True),
    _column("phone", "전화번호", "전화 연락처 대표번호 tel telephone", cells.phone, "051-000-0000",
            required=True),
    _column("district_code", "구군", "구·군 시군구 구군코드 district", example="해운대구",
            required=True),
    _column("lat", "위도", "latitude", cells.degrees, "35.163", required=True),
    _column("lon", "경도", "longitude lng", cells.degrees, "129.163", required=True),
)  # fmt: skip
OFFERINGS: Final = (
    _column("provider", "기관코드", "provider_slug slug", cells.code, "haeundae-visit",
            required=True),
    _column("service_code", "서비스코드", "서비스 service", cells.code, "MED-VISIT", required=True),
    _column("capacity", "정원", "최대인원 maximum", cells.whole, "12", required=True),
    _column("available", "가능인원", "여유 잔여", cells.whole, "3", required=True),
    _column("waiting", "대기인원", "대기", cells.whole, "0"),
    _column("unit", "단위", "", cells.code, "visit", required=True),
    _column("is_open", "접수여부", "open 접수 접수가능", cells.yes_or_no, "예"),
    _column("centres", "제공지역", "읍면동 coverage 담당지역", cells.several, "우1동, 우2동"),
)  # fmt: skip
RESIDENTS: Final = (
    _must(_NAME),
    _must(_BIRTH),
    _column("sex", "성별", "gender", word(SEX), "여", required=True),
    _must(_CENTRE),
    _column("address", "주소", "거주지 도로명주소", example="가상로 1"),
    _column("phone", "전화번호", "전화 연락처 휴대폰 휴대전화 핸드폰 tel mobile", cells.phone,
            "010-0000-0000"),
    _column("lives_alone", "독거여부", "독거", cells.yes_or_no, "예"),
    _column("mobility", "거동", "거동상태 이동", word(MOBILITY), "제한"),
    _column("ltc_grade", "장기요양등급", "요양등급 등급", example="3"),
    _column("disability", "장애", "장애유형"),
    _column("insurance", "건강보험", "보험 의료보장"),
    _column("income_tier", "소득구간", "소득"),
    _EXTERNAL,
)  # fmt: skip
CASES: Final = (
    _RESIDENT_ID,
    _EXTERNAL,
    _NAME,
    _BIRTH,
    _column("channel", "신청경로", "경로 접수경로", word(CHANNEL), "본인", required=True),
    _column("applied_on", "신청일", "신청일자 접수일", cells.day, "2026.3.27.", required=True),
    _column("discharge_on", "퇴원예정일", "퇴원일", cells.day),
    _column("urgent", "긴급여부", "긴급", cells.yes_or_no, "아니오"),
    _column("urgent_reason", "긴급사유", ""),
    _column("ex_officio_ground", "직권사유", "직권근거", word(GROUND)),
)
ASSESSMENTS: Final = (
    _EXTERNAL,
    _NAME,
    _BIRTH,
    _CENTRE,
    _column("assessed_on", "조사일", "조사일자 평가일", cells.day, "2026.3.20.", required=True),
    _column("received_on", "통보일", "결과통보일 접수일", cells.day, "2026.3.25."),
    _column("assessor", "조사자", "평가자 담당자", example="가상 조사자", required=True),
    _column("determination", "판정", "판정결과 결과", word(DETERMINATION), "통합돌봄",
            required=True),
    *(
        _column(f"need_{field}", f"{ko}필요도", f"{ko}욕구 {ko}", word(LEVEL), "일부")
        for field, ko in FIELDS_KO.items()
    ),
)  # fmt: skip
# One row a service, with its referral; the columns of the case stand in each of its rows.
RUNNING_CASES: Final = (
    _RESIDENT_ID,
    _EXTERNAL,
    _NAME,
    _BIRTH,
    _CENTRE,
    _column("worker", "담당자", "담당자계정 담당자아이디 담당", cells.code, ""),
    _column(
        "former_number", "기존사례번호", "기존번호 이전번호 이전사례번호", cells.code, "2025-0417"
    ),
    _column("channel", "신청경로", "경로 접수경로", word(CHANNEL), "본인", required=True),
    _column("applied_on", "신청일", "신청일자 접수일", cells.day, "2026.3.27.", required=True),
    _column("consent_given_on", "동의일", "동의일자", cells.day),
    _column("consent_given_by", "동의자", "동의한사람"),
    _column("urgent", "긴급여부", "긴급", cells.yes_or_no, "아니오"),
    _column("urgent_reason", "긴급사유", ""),
    _column("ex_officio_ground", "직권사유", "직권근거", word(GROUND)),
    _column("surveyed_on", "사전조사일", "사전조사일자", cells.day, "2026.3.30."),
    _column("determined_on", "종합판정일", "판정일 판정일자", cells.day, "2026.4.10."),
    _column("determination", "판정", "판정결과 종합판정", word(DETERMINATION), "통합돌봄"),
    _column(
        "approved_on",
        "계획승인일",
        "승인일 계획승인일자 결정일",
        cells.day,
        "2026.4.17.",
        required=True,
    ),
    _column("goals", "목표", "지원목표", cells.lines),
    _column("heard_on", "의견청취일", "의견청취일자", cells.day),
    _column("heard_from", "의견청취대상", "의견청취자"),
    _column("notified_on", "계획통지일", "통지일", cells.day, "2026.4.20."),
    _column("notified_to", "통지받은사람", "통지대상", example="본인"),
    _column("first_checked_on", "최초점검일", "첫점검일 1차점검일", cells.day),
    _column("last_checked_on", "최근점검일", "마지막점검일 점검일", cells.day),
    _column("next_check_on", "다음점검일", "차기점검일", cells.day),
    _column("findings", "점검내용", "점검결과 점검의견"),
    _column("service_code", "서비스코드", "서비스 service", cells.code, "CARE-MEALS"),
    _column("content", "서비스내용", "내용", example="점심 도시락"),
    _column("quantity", "수량", "횟수 제공량", cells.amount, "3"),
    _column("unit", "단위", "", cells.code, "meal"),
    _column("per", "주기", "제공주기", word(PER), "주"),
    _column("starts_on", "시작일", "계획시작일 서비스시작일 제공시작일", cells.day, "2026.4.20."),
    _column("ends_on", "종료일", "계획종료일 서비스종료일 제공종료일", cells.day, "2027.4.19."),
    _column("agency", "기관코드", "제공기관 기관 provider", cells.code, "haeundae-visit"),
    _column("state", "의뢰상태", "상태 연계상태", word(REFERRAL_STATE), "제공 중"),
    _column("priority", "우선순위", "", word(PRIORITY), "일반"),
    _column("requested_on", "의뢰일", "의뢰일자 연계의뢰일", cells.day, "2026.4.20."),
    _column("answered_on", "회신일", "수락일 응답일", cells.day, "2026.4.21."),
    _column("started_on", "개시일", "서비스개시일 제공개시일", cells.day, "2026.4.27."),
    _column("ended_on", "종결일", "의뢰종결일 제공종결일", cells.day),
    _column("hold_until", "보류기한", "보류종료일", cells.day),
    _column("reason", "사유", "의뢰사유 거절사유 종결사유", word(REFERRAL_REASON)),
    _column("outcome", "종결구분", "결과", word(OUTCOME)),
    _column("disposition", "후속조치", "", word(DISPOSITION)),
    _column("note", "메모", "비고"),
    _column("outside_area_reason", "지역밖사유", "관할외사유 지역외사유"),
)
COLUMNS: Final[dict[FileKind, tuple[Column, ...]]] = {
    FileKind.PROVIDERS: PROVIDERS,
    FileKind.OFFERINGS: OFFERINGS,
    FileKind.RESIDENTS: RESIDENTS,
    FileKind.CASES: CASES,
    FileKind.ASSESSMENTS: ASSESSMENTS,
    FileKind.RUNNING_CASES: RUNNING_CASES,
}
# One of these groups of columns must be there, for the kinds that name somebody who is known.
WHO: Final[dict[FileKind, tuple[frozenset[str], ...]]] = {
    FileKind.CASES: (
        frozenset({"resident_id"}), frozenset({"external_id"}), frozenset({"name", "birth_date"}),
    ),
    FileKind.ASSESSMENTS: (frozenset({"external_id"}), frozenset({"name", "birth_date"})),
    FileKind.RUNNING_CASES: (
        frozenset({"resident_id"}), frozenset({"external_id"}), frozenset({"name", "birth_date"}),
    ),
}  # fmt: skip
HEADING_WITHIN: Final = 10
MAX_COLUMNS: Final = 100
MAX_ROWS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Headings:
    """Which column of a sheet is which field; how many columns were not known, and stay unread."""

    fields: Mapping[int, str]
    unknown: int


def find_headings(kind: FileKind, row: Sequence[str]) -> Headings | None:
    """The headings, where this row holds them: everything that is needed, nothing twice."""
    known = _words(kind)
    found: dict[int, str] = {}
    unknown = 0
    for at, cell in enumerate(row):
        name = known.get(squeezed(cell))
        unknown += name is None and squeezed(cell) != ""
        if name is not None:
            found[at] = name
    missing = _missing(kind, set(found.values()))
    if missing:
        return None
    twice = [name for name in found.values() if list(found.values()).count(name) > 1]
    if twice:
        raise Invalid("this column stands there twice", code="column_twice", field=twice[0])
    return Headings(found, unknown)


def column_missing(kind: FileKind, rows: Sequence[Sequence[str]]) -> Invalid:
    """What is missing in the row that looks most like headings."""
    known = _words(kind)
    best = max(
        ({known[word] for cell in row if (word := squeezed(cell)) in known} for row in rows),
        key=len,
        default=set(),
    )
    errors = [
        {"field": name, "code": "column_missing", "message": "this column is missing"}
        for name in _missing(kind, best)
    ]
    return Invalid("no row has the headings", code="column_missing", errors=errors)


def _missing(kind: FileKind, found: set[str]) -> list[str]:
    missing = [one.name for one in COLUMNS[kind] if one.required and one.name not in found]
    ways = WHO.get(kind, ())
    if ways and not any(way <= found for way in ways):
        missing += sorted(ways[-1] - found)
    return missing


def _words(kind: FileKind) -> dict[str, str]:
    words: dict[str, str] = {}
    for one in COLUMNS[kind]:
        for said in (one.name, one.ko, *one.also):
            words.setdefault(squeezed(said), one.name)
    return words


def read_cells(
    kind: FileKind, given: Mapping[str, str]
) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """The values of a row by their fields, and what could not be read."""
    values: dict[str, Any] = {}
    errors: list[dict[str, str]] = []
    for one in COLUMNS[kind]:
        cell = given.get(one.name)
        text = cells.plain(cell) if cell else None
        if text is None:
            continue
        try:
            values[one.name] = one.read(text)
        except Invalid as error:
            errors.append({"field": one.name, "code": error.code, "message": error.detail})
    return values, errors

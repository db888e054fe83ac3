"""What a person reads in a mail: case references, codes in words and days; nothing personal."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from casework.domain.agencies.links import LINK, LINK_CODE
from casework.domain.clocks.calendar import SEOUL
from casework.domain.notices.outbox import DIGEST, Message

SUBJECTS: Final = {
    "ko": {
        "digest": "[casework] 오늘 확인할 일 {count}건",
        "one": "[casework] 바로 확인해 주세요",
        "code": "[casework] 인증번호",
    },
    "en": {
        "digest": "[casework] {count} to look at today",
        "one": "[casework] Please look now",
        "code": "[casework] Your code",
    },
}
LINKS: Final = {
    "ko": {
        "link": "아래 주소에서 바로 답하실 수 있습니다. 로그인은 필요 없습니다.",
        "code": "인증번호 {code} (10분 안에 입력하십시오)",
        "beware": "요청한 적이 없다면 누구에게도 알려 주지 마십시오.",
    },
    "en": {
        "link": "You can answer here, without signing in:",
        "code": "Your code is {code}; it is good for ten minutes.",
        "beware": "If you did not ask for it, tell it to nobody.",
    },
}
KINDS: Final = {
    "ko": {
        "escalation": "기한 알림",
        "referral_requested": "새 의뢰",
        "referral_stopped": "의뢰 중단",
        "referral_answered": "의뢰 회신",
        "signal": "변화 알림",
        "break_glass": "담당 외 열람",
        "place_offered": "대기자 빈자리 안내",
        "figures_wanted": "정원 현황 확인 요청",
    },
    "en": {
        "escalation": "deadline",
        "referral_requested": "new referral",
        "referral_stopped": "referral ended",
        "referral_answered": "answer to a referral",
        "signal": "something changed",
        "break_glass": "opened out of scope",
        "place_offered": "a place for who waits",
        "figures_wanted": "please state your places",
    },
}
LINES: Final = {
    "ko": {
        "case": "사례 {case_id}",
        "break_glass": "열람 {subject_id}",
        "offering": "제공 서비스 {subject_id}",
        "due": "기한 {due}",
        "more": "외 {more}건",
    },
    "en": {
        "case": "case {case_id}",
        "break_glass": "opening {subject_id}",
        "offering": "offering {subject_id}",
        "due": "due {due}",
        "more": "and {more} more",
    },
}


def subject_of(message: Message, language: str) -> str:
    """The subject line of a mail."""
    which = {DIGEST: "digest", LINK_CODE: "code"}.get(message.kind, "one")
    return SUBJECTS[language][which].format(count=message.payload.get("count", 1))


def text_of(message: Message, language: str) -> str:
    """One line for each thing, and how many more there are."""
    if message.kind in (LINK, LINK_CODE):  # all that these say is added as they leave
        return ""
    items = message.payload["items"] if message.kind == DIGEST else [message.payload]
    lines = [_line(item, language) for item in items]
    more = message.payload.get("count", len(items)) - len(items)
    if more > 0:
        lines.append(LINES[language]["more"].format(more=more))
    return "\n".join(lines) + "\n"


def added_to(message: Message, language: str, url: str | None, code: str | None) -> str:
    """What a message to an agency without an account says besides: its link, or a code."""
    said = LINKS[language]
    lines = [said["link"], url] if url else []
    lines += [said["code"].format(code=code), said["beware"]] if code else []
    return "".join(f"{line}\n" for line in lines)


def _line(item: dict[str, Any], language: str) -> str:
    words = LINES[language]
    # What is about no case is named by what it is about.
    named = "case" if item["case_id"] is not None else item["subject"]["type"]
    parts = [
        f"{KINDS[language][item['kind']]} ({item['about']})",
        words[named].format(case_id=item["case_id"], subject_id=item["subject"]["id"]),
    ]
    if item["due_at"] is not None:
        due = datetime.fromisoformat(item["due_at"]).astimezone(SEOUL)
        parts.append(words["due"].format(due=f"{due:%Y-%m-%d %H:%M}"))
    return "- " + ", ".join(parts)

"""Files of running cases, and what each row should come to: counted from its days alone.

The count knows the law, the city's targets and which days are closed, and uses nothing of the
product: every day is walked.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from holidays import PUBLIC, country_holidays

SEOUL: Final = ZoneInfo("Asia/Seoul")
DAY: Final = timedelta(days=1)
FIRST_BORN: Final = date(1930, 1, 1)
CLOSED: Final = frozenset(country_holidays("KR", years=range(2015, 2046), categories=(PUBLIC,)))
# Working days for a routine and an urgent matter.
TARGETS: Final = {
    "notify_plan": (5, 5), "link": (3, 1), "response": (3, 1), "waitlist": (10, 2),
    "start": (10, 2), "disposition": (3, 1),
}  # fmt: skip
CHECKS: Final = {"first_check": 3, "check": 6}
STATE, HELD = "의뢰상태", "보류"
Clock = tuple[str, datetime]


def is_open(on: date) -> bool:
    """Whether offices are open."""
    return on.weekday() < 5 and on not in CLOSED


def months_later(since: date, months: int) -> date:
    """The last day of months that begin on the day after, moved to an open one."""
    first = since + DAY
    month = first.month - 1 + months
    month_begins = date(first.year + month // 12, month % 12 + 1, 1)
    last = month_begins + (first.day - 1) * DAY - DAY
    next_month = (month_begins + 31 * DAY).replace(day=1)
    last = min(last, next_month - DAY)
    while not is_open(last):
        last += DAY
    return last


def working_days_later(since: date, amount: int, out: frozenset[date] = frozenset()) -> date:
    """The day by which so many working days have passed that are not left out."""
    on = since
    while amount:
        on += DAY
        amount -= is_open(on) and on not in out
    return on


def end_of(on: date) -> datetime:
    """The last second of a day."""
    return datetime.combine(on, time(23, 59, 59), SEOUL)


@dataclass
class Row:
    """One row as it is written, and the clocks of its service."""

    cells: dict[str, str]
    clocks: list[Clock]
    says: tuple[str, str] | None = None


@dataclass
class Story:
    """One case: who it is about, its own clocks, its rows."""

    name: str
    born: date
    clocks: list[Clock]
    rows: list[Row] = field(default_factory=list)

    @property
    def is_taken(self) -> bool:
        """Whether any row of it is right."""
        return any(row.says is None for row in self.rows)

    def expected(self) -> list[Clock]:
        """Every clock that should run, in order."""
        if not self.is_taken:
            return []
        of_rows = (clock for row in self.rows if row.says is None for clock in row.clocks)
        return sorted([*self.clocks, *of_rows])

    def late(self, now: datetime) -> int:
        """How many of them are overdue at an instant; what rests is not."""
        rest = [row for row in self.rows if row.says is None and row.cells.get(STATE) == HELD]
        resting = sum(due < now for row in rest for _, due in row.clocks)
        return sum(due < now for _, due in self.expected()) - resting


class Writer:
    """Stories of cases up to a day, by chance; ``count_from`` moves the first day of the count.

    With ``count_from`` every clock is counted from that day: the control.
    """

    def __init__(self, today: date, seed: int, worker: str, count_from: date | None = None) -> None:
        self.today, self._rng, self._worker = today, random.Random(seed), worker
        self._count_from = count_from

    def stories(self, rows: int, faults: float) -> list[Story]:
        """Cases with so many rows between them, a share of which is wrong."""
        found: list[Story] = []
        left = rows
        while left:
            story = self._story(len(found), min(left, self._rng.choice((1, 1, 2, 2, 3, 4))))
            found.append(story)
            left -= len(story.rows)
        for story in found:
            for row in story.rows:
                if self._rng.random() < faults:
                    spoil(row, self._rng.choice(FAULTS))
        return found

    def _day(self, since: date, within: int = 200) -> date:
        """A day from then on, not after today."""
        return since + self._rng.randrange(min(within, (self.today - since).days) + 1) * DAY

    def _since(self, on: date) -> date:
        return self._count_from or on

    def _due(self, kind: str, since: date, *, urgent: bool, out: Iterable[date] = ()) -> Clock:
        amount = TARGETS[kind][urgent]
        return kind, end_of(working_days_later(self._since(since), amount, frozenset(out)))

    def _story(self, number: int, services: int) -> Story:
        rng = self._rng
        applied = self.today - rng.randrange(20, 700) * DAY
        approved = min(self._day(applied, 60), self.today - DAY)
        urgent = rng.random() < 0.2
        checked = sorted(self._day(approved + DAY, 400) for _ in range(rng.choice((0, 0, 1, 1, 2))))
        next_on = self._next_check(checked)
        notified = self._day(approved, 20) if rng.random() < 0.8 else None
        clocks = [self._check_clock(approved, checked, next_on)]
        if notified is None:
            clocks.append(self._due("notify_plan", approved, urgent=urgent))
        story = Story(f"가상주민{number:06}", FIRST_BORN + (number * 7 % 11_000) * DAY, clocks)
        of_case = {
            "성명": story.name, "생년월일": _written(story.born, rng), "담당자": self._worker,
            "신청경로": rng.choice(("본인", "가족", "후견인")), "신청일": _written(applied, rng),
            "긴급여부": "예" if urgent else "", "긴급사유": "혼자 쓰러짐" if urgent else "",
            "계획승인일": _written(approved, rng), "계획통지일": _written(notified, rng),
            "최초점검일": _written(checked[0], rng) if checked else "",
            "최근점검일": _written(checked[-1], rng) if len(checked) > 1 else "",
            "다음점검일": _written(next_on, rng),
        }  # fmt: skip
        offered = [(code, slug) for code in ("CARE-MEALS", "MED-VISIT") for slug in SLUGS]
        for code, slug in rng.sample(offered, services):
            story.rows.append(self._row(of_case, code, slug, approved, urgent=urgent))
        return story

    def _next_check(self, checked: list[date]) -> date | None:
        if not checked or self._rng.random() < 0.7:
            return None
        return checked[-1] + self._rng.randrange(30, 150) * DAY

    def _check_clock(self, approved: date, checked: list[date], next_on: date | None) -> Clock:
        if next_on is not None and self._count_from is None:
            return "check", end_of(next_on)
        kind = "check" if checked else "first_check"
        since = self._since(checked[-1] if checked else approved)
        return kind, end_of(months_later(since, CHECKS[kind]))

    def _row(
        self, of_case: dict[str, str], code: str, slug: str, approved: date, *, urgent: bool
    ) -> Row:
        rng = self._rng
        begins = approved + rng.randrange(0, 10) * DAY
        ends = max(self.today, begins) + rng.randrange(30, 300) * DAY
        cells = of_case | {
            "서비스코드": code, "서비스내용": f"점심 {slug}", "수량": "3",
            "단위": "meal", "주기": "주", "시작일": begins.isoformat(), "종료일": ends.isoformat(),
        }  # fmt: skip
        state = rng.choice(STATES)
        if state is None:
            return Row(cells, [self._due("link", approved, urgent=urgent)])
        told, clocks = self._referral(state, approved, urgent=urgent)
        days = {name: _written(day, rng) for name, day in told.pop("days").items()}
        return Row(cells | {"기관코드": slug, "의뢰상태": state} | days | told, clocks)

    def _referral(
        self, state: str, approved: date, *, urgent: bool
    ) -> tuple[dict[str, Any], list[Clock]]:
        rng = self._rng
        asked = self._day(approved, 30)
        answered = self._day(asked, 20)
        started = self._day(answered, 30)
        ended = self._day(started)
        press = rng.random() < 0.2
        told: dict[str, Any] = {"우선순위": "긴급" if press else ""}
        match state:
            case "의뢰됨":
                days = {"의뢰일": asked}
                clocks = [self._due("response", asked, urgent=press)]
            case "대기":
                days = {"의뢰일": asked, "회신일": answered}
                clocks = [self._due("waitlist", answered, urgent=press)]
            case "수락":
                days = {"의뢰일": asked, "회신일": answered}
                clocks = [self._due("start", answered, urgent=press)]
            case "제공 중":
                days, clocks = {"의뢰일": asked, "회신일": answered, "개시일": started}, []
            case "보류":
                until = self.today + rng.randrange(1, 60) * DAY
                out = [self.today + n * DAY for n in range((until - self.today).days + 1)]
                days = {"의뢰일": asked, "회신일": answered, "보류기한": until}
                clocks = [self._due("start", answered, urgent=press, out=out)]
                told["사유"] = "입원"
            case "거절":
                days = {"의뢰일": asked, "회신일": answered}
                clocks = [self._due("disposition", answered, urgent=press)]
                told["사유"] = "정원초과"
            case "철회":
                days = {"의뢰일": asked, "종결일": ended}
                told |= {"사유": "본인요청", "후속조치": "거절"}
                clocks = []
            case "취소":
                days = {"의뢰일": asked, "종결일": ended}
                clocks = [self._due("link", ended, urgent=urgent)]
                told["사유"] = "불필요"
            case _:
                early = rng.random() < 0.5
                days = {"의뢰일": asked, "개시일": started, "종결일": ended}
                clocks = [self._due("disposition", ended, urgent=press)] if early else []
                told["종결구분"] = "조기" if early else "계획대로"
        return told | {"days": days}, clocks


SLUGS: Final = ("alpha", "beta")
STATES: Final = (
    None, "의뢰됨", "대기", "수락", "보류", "거절", "철회", "취소", "완료", *["제공 중"] * 8,
)  # fmt: skip
FAULTS: Final[tuple[tuple[dict[str, str], str, str], ...]] = (
    ({"계획승인일": "2026.13.1."}, "approved_on", "date_unreadable"),
    ({"계획승인일": ""}, "approved_on", "required"),
    ({"계획승인일": "2045.1.2."}, "approved_on", "date_in_future"),
    ({"신청일": "2001.1.2."}, "applied_on", "date_too_early"),
    ({"담당자": "worker.nobody"}, "worker", "unknown_worker"),
    ({"성명": "모르는사람"}, "name", "nobody_found"),
    ({"수량": "많이"}, "quantity", "invalid"),
    ({"단위": ""}, "unit", "required"),
    ({"종료일": "2016-01-01"}, "ends_on", "ends_before_start"),
    ({"기관코드": "nobody", "의뢰상태": "의뢰됨", "의뢰일": "2026.1.2."}, "agency",
     "unknown_offering"),
)  # fmt: skip


def spoil(row: Row, fault: tuple[dict[str, str], str, str]) -> None:
    """Make a row wrong in one way; only the first row of a case names its worker."""
    changes, field, code = fault
    row.cells = row.cells | changes
    row.says = field, code


def _written(on: date | None, rng: random.Random) -> str:
    if on is None:
        return ""
    form = rng.choice(("{0:%Y}.{0.month}.{0.day}.", "{0:%Y-%m-%d}", "{0:%Y}/{0.month}/{0.day}"))
    return form.format(on)


def as_csv(rows: Iterable[Row]) -> Iterator[str]:
    """The lines of a file with these rows."""
    kept = list(rows)
    headings = list(dict.fromkeys(name for row in kept for name in row.cells))
    for cells in (dict(zip(headings, headings, strict=True)), *(row.cells for row in kept)):
        line = io.StringIO()
        csv.writer(line).writerow([cells.get(name, "") for name in headings])
        yield line.getvalue()
